"""Every code block on a how-to or an explanation page is run as its reader would, or the page says that it is not.

A page is walked through from top to bottom, in a terminal and in a folder of its own:

- ``bash`` is typed into a shell, ``python`` is run; a prompt for a token is answered with one.
- A block with a title is written to the file of that name, for the blocks below it.
- ``output`` is what the block above it prints, to the letter. A block without one must end well.
- What stands below a NOT_RUN, up to the end of that section, is left alone.
"""

import os
import re
import select
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from textwrap import dedent

import pytest

from mock_server.settings_page import SettingsPage
from tests.publish.test_samples import BLOCK, SAMPLES, SNIPPET
from tests.server.test_contract import ASSUMED, FACTS
from tools.debian import need
from tools.leaks import assert_without
from tools.running import PATIENCE, ROOT, MockServer, wait_until
from tools.texts import complain

if sys.platform != "linux":
    pytest.skip("PAGES SKIPPED: their commands are for Linux", allow_module_level=True)

import pexpect
from dotenv import set_key

NOT_RUN = "Not run by this kit's tests"
PIECE = re.compile(rf'{BLOCK.pattern}|^(#+) |^!!! note "{NOT_RUN}: .+"$', re.MULTILINE)
PROMPT = r"(?i)(?:token|password)[^\n]*: $"
PAGES = sorted([*(ROOT / "docs" / "how-to").glob("*.md"), *(ROOT / "docs" / "explanation").glob("*.md")])
RUN_BY_TEST_SAMPLES = {"token-in-the-browser"}
LONG = {"store-a-token-on-linux", "test-without-an-account", "how-the-proof-works"}  # seconds, not tenths


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its name if it is a file, its text, and whether the page says that it is not run."""

    language: str
    title: str
    text: str
    not_run: bool

    @property
    def is_program(self):
        return self.language in ("bash", "python") and not self.title

    def content(self):
        """Return what a file block holds, also where it includes a sample."""
        snippet = SNIPPET.search(self.text)
        return (SAMPLES / snippet[1]).read_text(encoding="utf-8") if snippet else self.text


def read(page):
    """Return the blocks of a page, and of each NOT_RUN how many blocks stand below it."""
    blocks, below, level, not_run_from = [], [], 0, None
    for piece in PIECE.finditer(page):
        _, info, text, heading = piece.groups()
        if heading:
            level = len(heading)
            if not_run_from is not None and level <= not_run_from:
                not_run_from = None
        elif info is None:
            not_run_from = level if not_run_from is None else not_run_from
            below.append(0)
        else:
            title = re.search('title="(.+)"', info)
            not_run = not_run_from is not None
            blocks.append(Block(info.split(" ")[0], title[1] if title else "", dedent(text), not_run))
            if not_run:
                below[-1] += 1
    return blocks, below


def to_run(page):
    return [block for block in read(page)[0] if not block.not_run]


def findings(page):
    """Return what is wrong with the blocks of a page."""
    _, below = read(page)
    found = ["nothing is below a NOT_RUN"] * below.count(0)
    if page.count(NOT_RUN) != len(below):
        found.append("a NOT_RUN is not a title of its own, or gives no reason")
    for above, block in pairwise([None, *to_run(page)]):
        if block.language == "output" and not (above and above.is_program):
            found.append(f"nothing prints {block.text}")
        if not (block.is_program or block.title or block.language == "output"):
            found.append(f"nothing runs {block.text}")
        if re.search(r"\| *(?:head|grep -q)\b", block.text):
            found.append(f"the program may still be writing when the pipe closes: {block.text}")
        if re.search(r"^[^(\n]*\bread -.*\n.", block.text, re.MULTILINE):
            found.append(f"who pastes this answers with the next line: {block.text}")
    return found


class Walk:
    """A folder as after the quickstart, in which the blocks of one page are run one after the other."""

    def __init__(self, folder, server, python):
        self.folder = folder
        self.shell = "bash"
        self.origin = server.origin
        self.page = SettingsPage(server.base_url)
        self.page.sign_up()
        self.token = self.page.generate_token(name="My program")
        ours = ("LINKED_IS_", "IPYTHONDIR")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment |= {"HOME": str(folder / "home"), "TERM": "dumb", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        (folder / "home").mkdir(parents=True)
        (folder / ".venv").symlink_to(python)
        for file in server.database.parent.iterdir():
            (folder / file.name).symlink_to(file)
        shutil.copytree(SAMPLES, folder / "docs" / "samples")
        for name in (".env.example", ".gitignore"):
            shutil.copy(ROOT / name, folder)
        settings = self.here((ROOT / ".env.example").read_text(encoding="utf-8"))
        (folder / ".env").write_text(settings.replace("API_TOKEN=", f"API_TOKEN={self.token}"), encoding="utf-8")
        self.git("init", "--quiet")

    def here(self, text):
        """Return the text with the address of this mock server."""
        return text.replace("http://127.0.0.1:8787", self.origin)

    def git(self, *arguments):
        who = ["-c", "user.name=You", "-c", "user.email=you@example.com"]
        when = {"GIT_AUTHOR_DATE": "2026-11-20T12:00:00Z"}
        subprocess.run(["git", *who, *arguments], cwd=self.folder, env=self.environment | when, check=True)

    def through(self, blocks):
        """Run the blocks; fail at the first that does something else than the page says."""
        for block, below in pairwise([*blocks, None]):
            if block.title:
                (self.folder / block.title).write_text(block.content(), encoding="utf-8")
            elif block.is_program:
                printed, code = self.run(block)
                if below and below.language == "output":
                    assert printed == tidy(self.here(below.text)), block.text
                else:
                    assert code == 0, f"{block.text}\n{printed}"

    def run(self, block):
        """Run a block in a terminal. Return what stands there then, and the exit code."""
        program = [f"{self.folder}/.venv/bin/python", "-c"] if block.language == "python" else [self.shell, "-c"]
        options = {"cwd": self.folder, "env": self.environment, "encoding": "utf-8", "timeout": PATIENCE}
        terminal = pexpect.spawn(program[0], [program[1], self.here(block.text)], dimensions=(24, 200), **options)
        printed = ""
        while terminal.expect([PROMPT, pexpect.EOF]) == 0:
            printed += terminal.before + terminal.after
            # Half a line of output may look like a prompt. Whoever asks for a secret hides it; whoever prints goes on.
            wait_until(lambda: not terminal.getecho() or select.select([terminal.child_fd], [], [], 0)[0])
            if not terminal.getecho():
                terminal.sendline(self.token)
        printed += terminal.before
        terminal.wait()
        terminal.close()
        assert_without(self.token, printed)
        return tidy(printed), terminal.exitstatus


def tidy(text):
    """Return a text without the spaces at the end of its lines, and without empty lines around it."""
    return "\n".join(line.rstrip() for line in text.replace("\r", "").splitlines()).strip("\n")


@pytest.fixture(scope="module")
def server_with_file(tmp_path_factory):
    """A mock server with its state in a file, as a reader's has."""
    database = tmp_path_factory.mktemp("database") / "mock-server.db"
    with MockServer(database=str(database)) as server:
        server.database = database
        yield server


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory):
    """An environment with nothing in it but pip, as a reader's own project has."""
    folder = tmp_path_factory.mktemp("project") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder


