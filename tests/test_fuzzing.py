"""Requests that nobody would think of: Schemathesis makes them up from the contract and holds every answer against it."""

from __future__ import annotations

import math
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import count

import hypothesis.configuration
import hypothesis.strategies as st
import pytest
import schemathesis
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from starlette.types import Message, Receive, Scope, Send

from mock_server import rate_limit, short_links
from mock_server.clock import parse_iso
from mock_server.controls import FARTHEST
from mock_server.tokens import redact
from mock_server.traffic import AccountTraffic

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

    def __init__(self, bench) -> None:
        self.app = bench.app
        self.headers = bench.account()
        self.content = bench.store.content(bench.store.accounts[1])
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
def served(bench, monkeypatch, tmp_path):
    """The application, without what would keep later cases from their answer: limits, faults and a delay."""
    for name in rate_limit.PLANS:
        monkeypatch.setitem(rate_limit.PLANS, name, rate_limit.Plan(name, 10**9, 10**9))
    monkeypatch.setattr(AccountTraffic, "next_fault", lambda traffic: None)
    monkeypatch.setattr(short_links, "REDIRECT_DELAY", 0)
    hypothesis.configuration.set_hypothesis_home_dir(tmp_path)
    moments = (YEARS | MONTH).map(datetime.isoformat)
    schemathesis.openapi.format("date-time", st.builds("{}{}".format, moments, ZONES))
    schemathesis.hook("before_call")(leave_one_flaw)
    yield Served(bench)
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
