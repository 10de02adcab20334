"""The workshop in a box: agendas that add up, a guide that lacks no lesson, slides and a bundle that need no network."""

import json
import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
import requests
from bs4 import BeautifulSoup
from dotenv import dotenv_values
from nbclient.exceptions import CellExecutionError
from playwright.sync_api import expect

from mock_server import tokens
from mock_server.envelope import ApiError
from publish import agendas, course
from publish.lessons import Lesson, read_course, read_exercises
from tools import static_site
from tools.debian import need
from tools.running import NOTEBOOKS, PATIENCE, ROOT, free_port, is_answered, learner_environment, make, run_notebook, wait_until
from tools.write_exercises import EXERCISES
from workshop import bundle, slides

PAGES = ROOT / "docs" / "workshop"


COURSE = read_course(ROOT / "notebooks")
WHOLE = sorted([*COURSE, *read_exercises(ROOT / "notebooks")], key=lambda one: (one.lesson_file, one.is_exercises))


def written(name, project=ROOT):
    """Return a page as the step hands it to MkDocs."""
    page = SimpleNamespace(file=SimpleNamespace(src_uri=f"workshop/{name}"), next_page=None)
    config = SimpleNamespace(config_file_path=str(project / "mkdocs.yml"))
    return course.write_course((PAGES / name).read_text(encoding="utf-8"), page, config, None)


def table(markdown, heading):
    """Return the rows of the table below a heading, each as a list of its cells."""
    part = markdown.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")][2:]


def minutes_of(clock):
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


@pytest.mark.parametrize(("heading", "minutes"), [("45 minutes", 45), ("2 hours", 120), ("Half a day", 240)])
def test_an_agenda_adds_up(heading, minutes):
    *rows, end = table(written("agendas.md"), heading)
    assert rows[0][0] == "9:00" and rows[0][2] == "Welcome" and rows[-1][2] == "End"
    assert sum(int(row[1]) for row in rows) == minutes and end[1] == f"{minutes} together"
    for row, following in pairwise([*rows, end]):
        assert minutes_of(following[0]) - minutes_of(row[0]) == int(row[1])


def test_an_agenda_follows_its_rule_whatever_the_minutes_are():
    chance = random.Random(7)
    for _ in range(300):
        lessons = [replace(one, minutes=chance.randint(5, 50)) for one in WHOLE]
        minutes = chance.randint(30, 400)
        blocks = agendas.agenda(lessons, minutes)
        taken = [block.lesson for block in blocks if block.lesson]
        assert agendas.length(blocks) == minutes
        assert taken == [lesson for lesson in lessons if lesson in taken]
        assert sum(block.minutes for block in blocks if block.name == "Free minutes") >= minutes / 10
        unbroken = 0
        for block in blocks:
            unbroken = 0 if block.name == "Break" else unbroken + (block.name not in ("Free minutes", "End")) * block.minutes
            assert unbroken <= agendas.UNBROKEN
        files = {one.file for one in taken}
        for lesson in lessons:  # one that was left out has no room, or had to make room for what comes before it
            before = [one for one in taken if one.priority < lesson.priority]
            attempt = [one for one in lessons if one in before or one is lesson]
            without_lesson = lesson.is_exercises and lesson.lesson_file not in files and "capstone" not in lesson.file
            full = agendas.length(agendas.opening(attempt)) + agendas.slack(minutes) + agendas.END > minutes
            assert lesson in taken or without_lesson or full
            assert not (lesson in taken and without_lesson)


def test_half_a_day_has_the_capstone_and_the_shortest_agenda_the_first_call():
    taken = {minutes: {block.name for block in agendas.agenda(WHOLE, minutes)} for minutes in (45, 240)}
    assert any("Capstone" in name for name in taken[240])
    assert "Generate a token" in taken[45]  # It ends in the first call of each learner's own.


def test_a_stop_point_is_as_late_as_the_free_minutes_let_it_be():
    rows = table(written("agendas.md"), "Half a day")
    stops = [(row[0], found[1]) for row in rows if (found := re.search(r"later than ([\d:]+), skip to \*(.+?)\*", row[3]))]
    assert len(stops) > 2 and {minutes_of(late) - minutes_of(planned) for planned, late in stops} == {24}


