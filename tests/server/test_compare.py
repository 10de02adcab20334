"""``python -m mock_server.compare``: green against the mock server, red against whatever the contract refuses."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace

import pytest
from requests.structures import CaseInsensitiveDict

from mock_server import compare, transport
from mock_server.app import create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.store import Store
from tools import hold_against_contract as contract
from tools.lies import ANOTHER, LEFT_OUT, Liar, lies
from tools.running import PATIENCE, ROOT

BASE_URL = "http://127.0.0.1:8787/v1"
LIES = {str(lie): lie for lie in lies()}


class Recording(Liar):
    """A Liar that also knows which operation each right answer is of: ``seen``."""

    def __init__(self, app, lies=()):
        super().__init__(app, lies)
        self.seen = []

    async def __call__(self, scope, receive, send):
        await super().__call__(scope, receive, send)
        self.seen.append((scope["method"], scope["path"], self.answers[-1]))


@pytest.fixture
def service(monkeypatch):
    """A mock server in this process. ``service(lie)`` puts a layer in front of it, which tells the lie."""
    store = Store(Database(":memory:"), Clock())
    account = store.add_account("learner@example.com", "")
    token = store.generate_token(account, "Check", None)
    monkeypatch.setenv("LINKED_IS_API_TOKEN", token)

    def serve(lie=None, app=None):
        front = Recording(app or create_app(store), [lie] if lie else [])
        undo.callback(transport.serve(front, BASE_URL))
        return front

    serve.content, serve.token = store.content(account), token
    with ExitStack() as undo:
        yield serve


def content_of(service):
    """Return the ids of all that the account has, but for blocks."""
    return [one.id for one in service.content.links], [one.id for one in service.content.profiles]


def asked_of(seen):
    return {(method, contract.find_path(path)) for method, path, _ in seen}


def test_the_mock_server_is_as_its_contract_says_and_nothing_is_left_of_the_comparison(service, capsys):
    front = service()
    before = content_of(service)
    assert compare.main([BASE_URL]) == 0
    assert {method for method, _ in asked_of(front.seen)} == {"GET"}
    assert compare.main([BASE_URL, "--write"]) == 0
    documented = {operation for operation in contract.operations() if operation[1].startswith("/v1")}
    assert documented ^ asked_of(front.seen) == set(), (
        "Compare each operation: let mock_server/compare.py expect an answer of these."
    )
    assert content_of(service) == before
    said = capsys.readouterr().out
    assert "differs" not in said and "lis_mock_" not in said and "parameter cursor" in said


def test_it_runs_as_a_person_runs_it(server, page):
    environment = {**os.environ, "LINKED_IS_API_TOKEN": page.generate_token()}
    command = [sys.executable, "-m", "mock_server.compare", server.base_url]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"Documented: \d+ hold, 0 differ\nAssumed: \d+ hold, 0 differ\n$", done.stdout)


def tampered(value):
    """Yield copies of a JSON value, each with something else in one place, or with one field more."""
    yield from (
        other for other in (None, True, 0, -1, "", "x", "y" * 3_000, [], {}) if type(other) is not type(value) or other != value
    )
    if isinstance(value, dict):
        yield {**value, "more": 1}
        yield from ({**value, name: other} for name in value for other in tampered(value[name]))
    elif value and isinstance(value, list):
        yield from ([other, *value[1:]] for other in tampered(value[0]))


def test_what_the_contract_refuses_differs(service):
    """The tests hold whole answers against the contract, the program each field. Both must say the same."""
    front = service()
    assert compare.main([BASE_URL, "--write"]) == 0
    seen = {(method, contract.find_path(path), right.status): (path, right) for method, path, right in front.seen}
    verdicts = Counter()
    for (method, template, _), (path, right) in seen.items():
        told = [lie.told(right) for lie in LIES.values() if lie.answer == right.name]
        for one in told + [replace(right, body=body) for body in tampered(right.body)]:
            try:
                contract.check(method, path, one.status, CaseInsensitiveDict(one.headers), json.dumps(one.body).encode())
                expected = False
            except (AssertionError, TypeError):  # TypeError: what is no object has no code
                expected = True
            facts = compare.facts_of(method, template, compare.Answer(one.status, one.headers, one.body))
            assert any(fact.wrong for fact in facts) == expected, f"{method} {path}: {one}"
            verdicts[expected] += 1
    assert min(verdicts.values()) > 300 and verdicts[True] > 2_000, verdicts


@pytest.mark.parametrize(
    ("lie", "finding"),
    [
        (f"list-links: X-RateLimit-Limit {LEFT_OUT}", "DOCUMENTED, differs: header X-RateLimit-Limit: it is missing"),
        (f"list-links: data[].id {LEFT_OUT}", "DOCUMENTED, differs: data[].id"),
        (f"NOT_FOUND: error.code {ANOTHER}", "assumed, differs: code NOT_FOUND"),
        (f"make-block: status {ANOTHER}", "assumed, differs: status 201: it is 202"),
        (f"delete-link: status {ANOTHER}", "assumed, differs: status 200: it is 201"),
    ],
)
def test_a_lying_proxy_is_found(service, capsys, lie, finding):
    service(LIES[lie])
    assert compare.main([BASE_URL, "--write"]) == 1
    assert finding in capsys.readouterr().out


def test_no_answer_brings_the_token_to_the_terminal(service, capsys):
    async def echo(scope, receive, send):
        body = json.dumps({"success": False, "error": {"code": service.token, service.token: 1}, service.token: service.token})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body.encode()})

    service(app=echo)
    assert compare.main([BASE_URL, "--write"]) == 1
    said = "".join(capsys.readouterr())
    assert service.token[9:] not in said and "DOCUMENTED, differs" in said


@pytest.mark.parametrize(
    ("base_url", "token", "words"),
    [
        (BASE_URL, "", "There is no token yet"),
        (BASE_URL, "of-nobody", "refuses your token"),
        ("http://api.linked.is/v1", None, "https://api.linked.is/v1"),
        ("https://api.linked.is/v1", None, "one of the mock server"),
        ("http://127.0.0.1:1/v1", None, "doesn't answer"),
    ],
)
def test_what_keeps_it_from_comparing_is_told(service, capsys, monkeypatch, tmp_path, base_url, token, words):
    monkeypatch.chdir(tmp_path)  # where no .env is
    if token is not None:
        monkeypatch.setenv("LINKED_IS_API_TOKEN", token)
    service()
    assert compare.main([base_url]) == 2
    said = capsys.readouterr().err
    assert words in said and "Kernel" not in said
