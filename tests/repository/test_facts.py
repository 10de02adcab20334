"""A fact has one home. Where a file can't ask the home, because it is no Python or is read before it, it says the same."""

import re
from urllib.parse import urlsplit

import pytest

from mock_server import tokens
from mock_server.dot_env import BASE_URL, CLASS_CODE, LEARNER, MOCK, TOKEN
from publish.tab import MEGABYTES
from tools.running import ROOT
from tools.texts import DOCUMENTS, FILES, PROGRAMS, SETTINGS


def said(file, spelled):
    """Return what a file says, in all the places where it spells a fact so."""
    return set(re.findall(spelled, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE))


[VERSION] = said("pyproject.toml", r'^version = "(.+)"$')
[IN_A_TAB] = said("browser/shell/shell.js", r"once about (\d+) MB")
[COMM] = said("browser/kernel/linked_is_tab/settings_window.py", r'^COMM = "(.+)"$')
[STORAGE] = said("browser/build.py", r'"contentsStorageName": f"(.+)\{')
PORT = str(urlsplit(MOCK).port)
# The file → how it spells a fact, and what its home says.
REPEATED = [
    (".env.example", r"^LINKED_IS_BASE_URL=(.+)$", MOCK),
    ("lab.py", r"(http://127.0.0.1:\d+/v1)", MOCK),
    ("lab.py", r"address.port or (\d{4})", PORT),
    ("binder/start", r"address.port or (\d{4})", PORT),
    ("browser/page/run.js", r"http://127.0.0.1:(\d+)", PORT),
    ("browser/shell/shell.js", r"http://127.0.0.1:(\d+)", PORT),
    ("browser/shell/shell.js", r'const COMM = "(.+?)"', COMM),
    ("browser/shell/shell.js", r'const STORAGE = "(.+?)"', STORAGE),
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
    found = said(file, spelled)
    assert found == {fact}, f"{file} says {found or 'nothing'}: write {fact}, or change the fact's home."


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


@pytest.mark.check
def test_make_lock_writes_each_list_of_packages():
    sources = [path for path in FILES if path.suffix == ".in"]
    lists = {path.relative_to(ROOT).as_posix(): path.with_suffix(".txt").read_text(encoding="utf-8") for path in sources}
    assert lists and [name for name, text in lists.items() if not text.startswith(f"# Written by `make lock` from {name}.")] == []
