"""Texts fit the place where they are read: each menu entry, button, command and file that a text names is there.

A text is read in more than one place. What isn't in each of them stands in a paragraph that says where, in words of
``says_where`` in ``words.yaml``. In the first paragraph of a section or a page, these words hold for all of it.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from urllib.parse import urljoin

import nbformat
import pytest
import requests
from bs4 import BeautifulSoup, SoupStrainer, Tag
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from markdown import Markdown
from nbformat.v4 import new_code_cell, new_output
from playwright.sync_api import FrameLocator, Locator, Page, Response, expect
from traitlets.config import Config, PyFileConfigLoader

import browser.build
import lab
from tools.application import Application
from tools.running import PATIENCE, ROOT, MockServer, run_async, wait_until
from tools.texts import DOCUMENTS, RULES, complain, markdown
from workshop import bundle

CLONE, ZIP, HUB, TAB, SITE = "a clone", "the zip", "a hub", "a tab", "a site that needs no installation"
# The menu entries and the site's buttons that texts name. The long tests look for them.
IN_A_TAB = {
    "Kernel > Restart Kernel and Run up to Selected Cell…",
    "Run > Run All Above Selected Cell",  # the kernel says it
}
IN_JUPYTERLAB = {*IN_A_TAB, "Kernel > Interrupt Kernel", "File > New > Terminal", "File > New Launcher", "File > Open from Path…"}
ON_A_SITE = {"Run", "Edit", "open it in JupyterLab", "Settings > API and .env"}

COMMAND = re.compile(
    r"(?<![\w./-])(?:(?:py|python3?) lab\.py|(?:make|git|pip|pre-commit) [a-z][\w-]*|\.venv[/\\]\S+|-m [a-z][\w.]*)"
)
MODULES = {"mock_server", "workshop", "tests", "tools", "publish", "bench", "browser"}
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"dist", "site"}  # tasks make those two


READER = Markdown(
    extensions=["admonition", "md_in_html", "pymdownx.superfences", "pymdownx.tabbed", "tables"],
    extension_configs={"pymdownx.tabbed": {"alternate_style": True}},
)


@cache
def page_of(text: str) -> BeautifulSoup:
    """Return Markdown as HTML."""
    return BeautifulSoup(READER.reset().convert(text), "html.parser")


def named(page: Tag) -> Iterator[tuple[Tag, str]]:
    """Yield what a page names, each with its element: menu entries and buttons are bold, commands and files are code."""
    for words in page.find_all(string=re.compile(r"\b(press|click) (a|the|this) (button|link)\b")):
        yield words.parent, "a button without its name"
    for tag in page.find_all(["strong", "code"]):
        text, before = tag.get_text(), str(tag.previous_sibling)
        if tag.name == "code":
            yield from ((tag, command) for command in COMMAND.findall(re.sub("#.*", "", text)))  # without comments
            if re.fullmatch(r"[\w.-]+/[\w.*/-]+", text) and text.partition("/")[0] in FOLDERS:
                yield tag, text
        elif " > " in text or (re.search(r"\b(click|press|button),? $", before, re.IGNORECASE) and "+" not in text):
            yield tag, text


def said_where(tag: Tag, page: Tag) -> list[set[str]]:
    """Return the places that the words around an element speak of: in its paragraph, or before the code that it is in,
    in the heading above it, and where its section and its page begin."""
    block, heading = tag.find_parent("pre"), tag.find_previous(["h2", "h3"])
    paragraph = block.find_previous("p") if block else tag.find_parent(["p", "li", "tr", "summary"])
    around = [paragraph, heading, heading and heading.find_next("p"), page.find("p")]
    words = "\n".join(one.get_text() for one in around if one)
    return [set(places) for phrase, places in RULES["says_where"].items() if re.search(rf"\b({phrase})\b", words, re.IGNORECASE)]


def is_there(thing: str, place: str, folder: Path, buttons: set[str]) -> bool:
    """Tell whether a thing is in a place, whose files are in the folder. The buttons are those of Settings > API."""
    program, _, rest = thing.partition(" ")
    if " > " in thing:
        return place != SITE and thing in (IN_A_TAB if place == TAB else IN_JUPYTERLAB)
    if program == "make":
        return place == CLONE and rest in re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
    if program == "git" or thing.startswith(".venv"):
        return place in ({CLONE} if program == "git" else {CLONE, ZIP})
    if program in ("pip", "pre-commit"):
        return place in (CLONE, HUB)
    if program in ("py", "python", "python3"):
        return place not in (TAB, SITE) and (folder / rest).is_file()
    if program == "-m":
        ours = rest.partition(".")[0] in MODULES
        return place not in (TAB, SITE) and (not ours or any(folder.glob(f"{rest.replace('.', '/')}*")))
    if "/" in thing:
        return any(folder.glob(thing.rstrip("/")))
    return thing in buttons | {TAB: shell_buttons(), SITE: ON_A_SITE}.get(place, set())


def missing(page: Tag, place: str, folder: Path, buttons: set[str]) -> list[str]:
    """Return what a page names that isn't where the page is read, nor in the places that the page speaks of."""
    folders = {place: folder, CLONE: ROOT, HUB: ROOT}
    return [
        thing
        for tag, thing in named(page)
        if not any(
            all(is_there(thing, one, folders.get(one, folder), buttons) for one in places)
            for places in [{place}, *said_where(tag, page)]
        )
    ]


