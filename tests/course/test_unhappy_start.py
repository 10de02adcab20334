"""The unhappy start: whatever is wrong with a learner's token, its file or the server, a notebook names the next step.

Each start is a real ``.env`` in a copy of the project, made from ``.env.example`` as a learner makes it.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
import requests
from nbclient.exceptions import CellExecutionError

from mock_server.dot_env import RERUN, WrongSetting, read_token
from mock_server.settings_page import SettingsPage
from mock_server.tokens import COPY_OR_REPLACE
from tools.leaks import assert_without
from tools.running import NOTEBOOKS, PATIENCE, ROOT, MockServer, learner_environment, shared_kernel
from tools.write_exercises import SOLUTIONS, without_outputs

# What the notebooks say


class Stops(str):
    """The notebook stops with an error that says this."""


class GoesOn(str):
    """The notebook runs to its end, and says this on its way."""


IN_FILE = f"Correct LINKED_IS_API_TOKEN in .env, save the file, {RERUN}"
CORRECT = f"{IN_FILE} All reasons: see below this cell."
OUTSIDE = "It doesn't come from .env: correct LINKED_IS_API_TOKEN where you set it, then start JupyterLab again."

# 01 looks at the file
COPY = GoesOn(f"LINKED_IS_BASE_URL is not set. Copy .env.example to .env, {RERUN}")
RENAME = GoesOn(f"Your settings are in .env.txt: rename it to .env, {RERUN}")
NOT_SET = GoesOn("LINKED_IS_API_TOKEN is not set. That's all right: you'll generate one in the next notebook.")
IS_SET = GoesOn("LINKED_IS_API_TOKEN is set.")
# 03 says what is wrong with the token, 04 stops with the same words
UNSAVED = "a dot on its tab means that it is not saved"
NO_TOKEN = GoesOn(f"There is no token yet. Put it into .env as LINKED_IS_API_TOKEN, and save the file: {UNSAVED}. Then {RERUN}")
BEARER = f"The token begins with the word Bearer. {IN_FILE}"
IN_PIECES = f"Character 21 of the token is wrong: SPACE. {IN_FILE}"
CURLY = f"Character 1 of the token is wrong: LEFT DOUBLE QUOTATION MARK. {IN_FILE}"
UNSEEN = f"Character 1 of the token is wrong: ZERO WIDTH SPACE. {IN_FILE}"
PADDED = f"Character 1 of the token is wrong: SPACE. {OUTSIDE}"
QUOTED = f"Character 1 of the token is wrong: QUOTATION MARK. {OUTSIDE}"
BREAK_INSIDE = f"Character 46 of the token is wrong: LINE BREAK OR TAB. {IN_FILE}"
BREAK_OUTSIDE = f"Character 46 of the token is wrong: LINE BREAK OR TAB. {OUTSIDE}"
CLEAN = GoesOn("Your token is clean. Whether it is live, the next notebook asks the server.")
# 04 sends it
PRACTICE = GoesOn("This notebook uses the token of a practice account, because you have set none.")
OWN = GoesOn("This notebook uses your own token.")
CUT_OFF = Stops(f"INVALID_TOKEN: The token is cut off. {COPY_OR_REPLACE} {CORRECT}")
NOT_ALIVE = Stops(
    "INVALID_TOKEN: This server has no live token like it: it was revoked, or another mock server made it. "
    f"Generate a new one in Settings > API. {CORRECT}"
)
EXPIRED = Stops(f"TOKEN_EXPIRED: Generate a new token in Settings > API. {CORRECT}")
# 02 sends it too, but goes on after a refusal: the rest of it uses a practice account
TWO = {PRACTICE: NO_TOKEN, OWN: GoesOn("Status with your own token: 200")}
TWO |= {
    four: GoesOn(four.partition(": ")[2].removesuffix(" All reasons: see below this cell."))
    for four in (CUT_OFF, NOT_ALIVE, EXPIRED)
}


# How the file came about. ``text`` is .env.example with the learner's values.


def editor(project: Path, text: str) -> None:
    (project / ".env").write_text(text, encoding="utf-8")


def nobody(project: Path, text: str) -> None:
    pass


def notepad(project: Path, text: str) -> None:
    (project / ".env").write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))


def notepad_under_another_name(project: Path, text: str) -> None:
    notepad(project, text)
    (project / ".env").rename(project / ".env.txt")


def powershell(project: Path, text: str) -> None:
    (project / ".env").write_text(text, encoding="utf-16")


class Start(NamedTuple):
    """How a learner begins: what stands behind ``LINKED_IS_API_TOKEN=``, and what 01, 03 and 04 say to it. The other
    notebooks have nothing to do with the learner's own token: they go on, and print what is published.

    ``{live}``, ``{revoked}``, ``{expired}`` and ``{cut}`` are real tokens of the mock server. ``exported`` puts the
    value into the environment of the kernel instead of the file.
    """

    what: str
    value: str
    one: str
    three: str
    four: str
    saved_by: Callable[[Path, str], None] = editor
    exported: bool = False


def both(problem: str) -> tuple[str, str]:
    """Return what 03 and 04 say to a token that can't be sent as it is."""
    return GoesOn(problem), Stops(problem)