@pytest.fixture
def keyring(tmp_path, monkeypatch):
    """The keyring of a desktop, unlocked and empty."""
    need("dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool")
    bus = f"unix:path={tmp_path}/bus"
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "password").write_text("a password")
    asked = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner"]
    with ExitStack() as desktop:
        # Each daemon reads a file that is complete: nothing is written to one that isn't ready.
        for service, command in {
            "org.freedesktop.DBus": ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={bus}"],
            "org.freedesktop.secrets": ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
        }.items():
            password = desktop.enter_context((tmp_path / "password").open())
            daemon = desktop.enter_context(subprocess.Popen(command, stdin=password, stdout=subprocess.DEVNULL))
            desktop.callback(daemon.kill)
            wait_until(lambda ask=[*asked, f"string:{service}"]: b"true" in subprocess.run(ask, capture_output=True).stdout)
        yield


@pytest.fixture
def walk(request, tmp_path, server_with_file):
    """Return a function that prepares what a page takes for granted."""

    def prepared(name):
        need("git", "node")
        python = sys.prefix
        if name == "store-a-token-on-linux":
            request.getfixturevalue("keyring")
        if name == "test-without-an-account":
            python = request.getfixturevalue("fresh_python")
            shutil.copytree(ROOT / "mock_server", tmp_path / "kit" / "mock_server")
            shutil.copy(ROOT / "pyproject.toml", tmp_path / "kit")
        walk = Walk(tmp_path / "project", server_with_file, python)
        if name == "test-without-an-account":
            shutil.rmtree(walk.folder / "docs")  # The reader's own project has nothing of the kit.
        if name == "how-the-proof-works":
            for name in ("tests", "tools", "publish"):
                (walk.folder / name).symlink_to(ROOT / name)
        if name == "react-to-a-leak":
            leak(walk)
        if name == "store-a-token-in-docker":
            set_key(walk.folder / ".env", "LINKED_IS_API_TOKEN", walk.token)  # with quotation marks
        return walk

    return prepared


