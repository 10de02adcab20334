"""A connection to a client, as uvicorn has it, with bounds: a client can keep neither memory nor a connection for itself."""

from __future__ import annotations

import sys
from asyncio import AbstractEventLoop, Transport
from typing import Any

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_server.gate import HANG_UP

LARGEST_HEAD = 64 * 1024  # bytes of address and headers
MOST_AROUND_BODY = 16 * LARGEST_HEAD  # head, sizes of chunks and trailers
LONGEST_WAIT = 60  # seconds for a whole request

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n"
    b"The address and the headers are larger than 64 KiB."
)


class InOnePiece:
    """A transport that sends what is written to it in one step of the event loop in one piece.

    uvicorn writes head and body apart. That makes two packets, either of which can be lost, and wakes the client twice.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send the data at the end of this step."""
        if not self._pieces:
            self._loop.call_soon(self._send)
        self._pieces.append(data)

    def close(self) -> None:
        """Send what is left, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces.clear()


class Http11(HttpToolsProtocol):
    """Answers a request that offers another protocol as if it didn't: the server may (RFC 9110, section 7.8).

    ``curl --http2`` and Java's ``HttpClient`` offer HTTP/2 in that way. httptools takes the body behind such a head for the
    other protocol. So the head is read once more without its offer, in the way in which uvicorn hands a WebSocket on.
    """

    def data_received(self, data: bytes) -> None:
        """Read what came, and keep it until it is read."""
        self._received = data
        super().data_received(data)
        self._received = b""

    def _should_upgrade(self) -> bool:
        return self._get_upgrade() is not None

    def handle_websocket_upgrade(self) -> None:
        """Go on in HTTP/1.1. Called while httptools' exception, which says where the head ends, is handled."""
        stopped = sys.exc_info()[1]
        rest = self._received[stopped.args[0] :] if stopped else b""
        head = [self.scope["method"].encode(), b" ", self.url, b" HTTP/", self.scope["http_version"].encode(), b"\r\n"]
        for name, value in self.headers:
            head += [] if name == b"upgrade" else [name, b": ", value, b"\r\n"]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        Http11.data_received(self, b"".join([*head, b"\r\n", rest]))  # nothing that a subclass counts has come again


class Connection(Http11):
    """``waiting_since`` is when it began to wait for a request or the rest of one, in seconds of the event loop."""

    waiting_since: float | None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(InOnePiece(transport, self.loop))  # type: ignore[arg-type]
        self.waiting_since = self.loop.time()
        self._around_body = 0
        self._is_too_large = False
        self._extensions: dict[str, Any] = {HANG_UP: self.hang_up}

    def on_message_begin(self) -> None:
        """Let the application hang up."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions

    def hang_up(self) -> None:
        """Close the connection, as if the line had dropped."""
        self.cycle.disconnected = True  # so that uvicorn doesn't miss the answer
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what came, or refuse it."""
        if self.waiting_since is None and self.cycle.response_complete:
            self.waiting_since = self.loop.time()
        self._around_body += len(data)
        super().data_received(data)
        if self._around_body > MOST_AROUND_BODY and not self.transport.is_closing():
            self._is_too_large = True
            self.send_400_response("")

    def on_headers_complete(self) -> None:
        """Hand the request on. Raises ValueError, which ends in an answer."""
        if self._around_body > LARGEST_HEAD:
            self._is_too_large = len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LARGEST_HEAD
            if self._is_too_large:
                raise ValueError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body. How much of it may come is for the application to say."""
        super().on_body(body)
        self._around_body -= len(body)

    def on_message_complete(self) -> None:
        """Wait no more: from now on the client waits, and after the answer uvicorn for the next request."""
        super().on_message_complete()
        self.waiting_since = None
        self._around_body = 0

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or too large for one."""
        if self._is_too_large:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def close_if_late(self) -> None:
        """Close it if it has waited too long."""
        if self.waiting_since is not None and self.loop.time() - self.waiting_since > LONGEST_WAIT:
            self.transport.close()
