"""Let Python's HTTP clients reach an ASGI application in the same process, by the address that it has on a computer.

The way in is the socket: `http.client`, and with it `urllib.request`, urllib3 and `requests`, writes a request to it and
reads an answer from it; so does the `Client` of httpx. Everything above it works as it does over a network.
"""

from __future__ import annotations

import asyncio
import io
import socket
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from email.utils import formatdate
from http.client import responses
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import urllib3.util.connection
from starlette.types import ASGIApp, Message
from urllib3 import HTTPConnectionPool
from urllib3.connectionpool import HTTPConnection  # type: ignore[attr-defined]  # urllib3.connection's is another in a browser

CLIENT = ("127.0.0.1", 0)
FOR_EVER = 10**9  # seconds
Connect = Callable[..., Any]
_one_at_a_time = threading.Lock()  # the client's threads take turns: the application has one event loop


def serve(app: ASGIApp, base_url: str, elsewhere: Connect | None = None) -> Callable[[], None]:
    """Answer every request to the port of ``base_url`` on this computer from ``app``, and return what undoes that.

    A connection to each other address is what ``elsewhere`` makes of it: by default what there was before.
    """
    address = urlsplit(base_url)
    names = {address.hostname, "localhost" if address.hostname == "127.0.0.1" else address.hostname}

    def instead_of(make: Connect) -> Connect:
        def connect(wanted: tuple[str, int], timeout: Any = None, *others: Any, **options: Any) -> Any:
            if wanted[0] in names and wanted[1] == address.port:
                return Line(app, address, timeout)
            return make(wanted, timeout, *others, **options)

        return connect

    # Where a client gets its connection from. urllib3 has another class for a browser, which looks for a network.
    ways: list[tuple[Any, str, Any]] = [
        (place, "create_connection", instead_of(elsewhere or place.create_connection))
        for place in (socket, urllib3.util.connection)
    ]
    ways.append((HTTPConnectionPool, "ConnectionCls", OverALine))
    before = [(place, name, getattr(place, name)) for place, name, _ in ways]
    for way in ways:
        setattr(*way)

    def undo() -> None:
        for way in before:
            setattr(*way)

    return undo


class OverALine(HTTPConnection):
    """urllib3's connection. It asks the operating system whether a socket is still open; a line has no such number."""

    @property
    def is_connected(self) -> bool:
        """Tell whether another request can be sent."""
        return isinstance(self.sock, Line) or super().is_connected


class Line:
    """What clients need of a socket. At the other end is an application, which answers when it is read from."""

    def __init__(self, app: ASGIApp, address: SplitResult, timeout: Any) -> None:
        self.app, self.address = app, address
        self.sent = b""
        self.answer = io.BytesIO()
        self.settimeout(timeout)

    def settimeout(self, timeout: Any) -> None:
        """Note how many seconds an answer may take."""
        self.timeout = timeout if isinstance(timeout, int | float) else None

    def sendall(self, data: bytes) -> None:
        """Take a part of a request."""
        self.sent += data

    def send(self, data: bytes) -> int:
        """Take a part of a request, and return its length."""
        self.sendall(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        """Return a part of the answer. Raises TimeoutError."""
        if self.sent:
            self.answer = self.makefile()
        return self.answer.read(size)

    def fileno(self) -> int:
        """Say that no file of the operating system is behind it."""
        return -1

    def makefile(self, *arguments: Any) -> io.BytesIO:
        """Return the answer to the request that was sent. Raises TimeoutError."""
        request, self.sent = io.BytesIO(self.sent), b""
        answer = Answer()
        with _one_at_a_time:
            _loop.run(answer.of(self.app, self.address, request))
        if self.timeout is not None and answer.waited > self.timeout:
            time.sleep(self.timeout)
            raise TimeoutError("timed out")
        time.sleep(answer.waited)
        return io.BytesIO(answer.received)

    def setsockopt(self, *arguments: Any) -> None:
        """Do nothing: there is no network."""

    def shutdown(self, how: int) -> None:
        """Do nothing, as above."""

    def close(self) -> None:
        """Do nothing, as above."""


class Answer:
    """What an application answers to one request, as it is ``received``, and how many seconds it ``waited`` by its clock."""

    def __init__(self) -> None:
        self.received = b""
        self.waited = 0.0

    async def of(self, app: ASGIApp, address: SplitResult, request: io.BytesIO) -> None:
        """Ask the application, as a server does."""
        method, target, _ = request.readline().split()
        headers = []
        while line := request.readline().strip():
            name, _, value = line.partition(b":")
            headers.append((name.lower(), value.strip()))
        fields = dict(headers)
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method.decode(),
            "scheme": address.scheme,
            "path": unquote(path.decode()),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": CLIENT,
            "server": (address.hostname, address.port),
            "state": {},
        }
        body = chunks(request) if b"transfer-encoding" in fields else request.read()
        is_whole = len(body) >= int(fields.get(b"content-length", 0))
        parts: list[Message] = [{"type": "http.request", "body": body, "more_body": not is_whole}]

        async def receive() -> Message:
            if not parts:  # the client waits for its answer, and sends no more
                await asyncio.sleep(FOR_EVER)
            return parts.pop()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                sent = [(b"date", formatdate(usegmt=True).encode()), *message["headers"]]
                if fields.get(b"connection", b"").lower() == b"close":
                    sent.append((b"connection", b"close"))
                self.received = f"HTTP/1.1 {status} {responses.get(status, '')}\r\n".encode()
                self.received += b"".join(b"%b: %b\r\n" % field for field in sent) + b"\r\n"
            elif method != b"HEAD":
                self.received += message.get("body", b"")

        started = _loop.ahead
        try:
            await app(scope, receive, send)
        except Exception:
            traceback.print_exc()  # a server's log has it
        self.waited = _loop.ahead - started  # what was worked through has passed already


def chunks(request: io.BytesIO) -> bytes:
    """Read a body that was sent in pieces, each after its length."""
    body = b""
    while size := int(request.readline(), 16):
        body += request.read(size)
        request.readline()
    return body


class PrivateLoop(asyncio.BaseEventLoop):
    """An event loop that runs to an end inside another one, which Python's own loops refuse.

    Nothing in it waits for anything outside. So when all tasks sleep, its clock goes on to the next one at once:
    the mock server's delays take no time here, and ``Answer.waited`` tells how long they were.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        self.ahead = 0.0

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end, also below a loop that is running."""
        outer = asyncio._get_running_loop()
        task = asyncio.current_task(outer) if outer else None
        if outer and task:
            asyncio.tasks._leave_task(outer, task)
        asyncio._set_running_loop(None)
        try:
            self.run_until_complete(coroutine)
        finally:
            asyncio._set_running_loop(outer)
            if outer and task:
                asyncio.tasks._enter_task(outer, task)

    def time(self) -> float:
        """Return the seconds of its clock."""
        return super().time() + self.ahead

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait for what a selector waits for: there is none, so only the clock goes on."""
        if timeout is None:
            raise RuntimeError("The mock server waits for something that cannot happen in one process.")
        self.ahead += timeout
        return []

    def run_in_executor(self, executor: Any, function: Any, *arguments: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Run it now: there are no threads."""
        future = self.create_future()
        future.set_result(function(*arguments))
        return future

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


_loop = PrivateLoop()
