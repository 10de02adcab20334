"""Lies about the API, taken from the contract, and a layer in front of the mock server that tells them.

A lie is about one answer: an operation's, or an error, which many operations give. It takes the status, a documented
header or a documented field of that answer, and leaves it out, puts another value in its place, or null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.contract import openapi
from mock_server.envelope import ApiError
from publish.operations import Node, Operation, operations, resolved
from tools.hold_against_contract import find_path
from tools.hold_against_contract import resolved as followed

LEFT_OUT, ANOTHER, NULL = "left out", "another value", "null"
MOST_CALLS = 1_000  # a lie may send a program round and round


@dataclass
class Answer:
    """An answer of the mock server. ``name`` is what lies are about; ``body`` is ``None`` if it isn't in the envelope."""

    name: str
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Lie:
    """What is wrong in the answer of this name. ``where`` is ``("status",)``, ``("header", name)`` or the way to a field.

    ``place`` is the id of its place in the contract, which several answers may share. ``values`` are all that there are.
    """

    answer: str
    where: tuple[str, ...]
    kind: str
    place: int
    values: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.answer}: {'.'.join(self.where).replace('.[]', '[]').replace('header.', '')} {self.kind}"

    def told(self, answer: Answer) -> Answer:
        """Return a copy of an answer with the lie in it: an equal one, if the lie has no place in it."""
        answer = deepcopy(answer)
        if self.where == ("status",):
            answer.status += 1
        elif self.where[0] == "header":
            self._put_into(answer.headers, (self.where[1].lower(),))
        else:
            self._put_into(answer.body, self.where)
        return answer

    def _put_into(self, value: Any, where: tuple[str, ...]) -> None:
        name, deeper = where[0], where[1:]
        if name == "[]":
            for item in value:
                self._put_into(item, deeper)
        elif value and name in value:
            if deeper:
                self._put_into(value[name], deeper)
            elif self.kind == LEFT_OUT:
                del value[name]
            else:
                value[name] = None if self.kind == NULL else another(value[name], self.values)


def another(value: Any, values: tuple[Any, ...] = ()) -> Any:
    """Return another value, which looks as right as the right one: of ``values``, if there are some.

    >>> another("2026-06-01T12:00:00Z")
    '2026-06-01T12:00:01Z'
    """
    if values:
        return next(one for one in values if one != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return value[1:]
    if isinstance(value, dict):
        return {**value, "another": "value"}
    for last in (r"\d(?=\D*$)", r"[a-z](?=[^a-z]*$)", r"[A-Z](?=[^A-Z]*$)"):
        if value and re.search(last, value):
            return re.sub(last, lambda found: chr(ord(found[0]) + (-1 if found[0] in "9zZ" else 1)), value)
    return "another"


def lies() -> list[Lie]:
    """Return all lies that the contract has room for."""
    found: list[Lie] = []
    headers: dict[int, Node] = {}
    for operation in operations():
        for status, response in operation.answers.items():
            schema = response.get("content", {}).get("application/json", {}).get("schema", {})
            if status < 400 or not schema:
                place = id(followed(operation.node["responses"][str(status)]))
                found += about(name_of(operation, status), place, response, schema)
            headers[status] = headers.get(status, {}) | response.get("headers", {})
    for error in ApiError.__subclasses__():
        response = {"headers": headers.get(error.status, {})}
        found += about(error.code, id(error), response, openapi()["components"]["schemas"]["Error"])
    return found


def name_of(operation: Operation, status: int) -> str:
    """Return the name of an operation's answer: its own, with another status than the example has that behind it."""
    return operation.anchor if status == operation.success else f"{operation.anchor} {status}"


def about(answer: str, place: int, response: Node, schema: Node) -> Iterator[Lie]:
    """Yield the lies about one answer. ``place`` is its own."""
    yield Lie(answer, ("status",), ANOTHER, place)
    for name, header in response.get("headers", {}).items():
        for kind in (LEFT_OUT, ANOTHER):
            yield Lie(answer, ("header", name), kind, id(followed(header)))
    for where, node in fields(schema):
        described = resolved(node)
        yield Lie(answer, where, LEFT_OUT, id(node))
        if "properties" not in described:  # an object has another value when one of its fields has
            yield Lie(answer, where, ANOTHER, id(node), tuple(described.get("enum", ())))
        if described.get("const", ...) is not None:
            yield Lie(answer, where, NULL, id(node))


def fields(schema: Node, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Yield the way to each field, those within others too, and the field. ``[]`` stands for each item of a list."""
    schema = resolved(schema)
    if "items" in schema:
        yield from fields(schema["items"], (*way, "[]"))
    for name, node in schema.get("properties", {}).items():
        yield (*way, name), node
        yield from fields(node, (*way, name))


def marked(node: Any = None, way: str = "") -> dict[int, str]:
    """Return the places that the contract marks with ``x-not-proved``, by their ids, and the ways to them."""
    node = openapi() if node is None else node
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = {id(node): way} if isinstance(node, dict) and node.get("x-not-proved") else {}
    for name, one in inner:
        found |= marked(one, f"{way}/{name}") if isinstance(one, dict | list) else {}
    return found


class Liar:
    """The mock server behind a layer that tells lies, or none. ``answers`` are the right ones that went through it."""

    def __init__(self, app: ASGIApp, lies: Sequence[Lie] = ()) -> None:
        self.app = app
        self.lies = lies
        self.answers: list[Answer] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back. Raises RuntimeError after MOST_CALLS."""
        if len(self.answers) == MOST_CALLS:
            raise RuntimeError(f"More than {MOST_CALLS} calls.")
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        start, *parts = messages
        body = b"".join(part.get("body", b"") for part in parts)
        answer = read(scope["method"], scope["path"], start, body)
        self.answers.append(answer)
        if told := [lie for lie in self.lies if lie.answer == answer.name]:
            for lie in told:
                answer = lie.told(answer)
            if answer.body is not None:
                body = json.dumps(answer.body).encode()
                answer.headers["content-length"] = str(len(body))
            headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
            start, parts = {**start, "status": answer.status, "headers": headers}, [{"type": "http.response.body", "body": body}]
        for message in [start, *parts]:
            await send(message)


def read(method: str, path: str, start: Message, body: bytes) -> Answer:
    """Return what a message starts and what its body says. A page for people has no name."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    said = json.loads(body) if body.startswith(b'{"success"') else None
    operation = next((one for one in operations() if (one.method, one.path) == (method, find_path(path))), None)
    name = said["error"]["code"] if said and "error" in said else name_of(operation, start["status"]) if operation else ""
    return Answer(name, start["status"], headers, said)
