"""The workshop in a box: agendas that add up, a guide that lacks no lesson, slides and a bundle that need no network."""

import importlib.util
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import zipfile
from io import StringIO
from itertools import pairwise
from types import SimpleNamespace

import pytest
import requests
from bs4 import BeautifulSoup
from dotenv import dotenv_values

from mock_server import tokens
from mock_server.envelope import ApiError
from tests.running import NOTEBOOKS, ROOT
from workshop import bundle, slides

PAGES = ROOT / "docs" / "workshop"


def load(path):
    """Import a hook, as MkDocs does: it's no part of a package."""
    spec = importlib.util.spec_from_file_location(path.stem + "_hook", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hook = load(ROOT / "docs" / "hooks" / "workshop.py")
COURSE = hook.read_course(ROOT / "notebooks")


def written(name, project=ROOT):
    """Return a page as the hook hands it to MkDocs."""
    page = SimpleNamespace(file=SimpleNamespace(src_uri=f"workshop/{name}"))
    config = SimpleNamespace(config_file_path=str(project / "mkdocs.yml"))
    return hook.on_page_markdown((PAGES / name).read_text(encoding="utf-8"), page, config, None)


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
        course = [hook.Lesson(one.file, one.slug, one.title, chance.randint(5, 50), one.goal) for one in COURSE]
        minutes = chance.randint(30, 400)
        blocks = hook.agenda(course, minutes)
        taken = [block.lesson for block in blocks if block.lesson]
        assert hook.length(blocks) == minutes
        assert taken == [lesson for lesson in course if lesson in taken]
        unbroken = 0
        for block in blocks:
            unbroken = 0 if block.name == "Break" else unbroken + (block.name not in ("Questions", "End")) * block.minutes
            assert unbroken <= hook.UNBROKEN
        for lesson in course:  # one that was left out has no room, or had to make room for what comes before it
            before = [one for one in taken if hook.priority(one) < hook.priority(lesson)]
            attempt = [one for one in course if one in before or one is lesson]
            assert lesson in taken or hook.length(hook.opening(attempt)) + hook.END > minutes


def test_an_agenda_changes_with_the_minutes_of_a_notebook(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    assert written("agendas.md", tmp_path) == written("agendas.md")
    path = next(path for path in (tmp_path / "notebooks").glob("*.ipynb") if "generate" in path.stem)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["linked_is"]["minutes"] += 1
    path.write_text(json.dumps(notebook), encoding="utf-8")
    before, after = (table(written("agendas.md", project), "2 hours") for project in (ROOT, tmp_path))
    [shorter], [longer] = ([int(row[1]) for row in rows if path.name in row[2]] for rows in (before, after))
    assert longer == shorter + 1 and sum(int(row[1]) for row in after[:-1]) == 120


def test_every_lesson_has_a_priority_of_its_own():
    assert sorted(map(hook.priority, COURSE)) == list(range(len(hook.PRIORITY)))


@pytest.mark.check
@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_a_page_names_only_lessons_that_are_there(page):
    assert hook.write((PAGES / page).read_text(encoding="utf-8"), COURSE)[1] == []
    assert "(lesson:" not in written(page)


@pytest.mark.check
def test_the_guide_has_an_entry_for_every_lesson():
    entries = hook.HEADING.findall((PAGES / "instructor-guide.md").read_text(encoding="utf-8"))
    assert entries == [lesson.slug for lesson in COURSE]


@pytest.mark.check
def test_the_guide_is_complete_and_points_at_headings_that_are_there():
    guide = written("instructor-guide.md")
    for path, lesson in zip(NOTEBOOKS, COURSE, strict=True):
        heading = f"{lesson.title} {{ #{lesson.slug} }}"
        entry = guide.partition(f"## {heading}\n")[2].partition("\n## ")[0]
        assert f"{lesson.minutes} minutes." in entry and all(f"**{part}:**" in entry for part in ("Goal", "Say", "Watch"))
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        headings = re.findall(r"(?m)^## (.+)", "\n".join("".join(cell["source"]) for cell in cells))
        rows = table(guide, heading)
        assert len(rows) >= 3 and {row[0] for row in rows} <= set(headings), {row[0] for row in rows} - set(headings)


def test_a_new_notebook_without_an_entry_fails_the_build(tmp_path, caplog):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    written("instructor-guide.md", tmp_path)
    assert caplog.messages == []
    shutil.copy(NOTEBOOKS[0], tmp_path / "notebooks" / "99-think-again.ipynb")
    written("instructor-guide.md", tmp_path)
    assert caplog.messages == ["Page 'workshop/instructor-guide.md' has no entry for 99-think-again.ipynb."]


@pytest.mark.check
def test_the_cheat_sheet_knows_each_401():
    sheet = (PAGES / "cheat-sheet.md").read_text(encoding="utf-8")
    codes = {error.code for error in ApiError.__subclasses__() if error.status == 401}
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", sheet)) == codes


def fragments(language):
    """Return the blocks of code on the cheat sheet in one language."""
    sheet = (PAGES / "cheat-sheet.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", sheet, re.MULTILINE | re.DOTALL)


def test_the_fragments_of_the_cheat_sheet_do_what_they_say(page, server):
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
    with socket.create_connection(tuple(host.split(":")), timeout=10) as connection:
        connection.sendall(sent.encode())
        assert connection.recv(15) == b"HTTP/1.1 200 OK"

    [settings] = fragments("text")
    kept = dotenv_values(ROOT / ".env.example")
    assert dotenv_values(stream=StringIO(settings)) == {**kept, "LINKED_IS_API_TOKEN": "<token>"}
    assert len(fragments(r"\w*")) == len(fragments("python")) + 2  # no block in a language that isn't run


@pytest.fixture(scope="session")
def decks(tmp_path_factory):
    """The slides of every notebook, far away from the project."""
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


def test_slides_ask_nobody_and_nothing_is_cut_off(screen, decks):
    assert len(decks) == len(NOTEBOOKS)
    for deck in decks:
        show(screen, deck)
        for number in range(screen.evaluate("Reveal.getTotalSlides()")):
            assert screen.evaluate("Reveal.getIndices().h") == number
            height, width, lowest = screen.evaluate(
                "() => { const slide = Reveal.getCurrentSlide(), shown = [...slide.children].filter(e => e.tagName != 'ASIDE');"
                "return [slide.scrollHeight, slide.scrollWidth, Math.max(...shown.map(e => e.getBoundingClientRect().bottom))] }"
            )
            assert height <= slides.HEIGHT and width <= slides.WIDTH and lowest <= slides.HEIGHT, f"{deck.name} {number}"
            screen.keyboard.press("ArrowRight")
    assert set(screen.asked) == {deck.as_uri() for deck in decks} and screen.errors == []


def test_slides_show_the_code_and_speak_the_prose(decks):
    for path, deck in zip(NOTEBOOKS, decks, strict=True):
        page = BeautifulSoup(deck.read_text(encoding="utf-8"), "html.parser")
        shown = [tag.get_text() for tag in page.select("section > pre")]
        said = " ".join(" ".join(tag.get_text() for tag in page.select("aside.notes")).split())
        headings = {tag.get_text() for tag in page.select("section > h1, section > h2")}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                assert source.rstrip() in shown
                for output in cell["outputs"]:
                    assert any("".join(output["text"]).rstrip() in text for text in shown)
            else:
                for block in slides.rendered(source).find_all(["h1", "h2", "p", "li"]):
                    text = " ".join(block.get_text().split())
                    assert text in (headings if block.name in ("h1", "h2") else said), text


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
RUN_A_NOTEBOOK = """
import subprocess, sys, nbformat
from nbclient import NotebookClient
server = subprocess.Popen([sys.executable, "-m", "mock_server"], stdout=subprocess.PIPE, text=True)
assert server.stdout.readline().startswith("Mock server ready.")
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=60).execute(cwd="notebooks")
print(notebook.cells[-2].outputs[0].text)
server.terminate()
"""


IN_A_NETWORK_OF_ITS_OWN = ["unshare", "--net", "--map-root-user"]
DEAD_PROXY = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="a network of its own needs Linux")
def test_a_bundle_installs_and_runs_with_the_network_off(tmp_path):
    system = next(iter(bundle.SYSTEMS))
    python = ".".join(map(str, sys.version_info[:2]))
    bundle.build(tmp_path / "bundle.zip", [bundle.Target(system, python)])
    with zipfile.ZipFile(tmp_path / "bundle.zip") as file:
        file.extractall(tmp_path)
    folder = tmp_path / bundle.NAME
    isolated = subprocess.run([*IN_A_NETWORK_OF_ITS_OWN, "true"], capture_output=True).returncode == 0
    prefix = [*IN_A_NETWORK_OF_ITS_OWN, sys.executable, "-c", OFFLINE] if isolated else []

    def offline(*command):
        clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {
            **clean,
            **DEAD_PROXY,
            "no_proxy": "127.0.0.1",
            "PIP_CONFIG_FILE": os.devnull,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run([*prefix, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    if isolated:
        assert "unreachable" in offline(sys.executable, "-c", CALL_OUT)
    # The lines of README.txt for Linux, as they stand there.
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^    (\S.+)", readme.partition("Linux and macOS")[2].partition("Windows, in")[0])
    assert commands[0].startswith("python3 -m venv") and len(commands) == 5
    offline(sys.executable, *commands[0].split()[1:])
    said = offline("sh", "-c", commands[1])
    assert "Looking in indexes" not in said and "Looking in links" in said and "Successfully installed" in said
    offline("sh", "-c", commands[2])
    assert offline("sh", "-c", f"{commands[3]} --help").startswith("usage: python -m mock_server")
    assert "--LabApp.default_url" in commands[4]
    offline("sh", "-c", commands[4].split(" --")[0] + " --version")
    first = commands[4].rpartition("=")[2].removeprefix("/lab/tree/")
    assert offline(".venv/bin/python", "-c", RUN_A_NOTEBOOK, first) == "You're ready.\n\n"
    for path in NOTEBOOKS:
        assert (folder / "slides" / f"{path.stem}.html").exists()
        assert (folder / "site" / "notebooks" / path.stem).with_suffix(".html").exists()
    assert (folder / "site" / "workshop" / "agendas.html").exists()
