"""Requests that nobody would think of: Schemathesis makes them up from the contract and holds every answer against it.

At the end, others that know nothing of the contract: no answer is a mistake of the server.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from urllib.parse import quote, unquote, urlencode

import hypothesis.configuration
import hypothesis.strategies as st
import pytest
import schemathesis
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from starlette.types import Message, Receive, Scope, Send

from mock_server import rate_limit, short_links
from mock_server.app import METHODS
from mock_server.clock import DAY, parse_iso
from mock_server.controls import FARTHEST
from mock_server.scenarios import SCENARIOS
from mock_server.tokens import digest, redact
from mock_server.traffic import AccountTraffic
from mock_server.web.sessions import form_token
from tools.running import run_async

pytestmark = pytest.mark.long

HOUR = 60 * 60
SHOWN = 20  # failures
# The years that the contract allows, a day away from their ends; and a month in which every interval fits.
YEARS = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30))  # noqa: DTZ001, the zone is drawn apart
MONTH = st.datetimes(datetime(2027, 1, 1), datetime(2027, 1, 31))  # noqa: DTZ001
ZONES = st.sampled_from(("Z", "+05:30", "-08:00"))


def test_with_a_token_every_answer_is_in_the_contract(served):
    fuzz(served, with_token=True, examples=190)
    assert served.calls_with_token >= 5_000
    assert set(served.answers_to_strangers) <= {401}  # some cases leave the token out


def test_without_a_token_no_call_of_the_api_succeeds(served):
    fuzz(served, with_token=False, examples=40)
    assert served.answers_to_strangers.total() >= 1_000
    assert set(served.answers_to_strangers) == {401}


class Served:
    """The application as its own computer calls it. Counts the calls with the token, and what the API answers without."""

    def __init__(self, application) -> None:
        self.app = application.app
        self.headers = application.account()
        self.content = application.store.content(application.store.accounts[1])
        self.free_slugs = (f"free-{number}" for number in count())
        self.calls_with_token = 0
        self.answers_to_strangers: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_token = (b"authorization", self.headers["Authorization"].encode()) in scope.get("headers", ())
        self.calls_with_token += has_token

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"].startswith("/v1/") and not has_token:
                self.answers_to_strangers[message["status"]] += 1
            await send(message)

        await self.app({**scope, "client": ("127.0.0.1", 50000)}, receive, counted)


@pytest.fixture
def served(application, monkeypatch, tmp_path):
    """The application, without what would keep later cases from their answer: limits, faults and a delay."""
    for name in rate_limit.PLANS:
        monkeypatch.setitem(rate_limit.PLANS, name, rate_limit.Plan(name, 10**9, 10**9))
    monkeypatch.setattr(AccountTraffic, "next_fault", lambda traffic, method, path: None)
    monkeypatch.setattr(short_links, "REDIRECT_DELAY", 0)
    hypothesis.configuration.set_hypothesis_home_dir(tmp_path)
    moments = (YEARS | MONTH).map(datetime.isoformat)
    schemathesis.openapi.format("date-time", st.builds("{}{}".format, moments, ZONES))
    schemathesis.hook("before_call")(leave_one_flaw)
    yield Served(application)
    schemathesis.hooks.unregister(leave_one_flaw)


def leave_one_flaw(context, case, kwargs) -> None:
    """Fix what only the contract's prose forbids: by the schemas, a case is valid, or invalid for another reason."""
    body = case.body if isinstance(case.body, dict) else {}
    slug = body.get("slug")
    if isinstance(slug, str) and case.operation.app.content.find_slug(slug):  # another has it
        body["slug"] = next(case.operation.app.free_slugs)
    match times(body, "startsAt", "expiresAt"):
        case [start, end] if parse_iso(start) < parse_iso(end):
            body |= {"startsAt": start, "expiresAt": end}
        case [*_, end]:
            body |= {"startsAt": None, "expiresAt": end}
    match times(case.query, "start", "end"):
        case [start, end] if parse_iso(end) - parse_iso(start) < 999 * HOUR:
            case.query |= {"start": start, "end": end}
        case [*_, end]:
            case.query |= {"start": end, "end": end}
    scenario = SCENARIOS.get(str(body.get("scenario")))
    for name, most in {"seconds": DAY, "calls": 1_000}.items():  # a scenario takes one of the two
        value = body.get(name)
        if scenario and name != scenario.number and type(value) in (int, float) and value % 1 == 0 and 0 <= value <= most:
            del body[name]
    advance = body.get("advance")
    if type(advance) in (int, float) and abs(advance) <= FARTHEST:  # in small steps, the clock stays within its years
        body["advance"] = math.fmod(advance, 60)