def test_an_agenda_changes_with_the_minutes_of_a_notebook(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    assert written("agendas.md", tmp_path) == written("agendas.md")
    path = next(path for path in (tmp_path / "notebooks").glob("*.ipynb") if "generate" in path.stem)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["linked_is"]["minutes"] -= 1
    path.write_text(json.dumps(notebook), encoding="utf-8")
    before, after = (table(written("agendas.md", project), "2 hours") for project in (ROOT, tmp_path))
    longer, shorter = (next(int(row[1]) for row in rows if path.name in row[2]) for rows in (before, after))
    assert longer == shorter + 1 and sum(int(row[1]) for row in after[:-1]) == 120


def test_no_two_parts_of_the_course_have_one_priority():
    given = [one.priority for one in WHOLE if one.priority < Lesson.priority]
    assert len(given) == len(set(given)) > 15


@pytest.mark.check
@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_a_page_names_only_lessons_that_are_there(page):
    assert course.write((PAGES / page).read_text(encoding="utf-8"), COURSE)[1] == []
    assert "(lesson:" not in written(page)


@pytest.mark.check
def test_the_guide_is_complete_and_points_at_headings_that_are_there():
    guide = written("instructor-guide.md")
    for path, lesson in zip(NOTEBOOKS, COURSE, strict=True):
        heading = f"{lesson.title} {{ #{lesson.slug} }}"
        entry = guide.partition(f"## {heading}\n")[2].partition("\n## ")[0]
        if not lesson.is_taught:
            continue
        assert f"{lesson.minutes} minutes." in entry and all(f"**{part}:**" in entry for part in ("Goal", "Say", "Watch"))
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        headings = re.findall(r"(?m)^## (.+)", "\n".join("".join(cell["source"]) for cell in cells))
        rows = table(guide, heading)
        named = [row[0] for row in rows] + re.findall(r"\*\*Short of time:\*\* stop after \*(.+)\*\.", entry)
        assert len(named) == len(rows) + 1 >= 4 and set(named) <= set(headings), set(named) - set(headings)
        told = [lesson.objectives, *lesson.questions, *lesson.key_points]
        assert len(lesson.questions) > 1 < len(lesson.key_points) and [one for one in told if not one or one not in entry] == []


@pytest.mark.check
def test_the_survey_asks_about_each_part_of_the_course():
    form = (PAGES / "feedback.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"(?m)^ ?(\d+)\. .+ 0   1   2$", form)]
    assert numbers == list(range(1, 11))


@pytest.mark.check
def test_who_leaves_a_class_has_the_settings_of_a_new_course():
    [settings] = re.findall(r"```text\n(.*?)```", (PAGES / "what-to-do-when.md").read_text(encoding="utf-8"), re.DOTALL)
    assert dotenv_values(stream=StringIO(settings)) == dotenv_values(ROOT / ".env.example")


@pytest.mark.check
def test_helpers_know_messages_that_the_guide_explains():
    explained = {row[0] for row in table(written("instructor-guide.md"), "What goes wrong everywhere")}
    known = [row[0] for row in table(written("helpers.md"), "The commonest messages")]
    assert len(known) == 10 and set(known) <= explained, set(known) - explained


@dataclass
class Mistake:
    """What a learner does wrong in a lesson, and the row of the guide that tells of it.

    It is a setting, or a cell: the one with this number under a heading is run so many ``times``, 0 leaves it out, or
    once more after the cells of another heading.
    """

    lesson: str
    row: str
    heading: str = ""
    number: int = 1
    times: int = 1
    again_after: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    def __str__(self):
        return f"{self.lesson}: {self.row}"

    def message(self):
        """Return what the guide says that the learner sees, as a regular expression."""
        guide = written("instructor-guide.md")
        everywhere = self.row.startswith("`")
        heading = "What goes wrong everywhere" if everywhere else re.search(rf"(?m)^## (.+{{ #{self.lesson} }})$", guide)[1]
        told = [row[not everywhere] for row in table(guide, heading) if row[0].startswith(self.row)]
        message, *_ = [found[1] for text in told if (found := re.search("`(.+?)`", text))]
        return re.escape(message).replace("\\ …", ".*").replace("…", ".*")

    def cells(self, notebook):
        """Return the cells of a notebook in the order in which the learner runs them."""
        order, heading, number, wrong = [], "", 0, None
        for cell in notebook.cells:
            if cell.cell_type == "markdown" and (found := re.search(r"(?m)^## (.+)", cell.source)):
                order += [wrong] * (heading == self.again_after and wrong is not None)
                heading, number = found[1], 0
            number += cell.cell_type == "code"
            chosen = cell.cell_type == "code" and (heading, number) == (self.heading, self.number)
            wrong = cell if chosen else wrong
            order += [cell] * (self.times if chosen else 1)
        assert len(order) != len(notebook.cells) or self.settings, "there is no such cell"
        return [nbformat.from_dict({**cell, "id": f"cell-{place}"}) for place, cell in enumerate(order)]

    def what_happens(self, folder, base_url):
        """Run the notebook with the mistake; return the error that stops it, or else what it printed."""
        for name in (".env.example", ".gitignore"):
            shutil.copy(ROOT / name, folder)
        [path] = [path for path in NOTEBOOKS if path.stem.endswith(self.lesson)]
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = self.cells(notebook)
        (folder / "notebooks").mkdir()
        nbformat.write(notebook, folder / "notebooks" / path.name)
        try:
            run = run_notebook(folder / "notebooks" / path.name, {**learner_environment(base_url), **self.settings})
        except CellExecutionError as error:
            return f"{error.ename}: {error.evalue}"
        return "".join(output.get("text", "") for cell in run.cells for output in cell.get("outputs", []))


NOBODY_LISTENS = {"LINKED_IS_BASE_URL": "http://127.0.0.1:9/v1"}
MISTAKES = [
    Mistake("start-here", "`MockServerNotRunning: No answer", settings=NOBODY_LISTENS),
    Mistake("generate-a-token", "`ClickYourself", settings={"LINKED_IS_BASE_URL": "https://api.linked.is/v1"}),
    Mistake("revoke-and-react-to-a-leak", "`PageError: The page lists 0", "Revoke one of them", times=2),
    Mistake("rotate-without-downtime", "`PageError: The page lists 2", "Step 1: generate the new token", times=2),
    Mistake("call-the-api", "`NameError`", "Make the first call", times=0),
    Mistake("load-it-from-dotenv", "Check the token that you pasted", settings={"LINKED_IS_API_TOKEN": ""}),
    Mistake("call-the-api", "Take the token from the environment", settings={"LINKED_IS_API_TOKEN": "“curly”"}),
    Mistake("call-the-api", "Make the first call", settings={"LINKED_IS_API_TOKEN": "lis_mock_short"}),
    Mistake("use-what-a-token-opens", "Create a link", "Create a link", times=2),
    Mistake("use-what-a-token-opens", "Open it as a visitor would", "Open it as a visitor would", again_after="Delete it"),
    Mistake("use-what-a-token-opens", "Chart them by country", "Chart the clicks over time", times=0),
    Mistake("read-authentication-errors", "Error 3", "Error 3: a token that was good once", number=2, times=0),
    Mistake("revoke-and-react-to-a-leak", "Revoke one of them", "Revoke one of them", times=2),
    Mistake("respect-rate-limits", "Use it up", "Use it up", number=2, times=2),
]


@pytest.mark.long
@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_leads_to_what_the_guide_says(mistake, server, tmp_path):
    assert re.search(mistake.message(), mistake.what_happens(tmp_path, server.base_url))


def test_a_new_notebook_without_an_entry_fails_the_build(tmp_path, caplog):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    written("instructor-guide.md", tmp_path)
    assert caplog.messages == []
    shutil.copy(NOTEBOOKS[0], tmp_path / "notebooks" / "99-think-again.ipynb")
    written("instructor-guide.md", tmp_path)
    assert caplog.messages == ["Page 'workshop/instructor-guide.md' has no entry `## think-again`."]


@pytest.mark.check
def test_the_cheat_sheet_knows_each_401():
    sheet = (PAGES / "cheat-sheet.md").read_text(encoding="utf-8")
    codes = {error.code for error in ApiError.__subclasses__() if error.status == 401}
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", sheet)) == codes


def windows_commands(text):
    """Return the lines for PowerShell in a page."""
    blocks = re.findall(r"```powershell\n(.*?)```", text, re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def course_commands(name):
    """Return the lines with which a page sets the course up and starts it on Windows: without those for the tests."""
    return [line for line in windows_commands((ROOT / name).read_text(encoding="utf-8")) if "test" not in line]


def bundled_commands(system):
    """Return the lines of the bundle's README.txt for a system."""
    parts = re.split(r"\n(.+)\n-+\n", bundle.readme(bundle.TARGETS))
    return re.findall(r"(?m)^    (\S.+)", parts[parts.index(system) + 1])


@pytest.mark.check
def test_windows_is_told_the_same_everywhere():
    offline = bundled_commands("Windows")
    assert course_commands("docs/quickstart.md") == offline == ["py lab.py"]
    assert course_commands("docs/workshop/before.md") == ["py lab.py --check", "py lab.py", "py lab.py --in-a-browser"]
    assert course_commands("README.md")[:1] == offline


@pytest.mark.check
def test_windows_is_told_the_same_as_linux():
    def on_linux(line):
        words = {"py ": "python3 ", ".venv\\Scripts\\python ": ".venv/bin/python "}
        start = next(start for start in words if line.startswith(start))
        return words[start] + line.removeprefix(start)

    windows = bundled_commands("Windows")
    assert list(map(on_linux, windows)) == bundled_commands("macOS") == bundled_commands("Linux")
    host = (PAGES / "index.md").read_text(encoding="utf-8")
    assert [on_linux(line) for line in windows_commands(host)] == re.findall(r"(?m)^\.venv/bin/python -m mock_server .+", host)


@pytest.mark.check
@pytest.mark.parametrize("name", ["README.md", "docs/quickstart.md", "docs/workshop/before.md", "docs/workshop/index.md"])
def test_windows_needs_no_script_and_nothing_on_the_path(name):
    lines = windows_commands((ROOT / name).read_text(encoding="utf-8"))
    plain = re.compile(r"(py|\.venv\\Scripts\\python) (-m [\w.]+|lab\.py)( [\w./=-]+|=|\\| \"not long\")*")
    assert lines and [line for line in lines if not plain.fullmatch(line)] == []


def fragments(language):
    """Return the blocks of code on the cheat sheet in one language."""
    sheet = (PAGES / "cheat-sheet.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", sheet, re.MULTILINE | re.DOTALL)


def test_the_fragments_of_the_cheat_sheet_do_what_they_say(page, server, tmp_path_factory):
    token = page.generate_token()
    names = {"requests": requests, "BASE_URL": server.base_url, "token": token}
    for fragment in fragments("python"):
        assert fragment.count("requests.") == fragment.count("timeout=10")
        exec(fragment, names)
    assert names["response"].status_code == 200 and len(names["response"].json()["data"]) == 5

    [request] = fragments("http")
    host = server.origin.removeprefix("http://")
    assert "Host: api.linked.is\n" in request and "<token>" in request
    sent = request.replace("api.linked.is", host).replace("<token>", token).replace("\n", "\r\n") + "\r\n"
    with socket.create_connection(tuple(host.split(":")), timeout=PATIENCE) as connection:
        connection.sendall(sent.encode())
        assert connection.recv(15) == b"HTTP/1.1 200 OK"

    [settings] = fragments("text")
    kept = dotenv_values(ROOT / ".env.example")
    assert dotenv_values(stream=StringIO(settings)) == {**kept, "LINKED_IS_API_TOKEN": "<token>"}
    assert len(fragments(r"\w*")) == len(fragments("python")) + 4  # no block in a language that isn't run

    if os.name == "nt":
        pytest.skip("CHEAT SHEET NOT RUN IN BASH: on Windows, bash may be that of another system")
    [command] = fragments("bash")
    folder = tmp_path_factory.mktemp("learner")
    (folder / ".env").write_text(f"LINKED_IS_API_TOKEN={token}\nLINKED_IS_BASE_URL={server.base_url}\n", encoding="utf-8")
    (folder / ".venv").symlink_to(sys.prefix)
    ended = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    assert len(json.loads(ended.stdout)["data"]) == 5, ended.stderr

    [windows] = fragments("powershell")  # python-dotenv's part of it is run
    asked = re.findall(r"(?m)^\$env:(\w+) = \.venv\\Scripts\\dotenv get (\w+)$", windows)
    for variable, name in asked:
        told = subprocess.run([".venv/bin/dotenv", "get", name], cwd=folder, capture_output=True, text=True)
        is_value = told.stdout == dotenv_values(folder / ".env")[name] + "\n"  # no token in a report
        assert (variable, is_value) == (name, True)
    sheet = (PAGES / "cheat-sheet.md").read_text(encoding="utf-8")
    assert len(asked) == 2 and f'tests: they run on Linux"\n\n```powershell\n{windows}' in sheet


@pytest.fixture(scope="session")
def decks(tmp_path_factory):
    """The slides of every notebook, far away from the project."""
    need("npm")
    with static_site.TAB:  # the build of the tab makes slides too, and fetches the same packages
        return slides.write(tmp_path_factory.mktemp("slides"))


@pytest.fixture
def screen(browser):
    """A projector: a page that knows which addresses it asked, and what went wrong on it."""
    page = browser.new_page(viewport={"width": slides.WIDTH, "height": slides.HEIGHT})
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    page.close()


def show(screen, deck):
    screen.goto(deck.as_uri())
    screen.wait_for_function("window.Reveal && Reveal.isReady()")


MEASURE = """() => {
  const slide = Reveal.getCurrentSlide(), shown = [...slide.children].filter(child => child.localName !== "aside")
  const texts = shown.flatMap(child => [child, ...child.querySelectorAll("*")])
  const sizes = texts.filter(tag => tag.innerText?.trim()).map(tag => parseFloat(getComputedStyle(tag).fontSize))
  return [slide.scrollHeight, slide.scrollWidth, Math.max(...shown.map(child => child.getBoundingClientRect().bottom)), Math.min(...sizes)]
}"""


@pytest.mark.long
def test_slides_ask_nobody_and_can_be_read_from_the_last_row(screen, decks):
    assert len(decks) == len(NOTEBOOKS)
    for deck in decks:
        show(screen, deck)
        for number in range(screen.evaluate("Reveal.getTotalSlides()")):
            screen.evaluate("number => Reveal.slide(number)", number)
            height, width, lowest, letters = screen.evaluate(MEASURE)
            assert height <= slides.HEIGHT and width <= slides.WIDTH and lowest <= slides.HEIGHT, f"{deck.name} {number}"
            assert letters >= 24, f"{deck.name} {number}"
    assert {url for url in screen.asked if not url.startswith("data:")} == {deck.as_uri() for deck in decks}
    assert screen.errors == []


def test_slides_show_the_code_and_speak_the_prose(decks):
    seen = set()
    for path, deck in zip(NOTEBOOKS, decks, strict=True):
        page = BeautifulSoup(deck.read_text(encoding="utf-8"), "html.parser")
        shown = "\n".join(tag.get_text() for tag in page.select("section > pre")).splitlines()
        said = " ".join(" ".join(tag.get_text() for tag in page.select("aside.notes")).split())
        headings = {tag.get_text() for tag in page.select("section > h1, section > h2")}
        pictures = 0
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                texts = [source, *("".join(output["text"]) for output in cell["outputs"])]
                lines = {line for text in texts for line in text.rstrip().splitlines() if line}
                assert source in seen or lines <= set(shown)
                seen.add(source)
            else:
                pictures += len(slides.PICTURE.findall(source))
                for block in slides.rendered(source).find_all(["h1", "h2", "p", "li"]):
                    text = " ".join(block.get_text().split())
                    assert text in (headings if block.name in ("h1", "h2") else said), text
        assert len(page.select("section > img[alt]")) == pictures
        has_exercises = (path.parent / "exercises" / path.name).exists()
        assert (page.select("section")[-1].h2.get_text() == "Exercises") == has_exercises
        assert page.select(".run-bar, script[src]") == []  # from a stick, nothing runs


def test_on_a_site_each_cell_runs_on_a_slide_after_those_before_it():
    known = set()
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        deck = "".join(slide.html(runs=True) for slide in slides.slides_of(notebook, None, known))
        bars = BeautifulSoup(deck, "html.parser").select(".run-bar")
        assert [bar.find_previous_sibling().code.get_text() for bar in bars] == cells
        known |= set(cells)


@pytest.mark.long
def test_an_output_is_shown_on_the_next_key(screen, decks):
    show(screen, decks[0])
    screen.evaluate("Reveal.slide(Reveal.getSlides().findIndex(slide => slide.querySelector('pre + .output')))")
    output = screen.locator("section.present .output")
    expect(output).to_be_hidden()
    screen.keyboard.press("ArrowRight")
    expect(output).to_be_visible()


@pytest.mark.long
def test_the_slides_as_a_pdf_have_a_page_for_each_key(screen, decks, tmp_path):
    deck = tmp_path / "deck.html"
    shutil.copy(decks[0], deck)
    with ThreadPoolExecutor() as thread:  # the browser of the tests has the loop of this one
        [pdf] = thread.submit(slides.print_to_pdf, [deck]).result()
    show(screen, decks[0])
    keys = screen.evaluate("Reveal.getTotalSlides() + document.querySelectorAll('.fragment').length")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) == keys > 5


@pytest.mark.long
def test_the_speaker_sees_the_notes(screen, decks):
    show(screen, decks[1])
    screen.keyboard.press("ArrowRight")
    said = screen.evaluate("Reveal.getCurrentSlide().querySelector('aside.notes').textContent")
    assert not screen.is_visible("section.present aside.notes") and len(said) > 50
    with screen.expect_popup() as popup:
        screen.keyboard.press("s")
    notes = "document.querySelector('.speaker-controls-notes .value').textContent"
    popup.value.wait_for_function(f"text => {notes}.includes(text)", arg=said[:40])


def test_a_bundle_with_a_token_is_refused(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "mine.ipynb").write_text("lis_mock_short")
    bundle.refuse_tokens(tmp_path)
    (tmp_path / "notebooks" / "mine.ipynb").write_text(f'"{tokens.mint()}"')
    with pytest.raises(bundle.BundleError, match="mine.ipynb holds a token"):
        bundle.refuse_tokens(tmp_path)


def test_what_starts_the_course_has_the_line_ends_and_rights_of_its_system(tmp_path):
    folder = tmp_path / "linked-is-workshop"
    folder.mkdir()
    bundle.write_starts(folder)
    for path in folder.iterdir():
        path.chmod(0o644)  # as on a disk that knows no rights
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "one.ipynb").touch()
    bundle.pack(folder, tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as file:
        packed = {entry.filename.rpartition("/")[2]: entry for entry in file.infolist()}
        assert packed.pop("one.ipynb").external_attr >> 16 & 0o111 == 0
        assert set(packed) == {"start-windows.bat", "start-macos.command", "start-linux.sh"}
        for name, entry in packed.items():
            lines = file.read(entry).decode("ascii").splitlines(keepends=True)
            assert {line.removesuffix("\n")[-1:] == "\r" for line in lines} == {name.endswith(".bat")}
            assert entry.create_system == 3 and entry.external_attr >> 16 & 0o111 == 0o111
    batch = (folder / "start-windows.bat").read_text(encoding="ascii")
    assert set(re.findall(r"goto (\w+)", batch)) <= set(re.findall(r"(?m)^:(\w+)", batch))


NEW, OLD = 0, 1  # what a Python says when it is asked whether it is new enough


@pytest.mark.skipif(sys.platform == "win32", reason="there is no sh")
@pytest.mark.parametrize(
    ("pythons", "said"),
    [
        ({"python3": NEW, "python3.12": NEW}, "python3 lab.py --port 8788"),
        ({"python3": OLD, "python3.12": NEW}, "python3.12 lab.py --port 8788"),
        ({"python3": OLD}, "python3 lab.py --port 8788"),  # lab.py says what is wrong
        ({}, "https://www.python.org/downloads/"),
        (None, "Unpack the whole zip"),
    ],
    ids=["new", "another is new", "old", "none", "not unpacked"],
)
def test_what_starts_the_course_finds_a_python_or_says_what_to_do(pythons, said, tmp_path):
    folder, programs = tmp_path / "Kurs für Ümläute (1) & mehr", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    bundle.write_starts(folder)
    (programs / "dirname").symlink_to(shutil.which("dirname"))
    for name, answer in (pythons or {}).items():
        asked = f'if [ "$1" != -c ]; then echo {name} "$@"; ls "$1"; elif [ -n "$2" ]; then exit {answer}; fi'
        (programs / name).write_text(f"#!/bin/sh\nPATH={os.defpath}\n{asked}\n")
        (programs / name).chmod(0o755)
    if pythons is not None:
        (folder / "lab.py").touch()
    command = ["/bin/sh", str(folder / "start-linux.sh"), "--port", "8788"]
    started = subprocess.run(command, cwd=tmp_path, env={"PATH": str(programs)}, stdin=subprocess.DEVNULL, capture_output=True)
    assert said in started.stdout.decode() and started.returncode == (0 if pythons else 1), started


# Brings the loopback interface of its own network up, then runs what follows. There is no other interface.
OFFLINE = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
os.execvp(sys.argv[1], sys.argv[1:])
"""
CALL_OUT = """
import socket
try:
    socket.create_connection(("192.0.2.1", 443), 5)
except OSError as error:
    print(error)
"""
# Hosts a class as the page says, puts what is on the wall into .env, and runs notebooks as a learner who has an answer.
JOIN_A_CLASS = """
import re, subprocess, sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

page = Path("docs/workshop/index.md").read_text(encoding="utf-8")
command = re.search(r"(?m)^\\.venv/bin/python -m mock_server .*--class.*", page)[0]
wall = re.search(r"(?m)^LINKED_IS_BASE_URL=.*\\nLINKED_IS_CLASS_CODE=.*\\nLINKED_IS_LEARNER=.*", page)[0]
wall = wall.replace("<your address>", "127.0.0.1").replace("<your name>", "Ada")
settings = Path(".env").read_text(encoding="utf-8")
assert "\\nLINKED_IS_BASE_URL=http://127.0.0.1:8787/v1\\n" in settings and "\\n# LINKED_IS_CLASS_CODE=\\n" in settings
Path(".env").write_text(re.sub(r"(?m)^#? ?LINKED_IS_(BASE_URL|CLASS_CODE|LEARNER)=.*\\n", "", settings) + wall, encoding="utf-8")
server = subprocess.Popen(command.split(), stdout=subprocess.PIPE, text=True)
assert server.stdout.readline().startswith("Mock server ready.")
for path in map(Path, sys.argv[1:]):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        answer = "token = settings_page.generate_token(name='Exercise', lifetime='30 days')"
        cell.source = cell.source.replace("token = ...", answer)
    NotebookClient(notebook, timeout=60).execute(cwd=path.parent)
    for cell in notebook.cells:
        print(*[output.get("text", "") for output in cell.get("outputs", [])], end="")
server.terminate()
"""


IN_A_NETWORK_OF_ITS_OWN = ["unshare", "--net", "--map-root-user"]
DEAD_PROXY = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")


@pytest.fixture
def tab_alone(monkeypatch):
    """Let nobody else build the tab while the bundle does."""
    need("npm")
    build_tab = bundle.build_tab

    def alone(folder):
        with static_site.TAB:
            build_tab(folder)

    monkeypatch.setattr(bundle, "build_tab", alone)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="a network of its own needs Linux")
def test_a_bundle_installs_and_runs_with_the_network_off(tmp_path):
    system = next(iter(bundle.SYSTEMS))
    python = ".".join(map(str, sys.version_info[:2]))
    options = shlex.join([str(tmp_path / "bundle.zip"), "--system", "Linux", "--python", python])
    with static_site.TAB:
        made = subprocess.run(make("workshop", f"WORKSHOP_OPTIONS={options}"), cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0 and "bundle.zip: " in made.stdout.splitlines()[-1], made.stdout + made.stderr
    room = tmp_path / "Kurs für Ümläute (1)"

    def unpack():
        """Unpack the zip as people do: who runs a file afterwards finds the rights that the zip names."""
        with zipfile.ZipFile(tmp_path / "bundle.zip") as file:
            for entry in file.infolist():
                Path(file.extract(entry, room)).chmod(entry.external_attr >> 16)

    unpack()
    folder = room / bundle.NAME
    isolated = subprocess.run([*IN_A_NETWORK_OF_ITS_OWN, "true"], capture_output=True).returncode == 0
    prefix = [*IN_A_NETWORK_OF_ITS_OWN, sys.executable, "-c", OFFLINE] if isolated else []

    def offline(*command):
        clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {
            **clean,
            "PATH": f"{sys.base_prefix}/bin:{clean['PATH']}",  # the Python that the environment of the tests was made with
            **DEAD_PROXY,
            "no_proxy": "127.0.0.1",
            "PIP_CONFIG_FILE": os.devnull,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run([*prefix, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0 and "BackendWarning" not in done.stderr, done.stdout + done.stderr
        return done.stdout

    if isolated:
        assert "unreachable" in offline(sys.executable, "-c", CALL_OUT)
    assert (folder / "README.txt").read_text(encoding="utf-8") == bundle.readme([bundle.Target(system, python)])
    assert offline("./start-linux.sh", "--check").splitlines()[-1].startswith("Ready.")
    unpack()
    lessons = [f"notebooks/{NOTEBOOKS[0].name}", f"notebooks/{NOTEBOOKS[1].name}", f"notebooks/exercises/{NOTEBOOKS[1].name}"]
    said = offline(".venv/bin/python", "-c", JOIN_A_CLASS, *lessons)
    for sentence in ("You're ready.\n", "The page showed a token: True\n", "Links in this account: 5\n", "Right: it is active, "):
        assert sentence in said
    for path in NOTEBOOKS:
        assert (folder / "slides" / f"{path.stem}.html").exists()
        assert (folder / "site" / "notebooks" / path.stem).with_suffix(".html").exists()
    assert (folder / "site" / "workshop" / "agendas.html").exists()
    taken = {path.relative_to(folder / "notebooks").as_posix() for path in (folder / "notebooks").rglob("*") if path.is_file()}
    assert {f"exercises/{path.name}" for path in EXERCISES} < taken
    assert not [name for name in taken if "checkpoint" in name or name.endswith((".env", ".db"))]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as it lies in a bundle."""
    need("npm")
    folder = tmp_path_factory.mktemp("bundle") / "site"
    with static_site.TAB:
        bundle.build_site(folder)
    return folder


@contextmanager
def served(folder):
    """Serve a folder by ``python -m http.server``, and return its address."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: is_answered(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture(params=["double click", "python -m http.server"])
def address(request, site):
    """Where a learner opens the site: as a file, or from a server of their own."""
    with nullcontext(site.as_uri()) if request.param == "double click" else served(site) as address:
        yield address


@pytest.mark.long
def test_the_site_of_a_bundle_is_read_without_a_network(screen, address):
    screen.on("console", lambda message: screen.errors.append(message.text) if message.type == "error" else None)
    screen.goto(f"{address}/index.html")
    screen.get_by_role("navigation", name="Tabs").get_by_role("link", name="Teach").click()
    screen.get_by_role("article").get_by_role("link", name="Instructor guide").click()
    screen.get_by_role("link", name="Start here").last.click()
    screen.get_by_role("heading", name="Run your first cell").wait_for()
    assert screen.url == f"{address}/notebooks/{NOTEBOOKS[0].stem}.html"
    screen.locator(".question").first.get_by_role("radio").last.check()
    screen.get_by_role("article").get_by_role("link", name="Review").click()
    missed = screen.locator(".review .question").first  # Browsers keep it for files too.
    missed.get_by_role("radio").first.check()
    screen.keyboard.press("/")
    screen.keyboard.type("TOKEN_EXPIRED")
    screen.locator(".md-search-result__link").first.click()
    screen.wait_for_url(lambda url: url.partition("?")[0] == f"{address}/reference/errors.html")
    assert all(url.startswith(f"{address}/") or url == "about:blank" for url in screen.asked)
    assert screen.errors == []


@pytest.mark.long
@pytest.mark.usefixtures("tab_alone")
def test_who_cannot_install_runs_the_course_in_a_browser(screen, tmp_path):
    folder, port = tmp_path / "Kurs für Ümläute (1)", free_port()
    bundle.build_tab(folder / "in-a-browser")
    shutil.copy(ROOT / "lab.py", folder)
    [command] = re.findall(r"(?m)^    python3 (.+ --in-a-browser)$", bundle.readme(bundle.TARGETS))
    command = [f"{sys.base_prefix}/bin/python3", *command.split(), "--no-browser", "--port", str(port)]
    program = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://\S+", program.stderr.readline())[0]
        wait_until(lambda: is_answered(port))
        screen.goto(address)
        screen.get_by_role("button", name=re.compile("^Run cell")).last.click()
        screen.locator(".run-bar").last.get_by_text("Your output, just now.").wait_for(timeout=1000 * PATIENCE)
        screen.goto(urljoin(address, "/workshop/instructor-guide/"))
        screen.get_by_role("link", name="Show its slides").nth(3).click()
        screen.wait_for_function("window.Reveal && Reveal.isReady()")
        screen.evaluate("Reveal.slide(Reveal.getSlides().findLastIndex(slide => slide.querySelector(':scope > .run-bar')))")
        slide = screen.locator("section.present")
        recorded = slide.locator(".output").text_content()
        screen.keyboard.press("r")
        expect(slide.locator(".cell-output--mine")).to_have_text(recorded, timeout=1000 * PATIENCE)
        expect(slide.locator(".output")).to_be_hidden()
        assert screen.errors == []
        assert {urlsplit(url).netloc for url in screen.asked if url.startswith("http")} == {urlsplit(address).netloc}
    finally:
        program.terminate()
        program.communicate()


@pytest.mark.long
def test_every_link_of_a_bundles_site_names_a_file(site):
    links = 0
    for path in site.rglob("*.html"):
        for tag in BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").select("a[href], link[href], [src]"):
            parts = urlsplit(tag.get("href") or tag.get("src"))
            if path.name == "404.html" or parts.scheme or parts.netloc or not parts.path:
                continue
            links += 1
            assert (path.parent / unquote(parts.path)).is_file(), f"{path.name}: {parts.path}"
    assert links > 1000


@pytest.mark.long
@pytest.mark.parametrize(("page", "sides"), [("cheat-sheet", 1), ("feedback", 1), ("helpers", 2)])
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_on_one_sheet(screen, site, page, sides, paper):
    screen.goto((site / "workshop" / f"{page}.html").as_uri())
    assert len(re.findall(rb"/Type\s*/Page\b", screen.pdf(format=paper))) == sides