def line_of(thing: str, path: Path) -> int:
    """Return the first line of a file that names a thing."""
    lines = markdown(path).split("\n") if path.exists() else []
    return next((number for number, line in enumerate(lines, 1) if thing in line), 1)


def shell_buttons() -> set[str]:
    """Return the buttons of the frame around a notebook in a tab."""
    frame = BeautifulSoup((ROOT / "browser" / "shell" / "index.html").read_text(encoding="utf-8"), "html.parser")
    return {button.get_text() for button in frame.select("button")}


@pytest.fixture(scope="module")
def buttons() -> set[str]:
    """The buttons of Settings > API, from the first page that a learner sees to the last."""
    client = Application().client()
    pages = []

    def open_page(path, form=None):
        answer = client.get(path) if form is None else client.post(path, data=form)
        pages.append(BeautifulSoup(answer.text, "html.parser"))
        return {field["name"]: field["value"] for field in pages[-1].select("input[type=hidden]")}

    open_page("/login")
    form = open_page("/signup")
    form = open_page("/signup", {**form, "email": "learner@example.com", "password": "correct horse battery"})
    form = open_page("/settings/api/tokens", {**form, "name": "Mine", "lifetime": "never"})
    open_page(pages[-1].select_one("a.danger")["href"])
    for unseen in [tag for page in pages for tag in page.select(".unseen")]:
        unseen.decompose()
    return {tag.get_text(strip=True) for page in pages for tag in page.select("button, a.button")}


def contents(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[Path]]:
    """Return the folder of a place with its files, and the texts that are read there."""
    if place == CLONE:
        return ROOT, DOCUMENTS
    if place == HUB:
        return ROOT, [path for path in DOCUMENTS if path.suffix == ".ipynb"]
    if place == ZIP:
        bundle.copy_contents(folder)
    else:
        monkeypatch.setattr(browser.build, "BUILD", folder)
        browser.build.make_contents()
        folder /= "contents"
    return folder, sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".ipynb"))


@pytest.mark.check
@pytest.mark.parametrize("place", [CLONE, ZIP, HUB, TAB])
def test_what_a_text_names_is_where_it_is_read(place, tmp_path, monkeypatch, buttons):
    folder, texts = contents(place, tmp_path, monkeypatch)
    assert len(texts) > 20
    complain(
        f"{path.relative_to(folder)}:{line_of(thing, ROOT / path.relative_to(folder))}: {place} doesn't have “{thing}”: "
        f"correct it, or say in its paragraph where it is, in words of `says_where` in words.yaml"
        for path in texts
        for thing in missing(page_of(markdown(path)), place, folder, buttons)
    )
    pictures = [path.parent / picture["src"] for path in texts for picture in page_of(markdown(path)).find_all("img")]
    assert pictures and [picture for picture in pictures if not picture.exists()] == []