# fmt: off
STARTS = [
    #     what                             value                01       03        04
    Start("no .env",                       "",                  COPY,    NO_TOKEN, PRACTICE, nobody),
    Start("named .env.txt",                "{live}",            RENAME,  NO_TOKEN, PRACTICE, notepad_under_another_name),
    Start("saved by Notepad",              "{live}",            IS_SET,  CLEAN,    OWN,      notepad),
    Start("empty",                         "",                  NOT_SET, NO_TOKEN, PRACTICE),
    Start("padded",                        "  {live} ",         IS_SET,  CLEAN,    OWN),  # python-dotenv strips it
    Start("padded, exported",              "  {live} ",         IS_SET,  *both(PADDED),      exported=True),
    Start("in two pieces",                 "{cut} {cut}",       IS_SET,  *both(IN_PIECES)),
    Start("quoted",                        '"{live}"',          IS_SET,  CLEAN,    OWN),  # python-dotenv strips it
    Start("quoted, exported",              '"{live}"',          IS_SET,  *both(QUOTED),      exported=True),
    Start("a line break in quotes",        '"{live}\n"',        IS_SET,  *both(BREAK_INSIDE)),
    Start("a line break, exported",        "{live}\r",          IS_SET,  *both(BREAK_OUTSIDE), exported=True),
    Start("curly quotation marks",         "“{live}”",          IS_SET,  *both(CURLY)),
    Start("a space that nobody sees",      "\u200b{live}",      IS_SET,  *both(UNSEEN)),
    Start("Bearer twice",                  "Bearer {live}",     IS_SET,  *both(BEARER)),
    Start("cut off",                       "{cut}",             IS_SET,  CLEAN,    CUT_OFF),
    Start("revoked",                       "{revoked}",         IS_SET,  CLEAN,    NOT_ALIVE),
    Start("expired",                       "{expired}",         IS_SET,  CLEAN,    EXPIRED),
]
# fmt: on
NUMBERS = [path.name[:2] for path in NOTEBOOKS]
READERS = ["01", "02", "03", "04"]
USUAL = {"no .env", "saved by Notepad", "empty", "padded", "quoted", "Bearer twice", "revoked"}


@pytest.fixture(scope="module")
def kernel():
    with shared_kernel() as run:
        yield run


@pytest.fixture(scope="module")
def own_tokens(server):
    """A learner's tokens: one that lives, one that was revoked, one that has expired, and the first half of one."""
    page, late = SettingsPage(server.base_url), SettingsPage(server.base_url)
    page.sign_up()
    page.change_plan("Business")
    live, revoked = page.generate_token(name="Live"), page.generate_token(name="Revoked")
    page.revoke("Revoked")
    late.sign_up()
    expired = late.generate_token(lifetime="1 hour")
    headers, hour = {"Authorization": f"Bearer {expired}"}, {"advance": 60 * 60}
    requests.post(f"{server.origin}/_mock/clock", headers=headers, json=hour, timeout=PATIENCE).raise_for_status()
    return {"live": live, "revoked": revoked, "expired": expired, "cut": live[:20]}


