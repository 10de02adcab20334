"""No piece of a token gets into what is made of the notebooks: the site, its search, its downloads, slides, the bundle.
And what lesson 8 teaches finds a token in each line that may hold one, and wherever git keeps it.

Of the tab these are the notebooks in it, as ``browser/build.py`` puts them there; the rest of it is Python for a
browser, and takes minutes to build. ``test_notebooks.py`` looks into the notebooks themselves, into the log, the page
and the database.
"""

import re
import shutil
import sys
import zipfile
from contextlib import suppress
from pathlib import Path, PurePath

import nbformat
import pytest
import yaml
from detect_secrets import pre_commit_hook
from dulwich import porcelain
from nbclient.exceptions import CellExecutionError

from browser import build as tab
from mock_server import tokens
from mock_server.traffic import AccountTraffic, Fault
from tests.course.test_notebooks import EVERY_VALUE
from tools.leaks import has_a_piece, pieces
from tools.running import NOTEBOOKS, ROOT, copy_project, learner_environment, shared_kernel
from tools.write_exercises import EXERCISES, SOLUTIONS, without_outputs
from workshop import bundle, slides


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the project, of which bundles are made."""
    copy_project(tmp_path / "project")
    monkeypatch.setattr(bundle, "ROOT", tmp_path / "project")
    monkeypatch.setattr(slides, "ROOT", tmp_path / "project")
    monkeypatch.setattr(tab, "ROOT", tmp_path / "project")
    monkeypatch.setattr(tab, "BUILD", tmp_path / "tab")

    def copy_contents(folder):
        tab.make_contents()
        shutil.copytree(tab.BUILD / "contents", folder)

    monkeypatch.setattr(bundle, "build_tab", copy_contents)
    return tmp_path / "project"


def bundle_of(project):
    """Return the texts of a bundle without wheels, by their names: the project, its site, its slides.

    Scripts and styles stay out. Others wrote them, and in so much text a piece turns up by chance.
    """
    bundle.build(project.parent / "bundle.zip", [])
    with zipfile.ZipFile(project.parent / "bundle.zip") as file:
        names = [name for name in file.namelist() if PurePath(name).suffix in bundle.TEXT - {".js", ".css"}]
        return {name.partition("/")[2]: file.read(name).decode("utf-8", "replace") for name in names}


def leaks(texts, made):
    """Return the names of the texts that hold a piece, in one go or with tags in between."""
    return {name for name, text in texts.items() if has_a_piece(text, made) or has_a_piece(re.sub("<[^<>]*>", "", text), made)}


def plant(path, change):
    """Change a notebook of the project."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


@pytest.mark.long
def test_no_piece_of_a_token_gets_into_what_is_made_of_notebooks(witness, project):
    base_url, minted, log, _ = witness
    copies = [project / path.relative_to(ROOT) for path in (*NOTEBOOKS, *SOLUTIONS, *EXERCISES)]
    with shared_kernel() as run:
        run(EVERY_VALUE, project, {})
        for path in copies:
            notebook = without_outputs(nbformat.read(path, as_version=4))
            run(notebook, path.parent, learner_environment(base_url))
            nbformat.write(notebook, path)
    made = set().union(*map(pieces, minted))
    texts = bundle_of(project)
    stems = [path.relative_to(project / "notebooks").with_suffix("").as_posix() for path in copies]
    assert {f"site/notebooks/{stem}.html" for stem in stems} | {f"slides/{path.stem}.html" for path in NOTEBOOKS} < set(texts)
    assert {"site/search/search_index.json", "README.txt"} < set(texts) and len(minted) > 40
    found = leaks(texts | {"the log": "\n".join(log)}, made)
    assert found == set()

    # The same search finds a piece in each place that it was planted in.
    piece = minted[0][-6:]
    said, printed, hidden, exercise = copies[1], copies[2], copies[3], copies[-1]
    plant(said, lambda notebook: notebook.cells[1].update(source=f"{notebook.cells[1].source}\n\nIt ends in {piece}."))
    plant(printed, lambda notebook: notebook.cells[3].outputs.append(nbformat.v4.new_output("stream", text=piece)))
    plant(hidden, lambda notebook: notebook.cells[1].metadata.update(note=piece))
    plant(exercise, lambda notebook: notebook.cells[1].outputs.append(nbformat.v4.new_output("stream", text=piece)))
    page = project / "docs" / "index.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\nIt ends in {piece[:3]}**{piece[3:]}**.\n", encoding="utf-8")
    found = leaks(bundle_of(project), made)
    for path in (said, printed, hidden, exercise):
        name = path.relative_to(project).as_posix()
        assert name in found
        assert (f"in-a-browser/{name}" in found) == (path in (said, hidden)), name  # Notebooks in a tab have no outputs.
        assert any(re.fullmatch(rf"site/notebooks/(.*/)?{path.name}", name) for name in found), path.name
    for path in (said, printed):
        assert {f"site/notebooks/{path.stem}.html", f"slides/{path.stem}.html"} <= found
    assert {f"site/notebooks/exercises/{exercise.stem}.html", "site/index.html", "site/search/search_index.json"} <= found
    assert not [name for name in found if hidden.stem in name and name.endswith(".html")]


