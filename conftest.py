"""What all tests share: a mock server for the notebooks, a test client for the application, a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from filelock import FileLock
from starlette.testclient import TestClient

from mock_server.settings_page import SettingsPage
from tools import debian
from tools.application import Application
from tools.hold_against_contract import check
from tools.running import PATIENCE, MockServer
from tools.static_site import build, without_tab

pytest_plugins = ["tools.suite"]


@pytest.fixture
def application() -> Application:
    """A fresh application in memory."""
    return Application()


@pytest.fixture
def client(application: Application) -> TestClient:
    """A program with a token of a new account of ``application``. It follows no redirect."""
    return application.client(headers=application.account(), follow_redirects=False)


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
        check(method, urlsplit(answer.url).path, answer.status_code, answer.headers, answer.content)
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
    """A Chromium or Chrome: Debian's, which `make test` installs, or another one."""
    path = debian.find(*debian.CHROMIUMS)
    if path is None:
        debian.missing("BROWSER TESTS SKIPPED: no Chromium found. Install one, on Debian: sudo apt-get install chromium")
    return path


@pytest.fixture(scope="session")
def browser(playwright, chromium_path: str):
    """A Chromium without a window."""
    chromium = playwright.chromium.launch(executable_path=chromium_path, args=debian.CHROMIUM_OPTIONS, timeout=PATIENCE * 1000)
    chromium.on("context", lambda context: context.set_default_timeout(PATIENCE * 1000))
    yield chromium
    chromium.close()
