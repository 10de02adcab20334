"""What GitHub reads pins what it uses, and may do no more than it must. `make check` has programs that look for more."""

import re
import subprocess
import sys

import pytest
import yaml

from tools.running import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "site.yml"

pytestmark = pytest.mark.check


def test_one_version_of_each_action_is_used_and_named_behind_its_commit():
    lines = {line for path in WORKFLOW.parent.glob("*.yml") for line in uses(path)}
    pinned = [re.fullmatch(r"uses: (actions/[a-z-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in lines]
    assert all(pinned) and len({pin[1] for pin in pinned}) == len(lines) > 5, lines


def test_only_what_publishes_may_write():
    """zizmor asks for no more than that each job names its rights."""
    may_write = set()
    for path in WORKFLOW.parent.glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {}, path.name
        may_write |= {
            (name, right)
            for name, job in workflow["jobs"].items()
            for right, level in job["permissions"].items()
            if level != "read"
        }
    release = {("draft", right) for right in ("contents", "id-token", "attestations")}
    assert may_write == {("publish", "pages"), ("publish", "id-token")} | release


def test_the_site_is_published_after_what_ci_runs():
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    tasks = {step["run"] for step in jobs["site"]["steps"] if re.fullmatch("make [a-z-]+", step.get("run", ""))}
    in_ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert {"make test", "make site"} == tasks <= set(in_ci)
    assert jobs["publish"]["if"] == "github.event_name == 'push'" and workflow[True]["push"] == {"branches": ["main"]}


def uses(path):
    """Return the lines with which a workflow, or a page that shows one, names its actions."""
    return set(re.findall(r"(?m)uses: .*$", path.read_text(encoding="utf-8")))


def test_the_page_on_ci_shows_a_workflow_that_github_takes_with_actions_pinned_as_ours(tmp_path):
    page = ROOT / "docs" / "how-to" / "store-a-token-in-ci.md"
    workflow = re.search(r'```yaml title="[^"]+"\n(.*?)```', page.read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "report.yml").write_text(workflow, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    checked = subprocess.run([*command, str(tmp_path / "report.yml")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert uses(page) and uses(page) <= uses(WORKFLOW)
