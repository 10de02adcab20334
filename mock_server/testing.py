"""A linked.is for the tests of a program: a mock server, and a fresh account for each test.

With pytest, ask for the fixture ``linked_is`` of ``mock_server.pytest_plugin``. Without pytest:

>>> from mock_server.testing import linked_is
>>> with linked_is() as mock:
...     mock.fault("429", seconds=1)
...     count_clicks()
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

from starlette.types import ASGIApp

from mock_server import clock, transport
from mock_server.app import create_app
from mock_server.database import Database
from mock_server.model import Limits
from mock_server.settings_page import TIMEOUT, SettingsPage
from mock_server.store import Store

MANY = 999_999_999  # accounts: one for each test
# Nothing listens there, so a client that doesn't ask the application in this process is refused.
IN_PROCESS = "http://127.0.0.1:1/v1"


@dataclass(frozen=True)
class Clock:
    """The clock of one account: its tokens expire and its limits end by it."""

    _account: LinkedIs

    def advance(self, seconds: int) -> None:
        """Move it on."""
        self._account.control("/clock", {"advance": seconds})

    def set(self, moment: datetime | str) -> None:
        """Set it to a moment, or to its ISO 8601 text."""
        self._account.control("/clock", {"set": moment if isinstance(moment, str) else moment.isoformat()})

    def freeze(self, frozen: bool = True) -> None:
        """Let it stand still, or go on."""
        self._account.control("/clock", {"freeze": frozen})


class LinkedIs:
    """A new account of a mock server: where it is, what opens it, and what a test may do to it.

    ``settings_page`` presses the buttons of its Settings > API page. ``app`` is the ASGI application, for the asynchronous
    clients of httpx and for Starlette's test client; None where the mock server is another process.
    """

    def __init__(self, base_url: str, app: ASGIApp | None = None) -> None:
        self.base_url = base_url
        self.app = app
        self.settings_page = SettingsPage(base_url)
        self.settings_page.sign_up()
        self.token = self.settings_page.generate_token(name="Test")
        self.clock = Clock(self)

    def __repr__(self) -> str:
        return f"LinkedIs({self.base_url!r})"  # without the token

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The calls of the API that came with a token of this account, the latest 50, the first one first."""
        received: list[dict[str, Any]] = self.control("/requests")["requests"]
        return received[::-1]

    def fault(self, fault: str, **options: object) -> None:
        """Order a fault for the next calls, with the options of ``POST /_mock/faults``. Raises ValueError."""
        self.control("/faults", {"fault": fault, **options})

    def scenario(self, scenario: str, **options: object) -> None:
        """Order a scenario by its name, with the options of ``POST /_mock/scenario``. Raises ValueError."""
        self.control("/scenario", {"scenario": scenario, **options})

    def control(self, path: str, order: dict[str, object] | None = None) -> dict[str, Any]:
        """Order something of a control of the mock server, or ask it, for this account alone. Raises ValueError."""
        # The session of the page, not the token: a test may have revoked that.
        address = f"{self.settings_page.origin}/_mock{path}"
        method = "GET" if order is None else "POST"
        answer = self.settings_page.session.request(method, address, json=order, timeout=TIMEOUT).json()
        if not answer["success"]:
            raise ValueError(answer["error"]["message"])
        data: dict[str, Any] = answer["data"]
        return data


@dataclass(frozen=True)
class Server:
    """A mock server that has started. ``app`` is None where it is another process."""

    base_url: str
    app: ASGIApp | None = None

    @contextmanager
    def account(self) -> Iterator[LinkedIs]:
        """Open an account. Base URL and token are in the environment as long."""
        account = LinkedIs(self.base_url, self.app)
        settings = {"LINKED_IS_BASE_URL": account.base_url, "LINKED_IS_API_TOKEN": account.token}
        with patch.dict(os.environ, settings):
            yield account


@contextmanager
def server(in_process: bool = False) -> Iterator[Server]:
    """Run a mock server in memory: in a process of its own, or in this one without a socket. Raises RuntimeError."""
    if in_process:
        database = Database(":memory:")
        app = create_app(Store(database, clock.Clock(), Limits(accounts=MANY)))
        undo = transport.serve(app, IN_PROCESS)
        try:
            yield Server(IN_PROCESS, app)
        finally:
            undo()
            database.close()
        return
    options = ["--port", "0", "--database", ":memory:", "--quiet", "--limit", f"accounts={MANY}"]
    with subprocess.Popen([sys.executable, "-m", "mock_server", *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            _, _, ready = process.stdout.readline().partition("API base URL: ")
            if not ready:
                raise RuntimeError("The mock server did not start. What it printed says why.")
            yield Server(ready.split()[0])
        finally:
            process.terminate()


@contextmanager
def linked_is(in_process: bool = False) -> Iterator[LinkedIs]:
    """Run a mock server and open an account. A decorator too: the base URL and the token are in the environment."""
    with server(in_process) as running, running.account() as account:
        yield account
