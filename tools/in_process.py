"""A mock server in the process of the tests, as in a browser tab."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from urllib3 import HTTPSConnectionPool

from mock_server.app import create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.store import Store
from tools.running import ROOT

sys.path.insert(0, str(ROOT / "browser" / "kernel"))
from linked_is_tab import transport


@contextmanager
def without_sockets(base_url: str) -> Iterator[None]:
    """Let a new mock server answer in this process. At the end, clients use sockets again."""
    store = Store(Database(":memory:"), Clock())
    with patch.object(HTTPSConnectionPool, "ConnectionCls"):
        undo = transport.serve(create_app(store), base_url)
        try:
            yield
        finally:
            undo()
            store.database.close()
