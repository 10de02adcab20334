"""The mock server's answers to the examples, asked while the site is built."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from anyio.from_thread import start_blocking_portal
from operations import Operation, operations
from starlette.types import ASGIApp, Message

from mock_server.app import create_app
from mock_server.clock import Clock, parse_iso
from mock_server.database import Database
from mock_server.store import Store

NOW = "2026-06-01T12:00:00Z"  # by the clock of the account
EMAIL = "learner@example.com"


def answer(operation: Operation) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer that a new account gets. It has listed its links before."""
    store = Store(Database(":memory:"), Clock(lambda: parse_iso(NOW)))
    token = store.generate_token(store.add_account(EMAIL, ""), "Sample", None)
    app = create_app(store)

    async def ask_twice() -> tuple[int, dict[str, str], bytes]:
        await ask(app, token, operations()[0])
        return await ask(app, token, operation)

    with start_blocking_portal() as portal:  # whoever builds the site may have a running loop, as a notebook has
        return portal.call(ask_twice)


async def ask(app: ASGIApp, token: str, operation: Operation) -> tuple[int, dict[str, str], bytes]:
    """Hand the example to the application, without a network between."""
    body = json.dumps(operation.example_body).encode() if operation.example_body else b""
    headers = {"host": "127.0.0.1:8787", "authorization": f"Bearer {token}", "content-type": "application/json"}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": operation.method,
        "scheme": "http",
        "path": operation.example_path,
        "raw_path": operation.example_path.encode(),
        "root_path": "",
        "query_string": urlencode(operation.example_query).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8787),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])
