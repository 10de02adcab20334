"""One line on the terminal for each request. No secret reaches it."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.tokens import redact

COLOURS = {2: "\033[32m", 3: "\033[36m", 4: "\033[33m", 5: "\033[31m"}


class RequestLog:
    """Hand a line about each request to ``write``: time of day, status, method, path, milliseconds.

    A caller that hung up before it was answered has no status. It shows as ``---``.
    The query and the headers are left out, and a token in the path is hidden.
    """

    def __init__(self, app: ASGIApp, write: Callable[[str], None], coloured: bool) -> None:
        self.app = app
        self.write = write
        self.coloured = coloured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and write its line when it is answered."""
        started = time.perf_counter()
        status: int | None = None

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        except Exception:
            status = status or 500  # answered outside of this log
            raise
        finally:
            milliseconds = (time.perf_counter() - started) * 1000
            shown = str(status or "---")
            if status and self.coloured:
                shown = f"{COLOURS.get(status // 100, '')}{shown}\033[0m"
            # ascii() of a path keeps control characters from drawing on the terminal.
            path = redact(ascii(scope["path"])[1:-1])
            now = time.strftime("%H:%M:%S")
            self.write(f"{now}  {shown}  {scope['method']:6} {path}  {milliseconds:.1f} ms")