@pytest.fixture
def begin(kernel, own_tokens, server, tmp_path, monkeypatch):
    """Run a notebook, given by its number. Return what it printed, and the text of the error that it stopped with."""

    def begin(
        number: str,
        value: str,
        saved_by: Callable[[Path, str], None] = editor,
        exported: bool = False,
        base_url: str = server.base_url,
        folder: str = "notebooks",
        added: str = "",
        **environment: str,
    ) -> tuple[str, str | None]:
        path = next(path for path in NOTEBOOKS if path.name.startswith(number))
        (tmp_path / "notebooks").mkdir()
        for one in (path, ROOT / ".env.example", ROOT / ".gitignore"):
            shutil.copy(one, tmp_path / one.relative_to(ROOT))
        value = value.format(**own_tokens)
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        text = text.replace("API_TOKEN=", f"API_TOKEN={'' if exported else value}")
        saved_by(tmp_path, text.replace("http://127.0.0.1:8787/v1", base_url) + added)
        monkeypatch.delenv("LINKED_IS_API_TOKEN")
        monkeypatch.delenv("LINKED_IS_BASE_URL")
        environment |= {"LINKED_IS_API_TOKEN": value} if exported else {}
        if not (tmp_path / ".env").exists():
            # Without the file a notebook asks port 8787, which may be taken here: a proxy leads to the test's server.
            environment |= {"http_proxy": server.origin, "no_proxy": ""}
        notebook, error = without_outputs(nbformat.read(path, as_version=4)), None
        try:
            kernel(notebook, tmp_path / folder, environment)
        except CellExecutionError as stopped:
            error = stopped.evalue
        shown = f"{nbformat.writes(notebook)}{error}"  # with the error and its traceback
        for token in own_tokens.values():
            assert_without(token, shown)
        return printed(notebook), error

    return begin


def printed(notebook: nbformat.NotebookNode) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.get("name") == "stdout")  # python-dotenv warns beside it


@pytest.mark.parametrize("number", READERS)
@pytest.mark.parametrize(
    "start",
    [pytest.param(start, marks=[] if start.what in USUAL else [pytest.mark.long], id=start.what) for start in STARTS],
)
def test_a_notebook_that_reads_the_token_says_what_to_do(begin, start, number):
    expected = {"01": start.one, "02": TWO.get(start.four, start.four), "03": start.three, "04": start.four}[number]
    said, error = begin(number, start.value, start.saved_by, start.exported)
    if isinstance(expected, Stops):
        assert error and expected in error
    else:
        assert error is None
        assert f"{expected}\n" in said


@pytest.mark.long
@pytest.mark.parametrize("number", [number for number in NUMBERS if number not in READERS])
@pytest.mark.parametrize("start", [start for start in STARTS if start.what in USUAL], ids=lambda start: start.what)
def test_the_other_notebooks_go_on_as_published(begin, start, number):
    published = next(path for path in NOTEBOOKS if path.name.startswith(number))
    said, error = begin(number, start.value, start.saved_by, start.exported)
    assert error is None
    assert said == printed(nbformat.read(published, as_version=4))


def test_the_cell_that_shows_the_mistakes_leaves_the_learners_token_where_it_is(monkeypatch):
    mistakes = next(cell for cell in nbformat.read(NOTEBOOKS[2], as_version=4).cells if cell.id == "mistakes")
    monkeypatch.setenv("LINKED_IS_API_TOKEN", "mine")
    exec(mistakes.source, {"os": os, "read_token": read_token, "WrongSetting": WrongSetting})
    assert os.environ["LINKED_IS_API_TOKEN"] == "mine"


# Where the token doesn't matter


@pytest.mark.parametrize(("number", "saved_by", "says"), [("01", notepad_under_another_name, RENAME), ("03", notepad, CLEAN)])
def test_a_kernel_that_starts_in_the_top_folder_finds_the_project(begin, number, saved_by, says):
    said, error = begin(number, "{live}", saved_by, folder=".")
    assert error is None and says in said


@pytest.mark.long
@pytest.mark.parametrize("path", [*NOTEBOOKS, *SOLUTIONS], ids=lambda path: path.name)
def test_in_the_top_folder_each_notebook_does_what_is_published(kernel, server, path, tmp_path, monkeypatch):
    """An editor starts a kernel there, and another notebook's folder is one too."""
    for name in learner_environment(""):
        monkeypatch.delenv(name)
    (tmp_path / "notebooks" / "exercises").mkdir(parents=True)
    for name in (".env.example", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path)
    settings = (ROOT / ".env.example").read_text(encoding="utf-8").replace("http://127.0.0.1:8787/v1", server.base_url)
    editor(tmp_path, settings)
    published = nbformat.read(path, as_version=4)
    for folder in (tmp_path, tmp_path / "notebooks" / "exercises"):
        notebook = without_outputs(published)
        kernel(notebook, folder, {})
        assert printed(notebook) == printed(published)
    assert (tmp_path / ".env").read_text(encoding="utf-8") == settings