def test_what_the_site_names_is_there(site, tmp_path, buttons):
    """The site is in the zip too: once with the tab, once without."""
    bundle.copy_contents(tmp_path)
    found, clicked = {}, set()
    for path in site.rglob("*.html"):
        name = path.relative_to(site).as_posix()
        if not name.startswith(("lab/", "tab/")):
            page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml", parse_only=SoupStrainer("article"))
            empty = [text.get_text() for text in page.find_all("p") if announces_nothing(text)]
            found[name] = missing(page, ZIP, tmp_path, buttons) + empty
            clicked |= {button.get_text() for button in page.select(".run-here :is(a, button), .run-bar button")}
    assert len(found) > 50 and {name: things for name, things in found.items() if things} == {}
    assert clicked == (ON_A_SITE if (site / "tab").exists() else set())


def announces_nothing(paragraph: Tag) -> bool:
    """Tell whether a paragraph ends in a colon with nothing behind it."""
    follows = paragraph.find_next_sibling()
    return paragraph.get_text().endswith(":") and (follows is None or re.match(r"h\d", follows.name) is not None)


@pytest.mark.check
@pytest.mark.parametrize(
    ("text", "place", "missed"),
    [
        ("Type `make lab`.", CLONE, []),
        ("Type `make lab`.", ZIP, ["make lab"]),
        ("In a clone, type `make lab`.", ZIP, []),
        ("In a clone, type `make nothing`.", ZIP, ["make nothing"]),
        ("Do it.\n\nIn a clone:\n\n```bash\nmake lab\n```\n\nThen:\n\n```bash\ngit diff\n```", ZIP, ["git diff"]),
        ("# One\n\nAll of it is in a clone.\n\n## Two\n\nType `git diff`.", ZIP, []),
        ("- `docs/no-such.md`\n- `python -m tests.nothing`", CLONE, ["docs/no-such.md", "-m tests.nothing"]),
        ("Choose **File > Open from Path…**.", TAB, ["File > Open from Path…"]),
        ("In JupyterLab, choose **File > Open from Path…**.", TAB, []),
        ("In JupyterLab, choose **File > Open**.", CLONE, ["File > Open"]),
        ("Click **Copy**, then press **Start over**.", HUB, ["Start over"]),
        ("In a browser tab, press **Start over**.", HUB, []),
        ("Click **open it in JupyterLab**.", ZIP, ["open it in JupyterLab"]),
        ("Or press a button.", CLONE, ["a button without its name"]),
    ],
)
def test_what_is_not_there_is_found(text, place, missed, buttons):
    assert missing(page_of(text), place, ROOT, buttons) == missed


def choose(window: Page | FrameLocator, entry: str) -> Locator:
    """Open the menus of JupyterLab that lead to an entry, and return it."""
    for _ in entry.split(" > "):
        window.locator("body").press("Escape")  # what was open before
    menu, *others = entry.split(" > ")
    window.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{menu}$")).click()
    for name in others:
        item = window.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{re.escape(name)}$")).last
        item.hover()  # opens the menu behind it
    return item


@pytest.fixture
def class_server() -> Iterator[MockServer]:
    with MockServer("--class", "blue-whale") as server:
        yield server


