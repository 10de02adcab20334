"""The mock server's application in this process, with a clock that a test moves, and everything around it to look at."""

from __future__ import annotations

from copy import copy

import httpx2
from starlette.testclient import TestClient

from mock_server.app import Settings, create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.store import Store
from tools.hold_against_contract import check


class SetClock(Clock):
    """A clock that stands still until a test moves it. ``time`` is in Unix seconds."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        super().__init__(lambda: self.time)


class Application:
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

    def restarted(self) -> Application:
        """Return another one over the same database, as after a restart."""
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
    check(request.method, request.url.path, response.status_code, response.headers, response.read())
