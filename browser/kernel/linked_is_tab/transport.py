"""Let `requests` reach an ASGI application in the same process, by the address that it has on a computer.

The way in is urllib3's connection class, the last place where a request is still in one piece. So a session, an
adapter of your own, `Retry`, timeouts and redirects all work as they do over a network.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Coroutine
from http.client import HTTPMessage, RemoteDisconnected, responses
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from starlette.types import ASGIApp, Message
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.response import HTTPResponse

CLIENT = ("127.0.0.1", 0)


def serve(app: ASGIApp, base_url: str) -> None:
    """Answer every request to the host and port of ``base_url`` from ``app``; refuse each other address.

    A page of a static site has no network for Python. A request that tried it would leave an error behind in the
    browser that stops JupyterLab's *Run All*; so it is refused here, as a computer without a network does.
    """
    for pool in (HTTPConnectionPool, HTTPSConnectionPool):
        pool.ConnectionCls = connection(pool.ConnectionCls, app, urlsplit(base_url))


def connection(base: type, app: ASGIApp, address: SplitResult) -> type:
    """Return a class of connections that end in ``app`` instead of in a socket."""

    class Connection(base):
        is_closed = False  # urllib3 sets the time limit of an open connection only
        is_verified = True  # nothing is sent, so there is nothing to warn of

        def connect(self) -> None:
            if (self.host, self.port) != (address.hostname, address.port):
                reason = f"this tab has no network: only the mock server at {address.netloc} answers here"
                raise NewConnectionError(self, reason)

        def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
            self.connect()
            self.sent = (method, url, dict(headers or {}), _as_bytes(body))
            self.preload_content = options.get("preload_content", True)

        def getresponse(self) -> HTTPResponse:
            method, url, headers, body = self.sent
            answer = Answer()
            _loop.run(answer.of(app, method, f"http://{address.netloc}{url}", headers, body))
            limit = self.timeout if isinstance(self.timeout, int | float) else None
            if limit is not None and answer.waited > limit:
                time.sleep(limit)
                raise TimeoutError("timed out")  # urllib3 makes its ReadTimeoutError of it
            time.sleep(answer.waited)
            if answer.status is None:
                raise RemoteDisconnected("Remote end closed connection without response")
            return HTTPResponse(
                body=io.BytesIO(answer.body),
                headers=answer.headers,
                status=answer.status,
                reason=responses.get(answer.status, ""),
                version=11,
                version_string="HTTP/1.1",
                preload_content=self.preload_content,
                request_method=method,
                request_url=url,
                original_response=WithCookies(answer.headers),
            )

    return Connection


class Answer:
    """What an application answers to one request, and how many seconds it ``waited`` by its clock."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.waited = 0.0

    async def of(self, app: ASGIApp, method: str, url: str, headers: dict[Any, Any], body: bytes) -> None:
        """Ask the application."""
        parts = urlsplit(url)
        sent = [(_as_header(name).lower(), _as_header(value)) for name, value in headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme,
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(b"host", parts.netloc.encode()), *((name, value) for name, value in sent if name != b"host")],
            "client": CLIENT,
            "server": (parts.hostname, parts.port),
            "state": {},
        }
        request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return request.pop() if request else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
            else:
                self.body += message.get("body", b"")

        started = _loop.ahead
        await app(scope, receive, send)
        self.waited = _loop.ahead - started  # what was worked through has passed already


class WithCookies:
    """The headers where `requests` looks for cookies: in http.client's own response."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self.msg = HTTPMessage()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        """Tell urllib3 that all of it is there."""
        return True

    def close(self) -> None:
        """Do nothing: there is no connection."""


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
        if task:
            asyncio.tasks._leave_task(outer, task)
        asyncio._set_running_loop(None)
        try:
            self.run_until_complete(coroutine)
        finally:
            asyncio._set_running_loop(outer)
            if task:
                asyncio.tasks._enter_task(outer, task)

    def time(self) -> float:
        """Return the seconds of its clock."""
        return super().time() + self.ahead

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait for what a selector waits for: there is none, so only the clock goes on."""
        if timeout is None:
            raise RuntimeError("The mock server waits for something that cannot happen in a tab.")
        self.ahead += timeout
        return []

    def run_in_executor(self, executor: Any, function: Any, *arguments: Any) -> asyncio.Future[Any]:
        """Run it now: there are no threads."""
        future = self.create_future()
        future.set_result(function(*arguments))
        return future

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


_loop = PrivateLoop()


def _as_bytes(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if body is None or isinstance(body, bytes):
        return body or b""
    if hasattr(body, "read"):
        return _as_bytes(body.read())
    return b"".join(map(_as_bytes, body))


def _as_header(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
