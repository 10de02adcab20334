"""``/_mock/…``: controls for lessons, tests and instructors, in a namespace that linked.is does not have.

With a page session or a token of an account, an expired one too, a control acts on that account alone. Without
one it acts on all accounts, and answers to the instructor only.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server import scenarios
from mock_server.api import Resource
from mock_server.api.validation import checked, flag, instant, json_object, number, one_of, required, whole_number
from mock_server.authentication import owner
from mock_server.clock import DAY, iso
from mock_server.envelope import Forbidden, InvalidRequest, encode, success
from mock_server.instructor import Instructor
from mock_server.model import Account
from mock_server.page.sessions import Sessions, refuse_other_sites
from mock_server.rate_limit import PLANS
from mock_server.store import Store
from mock_server.traffic import NOBODY, Fault, Traffic

FARTHEST = 100 * 366 * 24 * 60 * 60  # seconds: the span of years that a clock can show
CLOCK_FIELDS = {"set": instant, "advance": whole_number(-FARTHEST, FARTHEST), "freeze": flag}
# How many seconds each fault takes, unless told otherwise.
FAULTS = {"500": 0, "503": 2, "429": 2, "slow": 2, "timeout": 30, "drop": 0}
FAULT_FIELDS = {
    "fault": one_of("none", *FAULTS),
    "calls": whole_number(1, 1_000),
    "seconds": number(0, DAY),
    "header": one_of("seconds", "date", "none"),
}
PLAN_FIELDS = {"plan": one_of(*PLANS)}


def resources(store: Store, traffic: Traffic, instructor: Instructor) -> list[Resource]:
    """Return the resources."""
    sessions = Sessions(store)

    async def health(request: Request) -> Response:
        return success(encode({"service": "linked.is mock server"}))

    async def reset(request: Request) -> Response:
        account = addressed_account(request)
        store.reset(account)
        for one in chosen(account):
            traffic.pop(one.id, None)
        return answer(account)

    async def clock(request: Request) -> Response:
        account = addressed_account(request)
        body = checked(await json_object(request), CLOCK_FIELDS)
        if list(body) == ["advance"]:
            now = store.advance_clock(account, body["advance"])
        elif list(body) == ["set"]:
            now = store.set_clock(account, body["set"])
        elif list(body) == ["freeze"]:
            now = store.freeze_clock(account, body["freeze"])
        else:
            raise InvalidRequest('Send one of {"advance": seconds}, {"set": "an ISO 8601 time"} and {"freeze": true}.')
        return answer(account, now=iso(now))

    async def faults(request: Request) -> Response:
        account = addressed_account(request)
        body = required(checked(await json_object(request), FAULT_FIELDS), "fault")
        kind = body.pop("fault")
        wanted = {"calls": 1, "seconds": FAULTS.get(kind, 0), "header": "seconds", **body}
        for one in chosen(account):
            traffic[one.id].fault = None if kind == "none" else Fault(kind, **wanted)
        return answer(account, fault=kind, **({} if kind == "none" else wanted))

    async def plan(request: Request) -> Response:
        account = addressed_account(request)
        name = required(checked(await json_object(request), PLAN_FIELDS), "plan")["plan"]
        store.change_plan(account, name)
        return answer(account, plan=name, perMinute=PLANS[name].per_minute, perDay=PLANS[name].per_day)

    async def scenario(request: Request) -> Response:
        account = addressed_account(request)
        order = checked(await json_object(request), scenarios.FIELDS)
        begun = scenarios.begin(order, [(one, traffic[one.id]) for one in chosen(account)], store)
        return answer(account, **begun)

    async def requests(request: Request) -> Response:
        account = addressed_account(request)
        accounts = [account.id] if account else [NOBODY, *store.accounts]
        return answer(account, requests=[call.as_json() for call in traffic.recent(accounts)])

    def chosen(account: Account | None) -> list[Account]:
        return [account] if account else list(store.accounts.values())

    def addressed_account(request: Request) -> Account | None:
        """Return the account to act on, ``None`` for all. Raises Forbidden or InvalidToken."""
        refuse_other_sites(request)
        authorization = request.headers.getlist("authorization")
        if authorization:
            return owner(authorization, store)
        if sessions.cookie(request) is None:
            instructor.require(request)
            return None
        account = sessions.account(request)
        if account is None:  # somebody whose session has ended doesn't mean all accounts
            raise Forbidden("Your session on the page has ended. Log in again, or send no cookie to act on all accounts.")
        return account

    return [
        Resource("/health", GET=health),
        Resource("/reset", POST=reset),
        Resource("/clock", POST=clock),
        Resource("/faults", POST=faults),
        Resource("/plan", POST=plan),
        Resource("/scenario", POST=scenario),
        Resource("/requests", GET=requests),
    ]


def answer(account: Account | None, **values: Any) -> Response:
    """Answer with the account that was acted on, and with what came of it."""
    return success(encode({"account": account.email if account else "all", **values}))