@pytest.fixture
def jupyterlab(browser, tmp_path, class_server) -> Iterator[Page]:
    """JupyterLab with the first notebook, started as `make lab` starts it, for a learner in a class."""
    for folder in ("notebooks", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    options = [option.replace(f"_dir={ROOT}", f"_dir={tmp_path}") for option in lab.JUPYTERLAB]
    command = [sys.executable, "-m", "jupyterlab", *options, "--allow-root"]
    settings = {"BASE_URL": class_server.base_url, "CLASS_CODE": "blue-whale", "LEARNER": "Ada"}
    environment = {**os.environ, "HOME": str(tmp_path / "home")} | {
        f"LINKED_IS_{name}": value for name, value in settings.items()
    }
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen([*command, "--no-browser", "--port=0"], cwd=tmp_path, env=environment, stderr=file)
    printed, page = partial(log.read_text, encoding="utf-8"), browser.new_page()
    try:
        wait_until(lambda: re.search(r"http://127\S+\n", printed()) or process.poll() is not None, printed)  # the whole address
        page.goto(re.search(r"http://127\S+", printed())[0])
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=1000 * PATIENCE)
        yield page
    finally:
        page.close()
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.long
def test_jupyterlab_has_the_menus_that_texts_name_asks_nothing_shows_pages_and_keeps_one_env(jupyterlab, tmp_path, class_server):
    for entry in IN_JUPYTERLAB:
        choose(jupyterlab, entry)
    choose(jupyterlab, "Run > Run All Cells").click()
    jupyterlab.locator(".jp-OutputArea-output", has_text="You're ready.").wait_for(timeout=1000 * PATIENCE)
    told = requests.get(f"{class_server.origin}/_mock/class", {"as": "csv"}, timeout=PATIENCE).text
    [row] = csv.DictReader(io.StringIO(told))  # JupyterLab tells which notebook it is
    assert (row["Learner"], row["Lesson"], row["Step"]) == ("Ada", "Start here", "Call the API without a token")
    settings = jupyterlab.request.get(
        urljoin(jupyterlab.url, "/lab/api/settings/@jupyterlab/apputils-extension:notification")
    ).json()
    defaults = {name: field["default"] for name, field in settings["schema"]["properties"].items()}
    assert defaults["fetchNews"] == "false"  # "none" asks
    jupyterlab.locator(".jp-Notebook").get_by_role("link", name="status", exact=True).click()
    read = jupyterlab.locator(".jp-MarkdownViewer").get_by_role("heading", name="Status")
    expect(read).to_be_in_viewport(timeout=1000 * PATIENCE)
    save_env(jupyterlab, tmp_path)
    wait_until(
        lambda: list((tmp_path / ".jupyter" / "workspaces").glob("*")), lambda: "no tabs are kept in the folder of the course"
    )


def save_env(page: Page, folder: Path) -> None:
    """Open `.env` in JupyterLab as the second notebook says, save it, and see that no copy of it is in the folder."""

    def asks_for_a_copy(answer: Response) -> bool:
        return ".env/checkpoints" in answer.url and answer.request.method == "POST"

    with page.expect_response(asks_for_a_copy):
        open_env(page)
    with page.expect_response(asks_for_a_copy):
        page.locator(".cm-content", has_text="LINKED_IS_API_TOKEN=").press_sequentially("# A note of mine\n")
        page.keyboard.press("ControlOrMeta+s")
    saved = (folder / ".env").read_bytes()
    copies = [path.name for path in folder.rglob("*") if path.is_file() and path.read_bytes() == saved]
    assert b"A note of mine" in saved and copies == [".env"]


@pytest.mark.check
def test_no_command_overwrites_an_env_that_is_there():
    texts = "\n".join([bundle.README, *map(markdown, DOCUMENTS)])
    copies = re.findall(r"(?m)^.*\b(?:cp|copy|install) .*\.env\.example .*\.env\b.*$", texts)
    assert copies and [copy for copy in copies if not re.search(r"-e (~/)?\.env|Test-Path \.env", copy)] == []


@pytest.mark.check
def test_no_command_runs_env_as_a_program():
    """An error of the shell can print a token."""
    texts = "\n".join([bundle.README, *map(markdown, DOCUMENTS)])
    assert re.findall(r"(?m)^.*(?:^|[\s(;])(?:\.|source) \S*\.env\b.*$", texts) == []