def times(values: dict[str, object], *names: str) -> list[str]:
    """Return the valid times among the values with these names, the earlier one first."""
    try:
        return sorted((values[name] for name in names if values.get(name) is not None), key=parse_iso)
    except (TypeError, ValueError, OverflowError):
        return []  # what is wrong with one is the flaw of the case


def fuzz(served: Served, with_token: bool, examples: int) -> None:
    """Send cases to every operation, alone and in sequences, through every check. Fail with the cases that fail one."""
    settings = {
        "base-url": "http://127.0.0.1:8787",
        "seed": 1,
        "generation": {"max-examples": examples, "deterministic": True, "with-security-parameters": with_token},
        "continue-on-failure": True,
        "suppress-health-check": ["too_slow"],  # a busy computer is no failure
        "cache": {"enabled": False},
    }
    schema = schemathesis.openapi.from_asgi(
        "/openapi.json",
        served,
        headers={"Host": "127.0.0.1"},
        config=schemathesis.Config.from_dict(settings | ({"headers": served.headers} if with_token else {})),
    )
    failures: dict[tuple, str] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for kind, text in failures_in(event.recorder):
                failures[kind] = min(text, failures.get(kind, text), key=len)  # the simplest case tells most
        elif isinstance(event, events.NonFatalError):
            error = "".join(traceback.format_exception(event.value, limit=-3))
            failures[event.label, event.info.title] = f"{event.label}: {error}"
        elif isinstance(event, events.FatalError):
            failures[()] = repr(event.exception)
        elif isinstance(event, events.EngineFinished):
            assert event.stop_reason is StopReason.COMPLETED
    if failures:
        text = "\n\n".join([f"Failures: {len(failures)}", *failures.values()][: SHOWN + 1])
        pytest.fail(redact(text), pytrace=False)


def failures_in(recorder: ScenarioRecorder) -> Iterator[tuple[tuple, str]]:
    """Yield the kind of each failure in a scenario, and all that a developer needs to see it again."""
    for case_id, checks in recorder.checks.items():
        operation = recorder.cases[case_id].value.operation.label
        for check in (check for check in checks if check.failure_info):
            failure = check.failure_info.failure
            answer = recorder.interactions[failure.case_id or case_id].response
            parts = (f"{operation}: {check.name}", failure, check.failure_info.code_sample, answer.status_code, answer.text[:300])
            yield (operation, check.name, failure.title), "\n".join(map(str, parts))


# Past the contract: every route, the pages too, with headers and bodies that no client library would send

STRANGE = [
    "", " ", "0", "1", "-1", "1e9", "9" * 5_000, "٣", "²", "null", "true", "http://[", "http://a]b", "https://[::1", "//", "[", "]", ":", "a:b:c",
    "%", "%00", "%ff", "\x00", "\n", "\x7f", "\xff\xfe", "é", "\u202e", "\ud800", "None", "-" * 300, "a=b;c", "=;=", '"', "'", "{", "[[" * 999,
    "spring-menu", "Bearer", "Bearer \x85", "Basic !", "2027-13-01", "9999-12-31T23:59:59+14:00", "NaN", "clx1234567890", "blk_246813", "prof_", "learner@example.com",
]  # fmt: skip
FIELDS = ["url", "slug", "title", "startsAt", "clickLimit", "iosEnabled", "displayName", "bio", "advance", "set", "freeze", "fault", "calls",
          "seconds", "header", "plan", "name", "lifetime", "email", "password", "class_code", "form_token", "limit", "cursor", "start", "end",
          "interval", "x"]  # fmt: skip