@pytest.fixture
def netrc_home(tmp_path):
    """A home folder whose ``.netrc`` has a password for every host."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".netrc").write_text("default login me password not-a-token", encoding="utf-8")
    return str(tmp_path / "home")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_netrc_file_that_would_replace_the_token_is_named_with_its_cure(begin, number, netrc_home):
    _, error = begin(number, "{live}", HOME=netrc_home)
    assert f"Put the line NETRC=none into .env, save the file, {RERUN}" in error


def test_with_its_cure_a_notebook_goes_on_as_published(begin, netrc_home):
    said, error = begin("06", "{live}", added="NETRC=none\n", HOME=netrc_home)
    assert (error, said) == (None, printed(nbformat.read(NOTEBOOKS[5], as_version=4)))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_line_of_the_file_that_cannot_be_read_stops_the_first_cell(begin, number):
    said, error = begin(number, '"{live}')
    assert "Talking to:" not in said and "Line 4 of .env can't be read." in error


@pytest.mark.parametrize("number", NUMBERS)
def test_a_base_url_in_another_form_stops_the_first_cell_with_the_right_one(begin, server, number):
    _, error = begin(number, "{live}", base_url=f"{server.base_url}/")
    assert error.startswith(f"LINKED_IS_BASE_URL must read {server.base_url}.")


UNTIL_DEAD = """
import socket
port = int(settings_page.origin.rpartition(":")[2])
while socket.socket().connect_ex(("127.0.0.1", port)) == 0:
    pass
"""
GET = 'requests.get(f"{BASE_URL}/links", timeout=10, headers={"Authorization": f"Bearer {token}"})'


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (GET, "Start the mock server in a terminal:"),
        ("settings_page.generate_token()", "Start the mock server in a terminal:"),
        (f"await asyncio.to_thread(lambda: {GET})", "Start the mock server in a terminal:"),
        (GET.replace('token}"', 'token}\\n"'), "A header has a character that can't be sent."),
        (GET.replace("{BASE_URL}", "http://no-such-name.invalid"), "Check the address"),
    ],
    ids=["requests", "the page", "in a thread", "a line break in the header", "another address"],
)
def test_a_cell_that_gets_no_answer_ends_in_one_sentence_without_the_token(kernel, own_tokens, cell, says, tmp_path):
    with MockServer() as dying:
        setup = next(cell for cell in nbformat.read(NOTEBOOKS[1], as_version=4).cells if cell.cell_type == "code").source
        given = f"import asyncio, requests, signal\ntoken = {own_tokens['live']!r}"
        cells = [setup, given, f"os.kill({dying.process.pid}, signal.SIGTERM)", UNTIL_DEAD, cell]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        with pytest.raises(CellExecutionError):
            kernel(notebook, tmp_path, {"LINKED_IS_BASE_URL": dying.base_url})
    (output,) = notebook.cells[-1].outputs
    assert says in output.evalue and output.traceback == [f"{output.ename}: {output.evalue}"]
    saved = nbformat.writes(nbformat.v4.new_notebook(cells=notebook.cells[-1:]))
    assert_without(own_tokens["live"], saved)


@pytest.mark.parametrize("number", NUMBERS)
def test_with_the_server_down_every_notebook_says_how_to_start_it_with_its_database(begin, number, tmp_path):
    _, error = begin(number, "{live}", base_url="http://127.0.0.1:9/v1")
    *_, folder, command, _, _ = error.splitlines()
    assert (folder, command) == (f'cd "{tmp_path}"', f"{sys.executable} -m mock_server --port 9")


@pytest.mark.parametrize("number", NUMBERS)
def test_where_the_file_is_in_another_encoding_every_notebook_stops_with_the_error_that_the_first_explains(begin, number):
    _, error = begin(number, "{live}", powershell)
    assert error.startswith("'utf-8' codec can't decode")
    assert "| `UnicodeDecodeError` | " in NOTEBOOKS[0].read_text(encoding="utf-8")


# Start here writes nothing, and Read authentication errors calls linked.is before it generates a token.
@pytest.mark.parametrize("number", [number for number in NUMBERS if number not in ("01", "06")])
def test_on_linked_is_a_notebook_stops_where_a_person_must_click(begin, number):
    _, error = begin(number, "", base_url="https://api.linked.is/v1")
    assert "log in to linked.is, open Settings > API and click there. Keep a new token in .env" in error
