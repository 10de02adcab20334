"""What all tests share: a mock server for the notebooks, a test client for the application, a browser."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import requests
from filelock import FileLock
from starlette.testclient import TestClient
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from mock_server.app import Settings, create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.dot_env import Explained
from mock_server.settings_page import SettingsPage
from mock_server.store import Store
from tests import contract, debian
from tests.running import PATIENCE, MockServer, learner_environment
from tests.static_site import build, without_tab

CHROMIUM_OPTIONS = [
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # no request but the test's own
    "--disable-component-update",
    "--disable-sync",
]
# Of the long suite: what takes longest comes first, so that no process is alone with it at the end.
LONGEST = ["test_tab", "test_site_browser", "test_workshop", "test_notebooks", "test_fuzzing", "test_leaks", "test_hub"]
# Each test makes all that it needs, and takes up to minutes: they fill the time that is left.
ONE_BY_ONE = ("test_elsewhere", "test_programs")
_server: MockServer | None = None
_ipython_folder: tempfile.TemporaryDirectory | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start a mock server for the notebooks, or take the one that LINKED_IS_BASE_URL names.

    A hook and not a fixture: notebook cells ask for no fixture, and their kernels inherit os.environ.
    """
    global _server, _ipython_folder
    # In the background of a script: the programs that tests start would not end by Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # what tests run has no make around it
        os.environ.pop(name, None)
    base_url = os.environ.get("LINKED_IS_BASE_URL")
    if base_url:
        try:
            SettingsPage(base_url)
        except Explained as error:
            raise pytest.UsageError(f"LINKED_IS_BASE_URL is set: {error}") from None
    elif config.getoption("numprocesses") and not is_worker(config):
        return  # the processes that this one starts have a mock server each
    else:
        _server = MockServer()
        base_url = _server.base_url
    os.environ.update(learner_environment(base_url))
    # Start-up files of a developer's own IPython must not change an output.
    _ipython_folder = tempfile.TemporaryDirectory(prefix="ipython-", ignore_cleanup_errors=True)
    os.environ["IPYTHONDIR"] = _ipython_folder.name


def is_worker(config: pytest.Config) -> bool:
    """Tell whether pytest-xdist runs a part of the tests in this process."""
    return hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what `-m` does not ask for
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and the exercises: most of their time is the start of twenty kernels, and the quick suite
    tries each of their checks. Begin with what takes longest where processes share the tests."""
    for item in items:
        if item.path.parent.name == "exercises":
            item.add_marker("long")
        if "chromium_path" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    slow = {item.path for item in items if item.get_closest_marker("browser")}
    if is_worker(config):
        items.sort(key=lambda item: item.path, reverse=True)  # Notebooks come last: short ones fill the time that is left.
        items.sort(key=lambda item: item.path not in slow)
        items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Let processes share the tests file by file, as their fixtures are, and those of ONE_BY_ONE one by one."""
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


class ByFile(LoadFileScheduling):
    """Says which tests stay together: those of a file, but for ONE_BY_ONE."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return nodeid if Path(file).stem in ONE_BY_ONE else file


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the mock server, and take the temporary folder away."""
    if _server:
        _server.stop()
    if _ipython_folder:
        _ipython_folder.cleanup()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not proved, and why: a green run without a browser has proved nothing of what a browser shows."""
    why: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("skipped"):
        why.setdefault(report.longrepr[2].removeprefix("Skipped: "), []).append(report.nodeid.partition("::")[0])
    if why:
        terminalreporter.section("NOT PROVED HERE", yellow=True, bold=True)
    for reason, files in why.items():
        terminalreporter.line(f"{len(files)} tests of {', '.join(dict.fromkeys(files))}: {reason}")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which server the notebooks are validated against."""
    return f"notebooks: validated against {os.environ.get('LINKED_IS_BASE_URL', 'a mock server in each process')}"


class SetClock(Clock):
    """A clock that stands still until a test moves it. ``time`` is in Unix seconds."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        super().__init__(lambda: self.time)


class Bench:
    """An application in memory with everything around it that a test wants to look at."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.store = Store(Database(":memory:"), self.clock)
        self.log: list[str] = []
        self.app = create_app(self.store, Settings(log=self.log.append))

    def client(self, **options: object) -> TestClient:
        """Return a browser or a program that has not been here before. The contract is held against every answer."""
        options = {"base_url": "http://127.0.0.1:8787", "client": ("127.0.0.1", 50000), **options}
        client = TestClient(self.app, **options)
        client.event_hooks["response"].append(hold_against_contract)
        return client

    def restarted(self) -> Bench:
        """Return a bench over the same database, as after a restart."""
        again = copy(self)
        again.store = Store(self.store.database, self.clock)
        again.app = create_app(again.store, Settings(log=self.log.append))
        return again

    def account(self, email: str = "learner@example.com", lifetime: int | None = None) -> dict[str, str]:
        """Return the headers with which a new account calls the API. ``lifetime`` is in seconds."""
        account = self.store.add_account(email, "$")
        return {"Authorization": f"Bearer {self.store.generate_token(account, 'test', lifetime)}"}


def hold_against_contract(response: httpx2.Response) -> None:
    """Fail the test at hand if an answer is not in the contract."""
    request = response.request
    contract.check(request.method, request.url.path, response.status_code, response.headers, response.read())


@pytest.fixture
def bench() -> Bench:
    """A fresh application in memory."""
    return Bench()


@pytest.fixture(scope="session")
def server() -> Iterator[MockServer]:
    """A mock server in a process of its own, shared by the tests that need real HTTP."""
    with MockServer() as running:
        yield running


@pytest.fixture
def page(server: MockServer) -> SettingsPage:
    """The Settings > API page of a new account."""
    page = SettingsPage(server.base_url)
    page.sign_up()
    return page


@pytest.fixture
def call(server: MockServer):
    """Call the API over HTTP: ``call(token)`` lists the links."""

    def call(token: str, method: str = "GET", path: str = "/links", **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, server.base_url + path, headers=headers, timeout=PATIENCE, **options)
        contract.check(method, urlsplit(answer.url).path, answer.status_code, answer.headers, answer.content)
        return answer

    return call


@pytest.fixture(scope="session")
def build_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Build the site with these settings of a publisher and return its folder: once for all processes of the tests."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared

    def build_site(name: str, **settings: str) -> Path:
        folder = shared / name
        with FileLock(shared / f"{name}.lock"):
            if not folder.exists():
                (project := shared / f"{name}-source").mkdir()
                result = build(without_tab(project), shared / f"{name}-unfinished", **settings)
                assert result.returncode == 0, result.stdout + result.stderr
                (shared / f"{name}-unfinished").rename(folder)
        return folder

    return build_site


@pytest.fixture(scope="session")
def site(build_site: Callable[..., Path]) -> Path:
    """The folder with the site as it works at any address."""
    return build_site("site")


@pytest.fixture(scope="session")
def playwright():
    """What starts and steers browsers."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's chromium, installed if need be. Elsewhere a Chromium or Chrome that is there already."""
    path = debian.find(*debian.CHROMIUMS, package="chromium")
    if path is None:
        debian.missing("BROWSER TESTS SKIPPED: no Chromium found. Install one, on Debian: sudo apt-get install chromium")
    return path


@pytest.fixture(scope="session")
def browser(playwright, chromium_path: str):
    """A Chromium without a window."""
    chromium = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_OPTIONS, timeout=PATIENCE * 1000)
    chromium.on("context", lambda context: context.set_default_timeout(PATIENCE * 1000))
    yield chromium
    chromium.close()
