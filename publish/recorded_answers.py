"""The mock server's answers that the reference shows. They are committed, as the outputs of the notebooks are.

``python -m publish.recorded_answers`` asks for all of them again. An answer that changes is a finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from starlette.types import ASGIApp

from mock_server import transport
from mock_server.app import create_app
from mock_server.clock import DAY, Clock, parse_iso
from mock_server.contract import openapi
from mock_server.database import Database
from mock_server.dot_env import MOCK
from mock_server.store import Store
from mock_server.tokens import redact
from publish.operations import Operation, operations

FILE = Path(__file__).with_suffix(".json")
NOW = "2026-06-01T12:00:00Z"  # by the clock of the account
EMAIL = "learner@example.com"
LIFETIME = 90 * DAY
WIDTH = 76  # characters of a line of JSON, when it can be broken
Answer = dict[str, Any]  # status, headers and, if it comes in the envelope, body


class Request(NamedTuple):
    """What is sent: ``path`` with its query, ``body`` as JSON. A header that is ``None`` is left out."""

    method: str
    path: str
    body: object = None
    headers: dict[str, str | None] = {}  # noqa: RUF012


def example(operation: Operation) -> Request:
    """Return the request that the samples of an operation send."""
    query = f"?{urlencode(operation.example_query)}" if operation.example_query else ""
    return Request(operation.method, operation.example_path + query, operation.example_body or None)


LIST = Request("GET", "/v1/links")
# What is no answer to an example: each error by its code, and the pages of a short link. The last answer is meant.
OTHERS = {
    "MISSING_TOKEN": [Request("GET", "/v1/links", None, {"authorization": None})],
    "INVALID_TOKEN": [Request("GET", "/v1/links", None, {"authorization": "Bearer this-is-no-token"})],
    "TOKEN_EXPIRED": [Request("POST", "/_mock/clock", {"advance": LIFETIME}), LIST],
    "INVALID_REQUEST": [Request("PATCH", "/v1/links/clx1234567890", {"clickLimit": "many"})],
    "SLUG_TAKEN": [Request("PATCH", "/v1/links/clx1234567890", {"slug": "jobs"})],
    "FORBIDDEN": [Request("GET", "/_mock/health", None, {"host": "elsewhere.example"})],
    "NOT_FOUND": [Request("GET", "/v1/links/clx0000000000")],
    "METHOD_NOT_ALLOWED": [Request("PUT", "/v1/links")],
    "PAYLOAD_TOO_LARGE": [Request("POST", "/v1/links", {"title": "x" * 1024 * 1024})],
    "RATE_LIMIT_EXCEEDED": [LIST] * 60,
    "INTERNAL_ERROR": [Request("POST", "/_mock/faults", {"fault": "500"}), LIST],
    "SERVICE_UNAVAILABLE": [Request("POST", "/_mock/faults", {"fault": "503"}), LIST],
    "open-short-link 200": [Request("GET", "/s/cafe-example")],
    "open-short-link 401": [Request("GET", "/s/spring-menu", None, {"authorization": "Bearer this-is-no-token"})],
    "open-short-link 404": [Request("GET", "/s/nothing")],
}


BEFORE = [example(operations()[0]), *OTHERS["NOT_FOUND"]]


def names() -> list[str]:
    """Return the name of each answer: that of an example is the operation's anchor."""
    return [*(operation.anchor for operation in operations()), *OTHERS]


def recorded() -> dict[str, Answer]:
    """Return the answers that are committed."""
    answers: dict[str, Answer] = json.loads(FILE.read_text(encoding="utf-8"))
    return answers


def answer(operation: Operation) -> Answer | None:
    """Return the committed answer to an example; ``None`` for a new operation."""
    return recorded().get(operation.anchor)


def record(name: str, front: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> Answer:
    """Ask for an answer again, through whatever is put in ``front`` of the mock server."""
    status, headers, body = ask_for(name, front)
    shown = {one.lower(): one for one in ("Location", "Allow", "Content-Type", *openapi()["components"]["headers"])}
    found: Answer = {"status": status, "headers": {shown[one]: value for one, value in headers.items() if one in shown}}
    if body.startswith(b'{"success"'):
        found["body"] = json.loads(redact(body.decode()))
    return found


def ask_for(name: str, front: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer that a new account gets.

    It has listed its links before, and asked for one that isn't there.
    """
    store = Store(Database(":memory:"), Clock(lambda: parse_iso(NOW)))
    token = store.generate_token(store.add_account(EMAIL, ""), "Sample", LIFETIME)
    undo = transport.serve(front(create_app(store)), MOCK)
    try:
        requests = OTHERS.get(name) or [example(one) for one in operations() if one.anchor == name]
        return [ask(token, request) for request in [*BEFORE, *requests]][-1]
    finally:
        undo()


def ask(token: str, request: Request) -> tuple[int, dict[str, str], bytes]:
    """Send a request to the mock server in this process, and return status, headers and body of its answer."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", **request.headers}
    body = None if request.body is None else json.dumps(request.body)
    with closing(HTTPConnection(urlsplit(MOCK).netloc)) as connection:
        connection.request(request.method, request.path, body, {name: value for name, value in headers.items() if value})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def as_http(answer: Answer) -> str:
    """Return an answer as a block that shows how it comes over the wire."""
    lines = [f"HTTP/1.1 {answer['status']} {HTTPStatus(answer['status']).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer["headers"].items()]
    lines += ["", json.dumps(answer["body"], indent=2, ensure_ascii=False)] if "body" in answer else []
    return "\n".join(["```output", *lines, "```"])


def spelled(value: Any, indent: str = "", step: str = "  ") -> str:
    """Spell a value as JSON, broken where a line would get too long."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent + line) <= WIDTH or not isinstance(value, dict | list):
        return line
    deeper = indent + step
    if isinstance(value, dict):
        start, end = "{", "}"
        items = [f"{json.dumps(name)}: {spelled(inner, deeper, step)}" for name, inner in value.items()]
    else:
        start, end = "[", "]"
        items = [spelled(inner, deeper, step) for inner in value]
    return f"{start}\n{deeper}" + f",\n{deeper}".join(items) + f"\n{indent}{end}"


if __name__ == "__main__":
    answers = {name: record(name) for name in names()}
    FILE.write_text(spelled(answers) + "\n", encoding="utf-8")
    print(f"Answers saved: {len(answers)}")
