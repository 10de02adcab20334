"""A fact has one home. Where a file can't ask the home, because it is no Python or is read before it, it says the same."""

import re
from urllib.parse import urlsplit

import pytest

from mock_server import tokens
from mock_server.dot_env import BASE_URL, CLASS_CODE, LEARNER, MOCK, TOKEN
from publish.tab import MEGABYTES
from tools.running import ROOT
from tools.texts import DOCUMENTS, PROGRAMS, SETTINGS

VERSION = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)[1]
PORT = str(urlsplit(MOCK).port)
IN_A_TAB = re.search(r"once about (\d+) MB", (ROOT / "browser" / "shell" / "shell.js").read_text(encoding="utf-8"))[1]
# The file → how it spells a fact, and what its home says.
REPEATED = [
    (".env.example", r"^LINKED_IS_BASE_URL=(.+)$", MOCK),
    ("lab.py", r"(http://127.0.0.1:\d+/v1)", MOCK),
    ("lab.py", r"address.port or (\d{4})", PORT),
    ("binder/start", r"address.port or (\d{4})", PORT),
    ("browser/page/run.js", r"http://127.0.0.1:(\d+)", PORT),
    ("browser/shell/shell.js", r"http://127.0.0.1:(\d+)", PORT),
    ("docker/Dockerfile", r"EXPOSE (\d+)", PORT),
    ("docker/compose.yaml", r"127.0.0.1:(\d+):\d+", PORT),
    (".devcontainer/devcontainer.json", r'"(\d+)": { "label": "Mock server"', PORT),
    ("mock_server/openapi.yaml", r"url: http://127.0.0.1:(\d+)", PORT),
    ("mock_server/openapi.yaml", r"pattern: \"\^(lis\w*_)", tokens.PREFIX),
    ("CITATION.cff", r"^version: (.+)$", VERSION),
    ("docs/reference/browsers.md", r"About (\d+) MB", str(MEGABYTES)),
    ("docs/reference/browsers.md", r"(\d+) for JupyterLab", IN_A_TAB),
]


@pytest.mark.check
@pytest.mark.parametrize(("file", "spelled", "fact"), REPEATED)
def test_a_fact_is_the_same_where_it_is_repeated(file, spelled, fact):
    said = re.findall(spelled, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(said) == {fact}, f"{file} says {said or 'nothing'}: write {fact}, or change the fact's home."


@pytest.mark.check
def test_a_text_names_no_setting_that_nobody_reads():
    read = {BASE_URL, TOKEN, CLASS_CODE, LEARNER, f"{TOKEN}_FILE", "LINKED_IS_MOCK_SERVER_PORT", "LINKED_IS_NO_ANSWER"}
    files = [path for path in (*DOCUMENTS, *PROGRAMS, *SETTINGS) if "tests" not in path.parts]
    found = {(path.name, name) for path in files for name in re.findall("LINKED_IS_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert found and {(file, name) for file, name in found if name not in read} == set(), "Correct the name, or read the setting."


@pytest.mark.check
def test_a_person_with_pip_gets_the_versions_that_make_installs():
    def pinned(*files):
        return {line for path in files for line in re.findall(r"(?m)^\w[\w.-]*==[^ ;\n]+", path.read_text(encoding="utf-8"))}

    locked = pinned(*(ROOT / "requirements").glob("*.txt"))
    assert locked and pinned(ROOT / "requirements.txt") - locked == set(), "Run `make lock`."