def leak(walk):
    """Bring the token into git in each way that git remembers, leave it in no file, and press Revoke."""

    def add(name, text):
        (walk.folder / name).write_text(text, encoding="utf-8")
        walk.git("add", name)

    def commit(message, name, text, *options):
        add(name, text)
        walk.git("commit", "--quiet", "--message", message, *options)

    commit("Add the report", "report.py", f'TOKEN = "{walk.token}"\n')
    commit("Take the token out", "report.py", "import os\n")
    commit("Add notes", "notes.md", f"It is {walk.token}\n")
    commit("Add better notes", "notes.md", "It is in .env\n", "--amend")
    walk.git("checkout", "--quiet", "-b", "side")
    commit("Add a page", "page.md", "A page\n")
    walk.git("checkout", "--quiet", "-")
    walk.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    commit("Merge", "page.md", f"A page with {walk.token}\n")
    commit("Take the token out", "page.md", "A page\n")
    add("draft.md", f"A draft with {walk.token}\n")
    walk.git("rm", "--quiet", "--force", "draft.md")
    walk.page.revoke("My program")


TO_RUN = {path: to_run(path.read_text(encoding="utf-8")) for path in PAGES if path.stem not in RUN_BY_TEST_SAMPLES}
FILES = [(path, block.title) for path, blocks in TO_RUN.items() for block in blocks if block.title]


def case(path, *more):
    """Return a test's case: a page and more. It takes long if the page does."""
    return pytest.param(path, *more, marks=[pytest.mark.long] * (path.stem in LONG), id="-".join([path.stem, *more]))


@pytest.mark.parametrize("path", [case(path) for path, blocks in TO_RUN.items() if blocks])
def test_a_page_does_what_it_says(path, walk):
    walk(path.stem).through(TO_RUN[path])


def test_the_page_for_an_emergency_does_so_in_the_shell_of_macos(walk):
    need("zsh")
    walk = walk("react-to-a-leak")
    walk.shell = "zsh"
    walk.through(next(blocks for path, blocks in TO_RUN.items() if path.stem == "react-to-a-leak"))


def test_the_page_on_notebook_services_leaves_a_persons_env_alone(walk):
    walk = walk("store-a-token-in-a-notebook-service")
    mine = walk.folder / "home" / ".env"
    mine.write_text("MINE=1\n", encoding="utf-8")
    walk.through(next(blocks for path, blocks in TO_RUN.items() if path.stem == "store-a-token-in-a-notebook-service"))
    assert mine.read_text(encoding="utf-8") == "MINE=1\n"


