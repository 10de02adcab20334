"""What our server holds before a run: an account that reads, one that writes, and what they get back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.client import HTTPException

from bench.client import ask
from bench.document import LINKS
from bench.process import CannotMeasure, Server
from mock_server.settings_page import PageError, SettingsPage

LISTED = 20  # links in the answer to GET
NEW_LINK = json.dumps({"url": "https://example.com/menu/summer", "title": "Summer menu"})


@dataclass(frozen=True)
class Accounts:
    """The tokens of a reader, whose links stay the same, and a writer."""

    reader: str = field(repr=False)
    writer: str = field(repr=False)


def open_accounts(server: Server) -> Accounts:
    """Open both accounts through the page, as a person would, and fill up the reader's links."""
    readers, writers = page(server), page(server)
    accounts = Accounts(readers.generate_token(), writers.generate_token())
    for _ in range(LISTED - count(server, accounts.reader)):
        make_link(server, accounts.reader)
    if count(server, accounts.reader) != LISTED:
        raise CannotMeasure(f"{server.name} lists {count(server, accounts.reader)} links instead of {LISTED}.")
    return accounts


def page(server: Server) -> SettingsPage:
    """Return the page of a new account. Raises CannotMeasure."""
    try:
        settings = SettingsPage(f"http://127.0.0.1:{server.port}/v1")
        settings.sign_up()
    except PageError as error:
        raise CannotMeasure(f"{server.name}, sign-up: {error}") from None
    return settings


def listed(server: Server, token: str) -> bytes:
    """Return the body of ``GET /v1/links``. Raises CannotMeasure."""
    return expect(server, "GET", LINKS, token, 200)


def count(server: Server, token: str) -> int:
    """Return how many links GET lists."""
    return len(json.loads(listed(server, token))["data"])


def make_link(server: Server, token: str) -> bytes:
    """Return the body of ``POST /v1/links``. Raises CannotMeasure."""
    return expect(server, "POST", LINKS, token, 201, NEW_LINK)


def reset(server: Server, token: str) -> None:
    """Take the links of earlier runs away: each run of POST begins with as many."""
    expect(server, "POST", "/_mock/reset", token, 200)


def expect(server: Server, method: str, path: str, token: str, status: int, body: str | None = None) -> bytes:
    """Send a request and return the body of the answer. Raises CannotMeasure unless the status is that."""
    try:
        got, content = ask(server.port, method, path, token, body)
    except (OSError, HTTPException) as error:
        raise CannotMeasure(f"{server.name} did not answer {method} {path}: {type(error).__name__}.") from None
    if got != status:
        raise CannotMeasure(f"{server.name} answered {method} {path} with {got} instead of {status}.")
    return content