HEADERS = ["host", "origin", "sec-fetch-site", "sec-fetch-dest", "cookie", "content-type", "content-length", "authorization", "referer",
           "user-agent", "x-forwarded-for", "forwarded", "accept", "range", "if-none-match"]  # fmt: skip
EXAMPLES = {
    "plan": "Pro",
    "fault": "500",
    "name": "x",
    "lifetime": "never",
    "advance": 60,
    "freeze": True,
    "set": "2027-05-01",
    "slug": "x",
}
REQUESTS = 20_000
USEFUL = ["authorization", "cookie", "sec-fetch-site"]
USUAL = {"host": "localhost:8787", "content-type": "application/json"}


def test_nothing_that_anybody_sends_is_the_mistake_of_the_server(served, application, monkeypatch):
    monkeypatch.setattr(hashlib, "scrypt", lambda *password, **cost: b"")  # each takes 50 ms
    sensible = {
        "authorization": [served.headers["Authorization"]],
        "cookie": ["mock_session_8787=mine"],
        "sec-fetch-site": ["same-origin", "none"],
        "content-type": ["application/json", "application/x-www-form-urlencoded"],
        "form_token": [form_token("mine")],
        "url": ["https://example.com"],
        **{name: [value] for name, value in EXAMPLES.items()},
    }
    chance, statuses = random.Random(1), Counter()

    def drawn(name: str) -> str:
        return chance.choice(sensible[name] if name in sensible and chance.random() < 0.8 else STRANGE)

    async def ask_all() -> None:
        for number in range(REQUESTS):
            application.store.add_session(digest("mine"), application.store.accounts[1])  # it may have been ended
            path = re.sub(r"\{\w+(:\w+)?\}", lambda _: chance.choice(STRANGE), chance.choice(application.app.routes).path)
            raw_path = quote(path, errors="replace")
            headers = USUAL | {name: drawn(name) for name in chance.sample([*HEADERS, *USEFUL * 5], chance.randrange(9))}
            fields = {name: drawn(name) for name in ["form_token", *chance.sample([*FIELDS, *["url"] * 9], chance.randrange(4))]}
            program = {name: value for name, value in fields.items() if name != "form_token"}
            body = chance.choice(
                [json.dumps(program), json.dumps({"url": drawn("url")}), urlencode(fields, errors="replace"), drawn("x")]
            )
            query = urlencode({drawn("x"): drawn("x")}, errors="replace") if chance.random() < 0.1 else ""
            request = {
                "type": "http", "http_version": "1.1", "scheme": "http", "root_path": "", "method": chance.choice(["GET", "POST", chance.choice(METHODS)]),
                "path": unquote(raw_path), "raw_path": raw_path.encode(), "query_string": query.encode(),
                "headers": [(name.encode(), spelled(value)) for name, value in headers.items()],
                "client": chance.choice([("127.0.0.1", 1), ("192.0.2.7", 1), None]), "server": ("127.0.0.1", 8787),
            }  # fmt: skip
            status = await answered(application.app, request, spelled(body))
            statuses[status] += 1
            assert status < 500, f"{number}: {request}"

    run_async(ask_all())
    assert {200, 201, 302, 303, 400, 401, 403, 404, 405} <= set(statuses)


def spelled(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


async def answered(app, request: Scope, body: bytes) -> int:
    """Send a request to an application; return the status of its answer."""
    statuses = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    await app(request, receive, send)
    return statuses[0]
