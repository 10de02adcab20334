"""Let the mock server answer in a tab, and nobody else: a page of a static site has no network for Python.

A request that tried it would leave an error behind in the browser that stops JupyterLab's *Run All*; so it is refused
here, as a computer without a network does.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from mock_server import transport


def serve(app: ASGIApp, base_url: str) -> Callable[[], None]:
    """Answer every request to the port of ``base_url`` from ``app``; refuse each other address. Return what undoes the first."""
    reason = f"this tab has no network: only the mock server at {urlsplit(base_url).netloc} answers here"

    def refuse(*arguments: Any, **options: Any) -> None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, reason)

    Refusing.reason = reason
    HTTPSConnectionPool.ConnectionCls = Refusing
    return transport.serve(app, base_url, elsewhere=refuse)


class Refusing(HTTPSConnectionPool.ConnectionCls):  # type: ignore[misc]
    """A connection by https, for which Python in a tab lacks what it needs."""

    reason = ""

    def connect(self) -> None:
        """Refuse it. Raises NewConnectionError."""
        raise NewConnectionError(self, self.reason)

    def request(self, *arguments: Any, **options: Any) -> None:
        """Refuse it. Raises NewConnectionError."""
        self.connect()
