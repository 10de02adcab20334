"""One line on the terminal for each request. No secret reaches it, and nobody waits for it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.tokens import redact

COLOURS = {2: "\033[32m", 3: "\033[36m", 4: "\033[33m", 5: "\033[31m"}
LONGEST_PATH = 2_000  # characters
MOST_WAITING = 1_000  # lines
LAST_LINES = 1  # second in which the last lines must be out


class Unblocked(io.TextIOBase):
    """A stream that takes its text at once: a thread hands it on to ``stream``, a pipe perhaps that nobody reads.

    If more lines wait than MOST_WAITING, the next ones are left out. A full disk stops nothing either. A context manager.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        # A daemon, so that the end of the program need not wait for a reader either.
        self._thread = Thread(target=self._hand_on, daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        """Take a text."""
        if self._waiting.qsize() < MOST_WAITING:
            self._waiting.put(text)
        return len(text)

    def close(self) -> None:
        """Take no more. What waits is out soon, or never."""
        if not self.closed:
            self._waiting.put(None)
            self._thread.join(LAST_LINES)
        super().close()

    def _hand_on(self) -> None:
        # Past the stream's buffer: that has a lock, which nobody may hold when Python ends.
        file = io.FileIO(self._stream.fileno(), "w", closefd=False)
        while (text := self._waiting.get()) is not None:
            with suppress(OSError):
                file.write(text.encode(self._stream.encoding, "backslashreplace"))


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
            path = redact(ascii(scope["path"])[1:-1])[:LONGEST_PATH]
            now = time.strftime("%H:%M:%S")
            self.write(f"{now}  {shown}  {scope['method']:6} {path}  {milliseconds:.1f} ms")
