"""HTTP/1.1 as uvicorn speaks it with httptools, also to a client that offers another protocol."""

from __future__ import annotations

import sys

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


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
