"""How pytest runs this suite: with a mock server for the notebooks, in an order, shared by processes, and what it says."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from mock_server.dot_env import Explained
from mock_server.settings_page import SettingsPage
from tools.running import MockServer, learner_environment

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
    """Mark what needs a browser, and the exercises. Begin with what takes longest where processes share the tests.

    Most of the exercises' time is the start of twenty kernels, and the quick suite tries each of their checks.
    """
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