@pytest.mark.parametrize(("path", "file"), [case(*file) for file in FILES])
def test_a_page_fails_without_one_of_its_files(path, file, walk):
    with pytest.raises(AssertionError):
        walk(path.stem).through([block for block in TO_RUN[path] if block.title != file])


@pytest.mark.parametrize("path", TO_RUN, ids=lambda path: path.stem)
def test_each_block_is_run_or_the_page_says_that_it_is_not(path):
    assert findings(path.read_text(encoding="utf-8")) == []


@pytest.mark.check
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_says_where_to_learn_it_and_where_to_look_it_up(path):
    page = path.read_text(encoding="utf-8")
    for words, folder in (("Learn it", "../../notebooks"), ("Look it up", "../reference")):
        is_there = re.search(rf"\*\*{words}:\*\* \[[^]]+\]\({folder}/", page)
        complain([] if is_there else [f"{path.relative_to(ROOT)}: end it with **{words}:** and a link to a page in {folder}/"])


@pytest.mark.parametrize(
    ("page", "finding"),
    [
        ("```json\n{}\n```\n", "nothing runs"),
        ("```\nls\n```\n", "nothing runs"),
        ("```output\n200 OK\n```\n", "nothing prints"),
        ('```bash title="a.sh"\nls\n```\n\n```output\n200 OK\n```\n', "nothing prints"),
        (f'## A\n\n!!! note "{NOT_RUN}: why"\n\n```zsh\nls\n```\n\n## B\n\n```zsh\nls\n```\n', "nothing runs"),
        (f'## A\n\n!!! note "{NOT_RUN}: why"\n\n## B\n\n```bash\nls\n```\n', "nothing is below"),
        (f'!!! note "{NOT_RUN}"\n\n```zsh\nls\n```\n', "gives no reason"),
        (f"{NOT_RUN}: why\n\n```bash\nls\n```\n", "is not a title"),
        ("```bash\npython many_lines.py | head -1\n```\n", "the pipe closes"),
        ("```bash\nread -rs token\nls\n```\n", "the next line"),
    ],
)
def test_a_wrong_page_is_found(page, finding):
    assert any(finding in found for found in findings(page))


def test_every_output_of_a_page_is_compared():
    """Those of the home page by test_tab.py, those of samples by test_samples.py, those that a step writes by theirs."""
    for path in sorted({*(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "index.md"}):
        outputs = [block for block in read(path.read_text(encoding="utf-8"))[0] if block.language == "output"]
        uncompared = [block.text for block in outputs if block.not_run or not (path in TO_RUN or SNIPPET.search(block.text))]
        assert uncompared == [], path


def test_a_section_within_one_that_is_not_run_is_not_run_either():
    page = f'## A\n\n!!! note "{NOT_RUN}: why"\n\n### B\n\n```bash\n# No heading\nls\n```\n\n## C\n\n```bash\nls\n```\n'
    assert [block.not_run for block in read(page)[0]] == [True, False]


def test_the_page_on_the_real_service_lists_what_is_assumed():
    page = (ROOT / "docs" / "how-to" / "go-from-mock-to-real.md").read_text(encoding="utf-8")
    table = page.partition("| On the mock server |")[2].partition("\n\n")[0]
    listed = [unescape(line.split(" | ")[0].removeprefix("| ")) for line in table.splitlines()[2:]]
    assumed = {sentence for sentence, (origin, _, _) in FACTS.items() if origin == ASSUMED}
    assert assumed - {*listed} == set(), "Add a row for each of these facts, with what to do if linked.is does it differently."
    assert len(listed) == len(assumed), f"Take out what is no assumed fact, or is there twice: {sorted({*listed} - assumed)}"


@pytest.mark.long
def test_the_tests_of_your_project_pass(tmp_path):
    shutil.copytree(SAMPLES / "your_project", tmp_path, dirs_exist_ok=True)
    ended = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, "4 passed" in ended.stdout) == (0, True), ended.stdout
