"""What the tests of other projects get: the fixture, the context manager, and the mock server in their own process."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from threading import Thread
from urllib.request import Request, urlopen

import httpx
import httpx2
import pytest
import requests
from starlette.testclient import TestClient

from mock_server.testing import LinkedIs, linked_is
from tools.running import PATIENCE

USES = """
import os
import pytest
import requests

def get(path="/links"):
    headers = {"Authorization": "Bearer " + os.environ["LINKED_IS_API_TOKEN"]}
    return requests.get(os.environ["LINKED_IS_BASE_URL"] + path, headers=headers, timeout=60)

@pytest.mark.parametrize("number", range(6))
def test_a_fresh_account(linked_is, number, record_property):
    assert [get().status_code, len(linked_is.requests), linked_is.requests[0]["path"]] == [200, 1, "/v1/links"]
    print("ACCOUNT", linked_is.control("/requests")["account"], linked_is.base_url)

def test_a_fault(linked_is):
    linked_is.fault("503", calls=2)
    assert [get().status_code for _ in range(3)] == [503, 503, 200]
    with pytest.raises(ValueError, match="fault"):
        linked_is.fault("404")
    linked_is.control("/reset", {})
    assert linked_is.requests == []

def test_the_clock(linked_is):
    os.environ["LINKED_IS_API_TOKEN"] = linked_is.settings_page.generate_token(lifetime="1 hour")
    assert get().status_code == 200
    linked_is.clock.advance(3601)
    assert get().json()["error"]["code"] == "TOKEN_EXPIRED"
    linked_is.clock.freeze()
    linked_is.clock.set("2026-01-02T03:04:05")
    get(), get()
    assert linked_is.requests[-1]["at"] == linked_is.requests[-2]["at"] == "2026-01-02T03:04:05Z"

def test_the_environment_is_as_before():
    assert "LINKED_IS_API_TOKEN" not in os.environ
"""


@pytest.mark.long
@pytest.mark.parametrize("in_process", ["true", "false"])
def test_the_fixture_gives_each_test_an_account_and_each_worker_a_server(tmp_path, in_process):
    (tmp_path / "test_uses.py").write_text(USES, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nlinked_is_in_process = {in_process}\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LINKED_IS_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-rP", "-n", "2", "--disable-plugin-autoload", "-p", "xdist", "-p", "linked_is"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "9 passed" in ended.stdout, ended.stdout
    accounts = re.findall(r"^ACCOUNT (\S+) (\S+)$", ended.stdout, re.MULTILINE)
    assert len({account for account, _ in accounts}) == 6
    assert len({base_url for _, base_url in accounts}) == (1 if in_process == "true" else 2)


@pytest.fixture(scope="module")
def mock():
    with linked_is(in_process=True) as mock:
        yield mock


def by_requests(url, headers):
    return requests.get(url, headers=headers, timeout=PATIENCE).status_code


def by_urllib(url, headers):
    with urlopen(Request(url, headers=headers), timeout=PATIENCE) as answer:
        return answer.status


def by_httpx(url, headers):
    with httpx.Client(headers=headers) as client:
        return {client.get(url).status_code, client.get(url).status_code}.pop()


def by_httpx2(url, headers):
    with httpx2.Client(headers=headers) as client:
        return {client.get(url).status_code, client.post(url, json={"url": 1}).status_code - 200}.pop()


@pytest.mark.parametrize("client", [by_requests, by_urllib, by_httpx, by_httpx2], ids=lambda client: client.__name__)
def test_a_client_needs_no_socket(mock, client):
    assert client(f"{mock.base_url}/links", {"Authorization": f"Bearer {mock.token}"}) == 200


@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
def test_an_asynchronous_client_asks_the_application(mock, library):
    async def status():
        options = {"base_url": mock.base_url, "headers": {"Authorization": f"Bearer {mock.token}"}}
        async with library.AsyncClient(transport=library.ASGITransport(mock.app), **options) as client:
            return (await client.get("/links")).status_code

    with ThreadPoolExecutor() as thread:  # In this one, a browser's loop may be running.
        assert thread.submit(asyncio.run, status()).result() == 200


def test_the_test_client_of_starlette_asks_the_application(mock):
    client = TestClient(mock.app, base_url=mock.base_url, headers={"Authorization": f"Bearer {mock.token}"})
    assert client.get("/links").status_code == 200


def test_threads_take_turns(mock):
    with ThreadPoolExecutor(max_workers=4) as threads:  # a hash of a password lets other threads run
        accounts = list(threads.map(lambda _: LinkedIs(mock.base_url), range(4)))
    assert len({account.token for account in accounts}) == 4


def test_every_other_address_has_its_socket(mock, server):
    with requests.Session() as session:
        for _ in range(2):
            assert session.get(f"{server.origin}/_mock/health", timeout=PATIENCE).ok
    with pytest.raises(requests.ConnectionError):
        requests.get("http://127.0.0.1:2/", timeout=PATIENCE)


def test_a_connection_that_was_closed_elsewhere_is_made_again(mock):
    closed = Queue()

    def answer_and_close(listener):
        for _ in range(2):
            line, _ = listener.accept()
            with line:
                line.recv(10_000)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            closed.put(True)

    with socket.create_server(("127.0.0.1", 0)) as listener, requests.Session() as session:
        Thread(target=answer_and_close, args=[listener], daemon=True).start()
        for _ in range(2):
            assert session.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=PATIENCE).ok
            closed.get(timeout=PATIENCE)


def test_without_pytest_a_function_can_be_decorated():
    @linked_is(in_process=True)
    def read():
        return os.environ["LINKED_IS_BASE_URL"], bool(os.environ["LINKED_IS_API_TOKEN"])

    before = os.environ.get("LINKED_IS_BASE_URL"), socket.create_connection
    assert read() == read() == ("http://127.0.0.1:1/v1", True)
    assert (os.environ.get("LINKED_IS_BASE_URL"), socket.create_connection) == before


def test_who_shows_an_account_shows_no_token(mock):
    assert mock.token not in f"{mock} {mock!r} {mock.clock!r} {mock.requests}"
