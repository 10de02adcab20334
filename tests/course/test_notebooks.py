"""What nbval does not look at: that outputs are there, that no token is in them, and that a learner's own ``.env`` is used."""

import copy
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise

import nbformat
import pytest

from mock_server import tokens
from mock_server.settings_page import SettingsPage
from tests.course.test_questions import read_questions
from tools import write_exercises
from tools.leaks import has_a_piece, pieces, tokens_in
from tools.running import NOTEBOOKS, PATIENCE, ROOT, shared_kernel
from tools.texts import FILES, complain, headings, markdown
from tools.write_exercises import SOLUTIONS, without_outputs

TEMPLATE = ROOT / "tools" / "template.ipynb"  # what CONTRIBUTING.md tells to copy


def unfit(notebook):
    """Yield what makes a lesson, an exercise or a solution unfit to be published."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    text = text_of(notebook)
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "it was not executed from top to bottom"
    yield from (f"cell {cell.id} is longer than 15 lines" for cell in code if len(cell.source.splitlines()) > 15)
    # The first notebook checks the packages before it imports one.
    if not any("settings_page = SettingsPage(BASE_URL)" in cell.source for cell in code[:3]):
        yield "it does not begin by saying which service it talks to"
    if len(re.findall("(?m)^# ", text)) != 1:
        yield "it has not exactly one title"
    if f"**Time:** {notebook.metadata.linked_is.minutes} minutes" not in text:
        yield "its time is not that of its metadata"


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def findings(notebook):
    """Return what makes a lesson unfit to be published."""
    found, text = [*unfit(notebook)], text_of(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if "print(" in re.sub(r"(?m)^def .*(\n .*|\n)*", "", cell.source) and not cell.outputs:
            found.append(f"the output of cell {cell.id} was stripped")
        if any(output.output_type == "error" for output in cell.outputs):
            found.append(f"cell {cell.id} failed")
    parts = ("**What you'll do:**", "**What you'll learn:**", "**What you'll need:**", "## What you did")
    found += [f"it lacks {part}" for part in parts if part not in text]
    questions, faults = read_questions(text)
    return found + (
        faults
        if len(questions) >= 3
        else [*faults, "it has fewer than three questions: write more, as publish/questions.py says"]
    )


@pytest.mark.check
def test_lessons_are_numbered_and_none_takes_more_than_25_minutes():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, len(NOTEBOOKS) + 1)]
    for path in NOTEBOOKS:
        assert 0 < nbformat.read(path, as_version=4).metadata.linked_is.minutes <= 25


@pytest.mark.check
@pytest.mark.parametrize("path", [*NOTEBOOKS, TEMPLATE], ids=lambda path: path.name)
def test_a_notebook_is_fit_to_be_published(path):
    complain(f"{path.relative_to(ROOT)}: {fault}" for fault in findings(nbformat.read(path, as_version=4)))


@pytest.mark.check
def test_next_of_a_lesson_leads_to_the_next_lesson():
    for path, following in pairwise(NOTEBOOKS):
        text, title = markdown(path), next(headings(markdown(following)))[2]
        link = f"[{title}]({following.name})"
        leads_on = any(link in line for line in text.splitlines() if line.startswith("**Next:** "))
        complain([] if leads_on else [f"{path.relative_to(ROOT)}: write **Next:** {link} at its end"])


@pytest.mark.check
def test_an_unfit_notebook_is_found():
    def broken(change):
        notebook = copy.deepcopy(nbformat.read(NOTEBOOKS[0], as_version=4))
        change(notebook, [cell for cell in notebook.cells if cell.cell_type == "code"])
        return findings(notebook)

    assert broken(lambda notebook, code: code[1].update(execution_count=None))
    assert broken(lambda notebook, code: code[1].update(outputs=[]))
    assert broken(lambda notebook, code: code[1].outputs.append(nbformat.v4.new_output("error")))
    assert broken(lambda notebook, code: code[1].update(source="1\n" * 16))
    assert broken(lambda notebook, code: notebook.metadata.linked_is.update(minutes=1))


# A setting of IPython that a learner may have: every line's value is an output, not the last one's only.
EVERY_VALUE = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('get_ipython().ast_node_interactivity = "all"')])


@pytest.mark.long
def test_the_course_uses_a_learners_own_env_leaves_it_as_it_is_and_lets_no_piece_of_a_token_out(witness, tmp_path, monkeypatch):
    base_url, minted, log, database = witness
    page, project = SettingsPage(base_url), tmp_path / "project"
    page.sign_up()
    token = page.generate_token(name="My own")
    shutil.copytree(ROOT / "notebooks", project / "notebooks")
    for name in (".env.example", ".gitignore"):
        shutil.copy(ROOT / name, project)
    env = f"# mine\r\nLINKED_IS_API_TOKEN={token}\r\nLINKED_IS_BASE_URL={base_url}\r\n"
    (project / ".env").write_bytes(env.encode())
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    monkeypatch.delenv("LINKED_IS_API_TOKEN")
    monkeypatch.delenv("LINKED_IS_BASE_URL")
    texts = {}
    with shared_kernel() as run:
        run(EVERY_VALUE, project, {})
        for path in (*NOTEBOOKS, *SOLUTIONS):
            notebook = without_outputs(nbformat.read(path, as_version=4))
            run(notebook, project / path.parent.relative_to(ROOT), {})
            texts[path.name] = nbformat.writes(notebook)

    assert "Your token is clean." in texts[NOTEBOOKS[2].name] and "your own token" in texts[NOTEBOOKS[3].name]
    assert page.tokens()[0].last_used != "never" and page.tokens()[0].state == "active"
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before

    texts["the log"] = "\n".join(log)
    page.generate_token()
    texts["the page"] = page.session.get(f"{page.origin}/settings/api", timeout=PATIENCE).text
    texts["the database"] = b"".join(file.read_bytes() for file in database.parent.glob("mock.db*")).decode("latin-1")
    made = set().union(*map(pieces, minted))
    assert len(minted) >= 10 and len(log) > 50
    leaks = {place for place, text in texts.items() if has_a_piece(text, made)}
    assert leaks == set()


def test_the_search_for_pieces_finds_one():
    token = tokens.mint()
    assert has_a_piece(f"Your token starts with {token[:16]}", pieces(token))
    assert not has_a_piece(f"Your token starts with {token[:14]}", pieces(token))


@pytest.mark.check
def test_no_token_is_in_the_project():
    leaks = [path for path in FILES if tokens_in(path.read_bytes().decode("utf-8", "replace"))]
    assert leaks == []


@pytest.mark.check
def test_a_token_in_the_project_is_found():
    token = tokens.mint()
    for text in (
        f'TOKEN = "{token}"',
        f"Bearer {'a' * 20}",
        f"LINKED_IS_API_TOKEN={'a' * 20}",
        f"It begins with {token[:15]}…",
        f"[{token.removeprefix(tokens.PREFIX)}]",
    ):
        assert tokens_in(text)
    assert not tokens_in("lis_mock_short lis_mock_[0-9A-Za-z]{36} " + "a" * 36)


@pytest.mark.long
def test_somebody_notices_each_documented_behaviour_that_breaks_and_each_lie():
    result = subprocess.run([sys.executable, "-m", "tools.proof"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    told, by_notebooks = re.findall(r"(\d+) (?:told|noticed by a notebook)", result.stdout)
    assert int(told) > 900 and int(by_notebooks) > 300


def test_nothing_of_the_developers_own_settings_gets_into_a_run():
    assert os.environ["LINKED_IS_API_TOKEN"] == ""


def test_an_interrupted_run_leaves_an_exercise_as_it_was(monkeypatch):
    path = write_exercises.EXERCISES[0]
    before = path.read_bytes()

    def interrupted(*arguments, **options):
        assert path.read_bytes() == before
        raise KeyboardInterrupt

    monkeypatch.setattr(write_exercises, "save", lambda path, *others: interrupted() if "solution" not in path.name else {})
    with pytest.raises(KeyboardInterrupt):
        write_exercises.main(path.name)
    assert path.read_bytes() == before