# What a learner's own IPython may show: each value that is assigned, and the variables around an error.
SHOW_ALL = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(
    'get_ipython().ast_node_interactivity = "last_expr_or_assign"\n%xmode Verbose'
)])  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("kind", ["drop", "none"])
def test_no_piece_of_a_token_is_in_what_a_failing_run_leaves(witness, tmp_path, monkeypatch, kind):
    """Each call of the API fails. An error and its traceback are saved in the notebook, as every output is."""
    base_url, minted, _, _ = witness
    if kind != "none":
        monkeypatch.setattr(AccountTraffic, "next_fault", lambda self, method, path: Fault(kind, 1, 0, "none"))
    texts = {}
    with shared_kernel() as run:
        for path in (*NOTEBOOKS, *SOLUTIONS):
            notebook = without_outputs(nbformat.read(path, as_version=4))
            run(SHOW_ALL, tmp_path, {})
            with suppress(CellExecutionError):
                run(notebook, path.parent, learner_environment(base_url))
            texts[path.name] = nbformat.writes(notebook)
    assert leaks(texts, set().union(*map(pieces, minted))) == set()
    tokens_made, failed = len(minted), [name for name, text in texts.items() if '"traceback"' in text]
    assert tokens_made > 20 and (len(failed) > 3) == (kind != "none"), failed


def test_a_piece_is_found_with_tags_in_between():
    token = tokens.mint()
    piece = token[-8:-2]
    for text in (f"…{piece}", f"{piece[:2]}<b>{piece[2:]}</b>", f"<a title={piece}>"):
        assert leaks({"place": text, "another": "nothing"}, pieces(token)) == {"place"}
    assert leaks({"place": token[: len(tokens.PREFIX) + 5]}, pieces(token)) == set()


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """What lesson 8 has put into a project: `linked_is_token.py`, its function, and the arguments of its commit hook."""
    notebook = nbformat.read(ROOT / "notebooks" / "08-revoke-and-react-to-a-leak.ipynb", as_version=4)
    sources = [cell.source for cell in notebook.cells]
    code = {"folder": tmp_path}
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    exec(next(source for source in sources if "rule.write_text" in source), code)
    exec(next(source for source in sources if "def scan_history" in source).replace("\nscan_history(repository)", ""), code)
    settings = next(source for source in sources if "```yaml" in source).partition("```yaml\n")[2].partition("```")[0]
    return code["scan_history"], yaml.safe_load(settings)["repos"][0]["hooks"][0]["args"]


LINES = [
    'TOKEN = "{}"',
    "LINKED_IS_API_TOKEN={}",
    'curl -H "Authorization: Bearer {}" "$URL"',
    'answer=$(curl -H "Authorization: Bearer {}" "$URL/links?limit=f(1)")',
    'headers = {{"Authorization": f"Bearer {}"}}',
    'answer = requests.get(url, headers={{"Authorization": f"Bearer {}"}}, timeout=10)',
    'token = read("{}")',
    '    "!curl -H \\"Authorization: Bearer {}\\" http://127.0.0.1:8787/v1/links\\n",',
]


@pytest.mark.check
@pytest.mark.parametrize("line", LINES)
def test_the_hook_stops_each_line_with_a_token_and_lets_the_same_line_pass_without(line, lesson):
    _, arguments = lesson
    for name in ("script.py", "script.sh", "notebook.ipynb", "notes.md"):
        for token, verdict in ((tokens.mint(), 1), ("$TOKEN", 0), ("{token}", 0), ("<token>", 0)):
            with open(name, "w", encoding="utf-8") as file:
                file.write(f"{line.format(token)}\n")
            assert pre_commit_hook.main([*arguments, name]) == verdict, (name, token[:8])


@pytest.mark.check
def test_the_hook_knows_the_token_of_any_service_by_its_header(lesson):
    _, arguments = lesson
    Path("call.sh").write_text(f'curl -H "Authorization: Bearer {"madeUp0" * 6}" "$URL"\n', encoding="utf-8")
    assert pre_commit_hook.main([*arguments, "call.sh"]) == 1


@pytest.mark.check
def test_the_scan_finds_a_token_wherever_git_keeps_it(lesson, tmp_path, capsys):
    scan_history, _ = lesson
    repository = porcelain.init(tmp_path / "repository")
    you = {"author": b"You <you@example.com>", "committer": b"You <you@example.com>"}

    def write(name, content):
        path = tmp_path / "repository" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        porcelain.add(repository, [str(path)])

    token = tokens.mint().encode()
    write("picture.png", bytes(range(256)))
    write("folder/with token.py", token)
    porcelain.commit(repository, message=b"In a folder, beside a binary file", **you)
    write("notes.md", b"1: " + token)
    porcelain.commit(repository, message=b"To be amended", **you)
    write("notes.md", b"Clean")
    porcelain.commit(repository, message=b"Amended", amend=True, **you)
    first = porcelain.active_branch(repository)
    porcelain.branch_create(repository, "side")
    porcelain.checkout(repository, "side")
    write("side.md", b"2: " + token)
    porcelain.commit(repository, message=b"On another branch", **you)
    porcelain.checkout(repository, first)
    write("draft.md", b"3: \xff " + token)  # added, and in no commit
    scan_history(repository)
    repository.close()
    assert capsys.readouterr().out == "Versions of files: 6 | With a token: 4\n"
