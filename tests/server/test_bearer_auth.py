"""Where a token goes: the ``BearerAuth`` of *Call the API*, and what requests does with the header on a redirect."""

import asyncio
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import nbformat
import pytest
import requests

from tools.running import NOTEBOOKS, PATIENCE, run_async

CALL_THE_API, ROTATE = NOTEBOOKS[3], NOTEBOOKS[6]


def code_of(path):
    """Return the code cells of a notebook, those that say nothing to IPython alone."""
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture
def bearer_auth():
    """The class as the lesson has it."""
    names = {"requests": requests}
    exec(next(source for source in code_of(CALL_THE_API) if "class BearerAuth" in source), names)
    return names["BearerAuth"]


@pytest.mark.parametrize(
    ("base_url", "url", "sent"),
    [
        ("https://api.linked.is/v1", "https://api.linked.is/v1/links?limit=2", True),
        ("https://api.linked.is/v1/", "https://api.linked.is/v1/links", True),
        ("https://API.Linked.IS/v1", "https://API.Linked.IS/v1/links", True),
        ("HTTP://LocalHost:8787/v1", "http://localhost:8787/v1/links", True),
        ("https://api.linked.is/v1", "https://api.linked.is/v10/links", False),
        ("https://api.linked.is/v1", "https://api.linked.is/v1/../login", False),
        ("https://api.linked.is/v1", "http://api.linked.is/v1/links", False),
        ("https://api.linked.is/v1", "https://api.linked.is:8443/v1/links", False),
        ("https://api.linked.is/v1", "https://api.linked.is@example.com/v1/links", False),
        ("https://api.linked.is/v1", "https://example.com/?https://api.linked.is/v1/", False),
    ],
)
def test_the_token_goes_to_the_api_however_its_address_is_spelled(bearer_auth, base_url, url, sent):
    prepared = requests.Request("GET", url, auth=bearer_auth("a-made-up-token", base_url)).prepare()
    assert prepared.headers.get("Authorization") == ("Bearer a-made-up-token" if sent else None)


class Noting(ThreadingHTTPServer):
    """A server on a free port that notes what it is sent as ``Authorization``, and redirects ``/v1/…`` to ``target``."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.origin, self.target, self.got = f"http://127.0.0.1:{self.server_port}", None, []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.got.append((self.path, self.headers.get("Authorization")))
        self.send_response(307 if self.path.startswith("/v1/") else 200)
        self.send_header("Location", self.server.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_redirect_is_followed_without_the_class_and_keeps_the_header_on_the_same_host_and_port(bearer_auth):
    with ExitStack() as servers:
        api, other = (servers.enter_context(Noting()) for _ in range(2))
        servers.callback(lambda: [server.shutdown() for server in (api, other)])
        session, bearer = requests.Session(), "Bearer a-made-up-token"
        session.auth = bearer_auth("a-made-up-token", f"{api.origin}/v1")
        for target in (f"{api.origin}/other", f"{other.origin}/other"):
            api.target = target
            session.get(f"{api.origin}/v1/links", timeout=PATIENCE)
        assert api.got == [("/v1/links", bearer), ("/other", bearer), ("/v1/links", bearer)]
        assert other.got == [("/other", None)]


def test_the_program_of_the_rotation_leaves_the_event_loop_free_while_it_waits_for_an_answer():
    (program,) = [source for source in code_of(ROTATE) if "async def" in source]
    begun, loop_runs, answered = threading.Event(), threading.Event(), []

    class Session:
        def get(self, *_, **__):
            begun.set()
            answered.append(loop_runs.wait(PATIENCE))
            return requests.Response()

    async def beside_it():
        names = {"asyncio": asyncio, "session": Session(), "count": {"succeeded": 0, "failed": 0}, "BASE_URL": ""}
        exec(program, names)
        task = asyncio.create_task(names["call_again_and_again"]())
        await asyncio.to_thread(begun.wait, PATIENCE)
        loop_runs.set()
        task.cancel()
        await asyncio.wait([task])

    run_async(beside_it())
    assert answered == [True]