@pytest.mark.check
def test_no_command_needs_an_environment_that_somebody_has_activated():
    texts = "\n".join([bundle.README, *map(markdown, DOCUMENTS)])
    assert re.findall(rf"(?m)^\s*python3? -m (?:{'|'.join(MODULES)})\b.*$", texts) == []


@pytest.fixture
def config(monkeypatch) -> Config:
    """The kit's settings for Jupyter, which also change the environment."""
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")
    return PyFileConfigLoader("jupyter_server_config.py", path=str(ROOT)).load_config()


@pytest.mark.check
def test_jupyter_keeps_copies_of_notebooks_only(config, tmp_path):
    async def save(config: Config) -> list[str]:
        contents = AsyncLargeFileManager(root_dir=str(tmp_path), config=config)
        for name in (".env", "a.ipynb"):
            await contents.create_checkpoint((await contents.new(path=name))["path"])
        return sorted(path.name for path in tmp_path.glob("*/*"))

    # Without the kit's settings Jupyter keeps both; with them it also takes back what it kept.
    without = Config({"ContentsManager": {"allow_hidden": True}})
    assert run_async(save(without)) == [".env-checkpoint", "a-checkpoint.ipynb"]
    assert run_async(save(config)) == ["a-checkpoint.ipynb"]


@pytest.mark.check
def test_a_lesson_opens_without_outputs_and_keeps_those_of_a_learner(config, tmp_path):
    path = "notebooks/01-start-here.ipynb"

    def outputs(model: dict) -> list:
        return [output for cell in model["content"].cells for output in cell.get("outputs", [])]

    async def open_run_and_load_again() -> tuple[list, list, str]:
        copy = tmp_path / path
        contents = config.ServerApp.contents_manager_class(root_dir=str(tmp_path), config=config)
        before = copy.read_bytes()
        model = await contents.get(path)
        assert copy.read_bytes() == before
        opened = outputs(model)
        mine = new_code_cell("1", outputs=[new_output("stream", text="1")], execution_count=1)
        model["content"].cells += [mine, new_code_cell("")]  # as after Shift+Enter on the last one
        await contents.save(model, path)
        again = await contents.get(path)
        return opened, outputs(again), again["content"].cells[-1].source

    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    opened, run, last = run_async(open_run_and_load_again())
    assert outputs({"content": nbformat.read(ROOT / path, as_version=4)})
    assert opened == [] and [output["text"] for output in run] == ["1"] and last == "1"


@pytest.mark.long
def test_a_kernel_that_was_restarted_in_the_middle_says_which_cells_to_run(config, tmp_path):
    async def run_after_a_restart(source: str) -> list[dict]:
        said: list[dict] = []
        kernels = config.ServerApp.kernel_manager_class(config=config, root_dir=str(tmp_path))
        kernel_id = await kernels.start_kernel()
        client = kernels.get_kernel(kernel_id).client()
        client.start_channels()
        await client.wait_for_ready(PATIENCE)
        await kernels.restart_kernel(kernel_id)
        await client.wait_for_ready(PATIENCE)
        await client.execute_interactive(source, output_hook=lambda message: said.append(message["content"]), timeout=PATIENCE)
        client.stop_channels()
        await kernels.shutdown_kernel(kernel_id)
        return said

    said = run_async(run_after_a_restart("settings_page.tokens()"))
    assert [one["evalue"] for one in said if "ename" in one] == ["name 'settings_page' is not defined"]
    printed = "".join(one.get("text", "") for one in said)
    assert "defines settings_page, click into this cell, choose Run > Run All Above Selected Cell" in printed


def open_env(page: Page) -> None:
    """Open `.env` in JupyterLab as the second notebook says."""
    choose(page, "File > Open from Path…").click()
    page.get_by_role("dialog").get_by_role("textbox").fill(".env")
    page.keyboard.press("Enter")
    page.locator(".cm-content", has_text="LINKED_IS_API_TOKEN=").wait_for()
