"""The pytest plugin: a test that asks for ``linked_is`` has a new account of a mock server.

With ``linked_is_in_process = true`` in pytest's settings, the mock server answers in the process of the tests, without a
socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # every run of pytest loads this file, also one that doesn't need a mock server
    from mock_server.testing import LinkedIs, Server

IN_PROCESS = "linked_is_in_process"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting."""
    parser.addini(IN_PROCESS, "let the mock server of linked_is answer in this process, without a socket", "bool", False)


@pytest.fixture(scope="session")
def linked_is_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """Run the mock server of all tests of this process; with pytest-xdist, each worker has one."""
    from mock_server.testing import server

    with server(in_process=pytestconfig.getini(IN_PROCESS)) as running:
        yield running


@pytest.fixture
def linked_is(linked_is_server: Server) -> Iterator[LinkedIs]:
    """Open a new account of a mock server. Its base URL and token are in the environment as long as the test."""
    with linked_is_server.account() as account:
        yield account
