"""``/_mock/…``: controls for lessons, tests and instructors, in a namespace that linked.is does not have.

With a page session or a token of an account, an expired one too, a control acts on that account alone. Without
one it acts on all accounts, and answers to the instructor only.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server import scenarios
from mock_server.api import Call, Resource
from mock_server.api.validation import (
    Check,
    checked,
    digits,
    flag,
    instant,
    json_object,
    number,
    one_of,
    required,
    text,
    whole_number,
)
from mock_server.authentication import owner
from mock_server.classroom import Classroom
from mock_server.clock import DAY, iso
from mock_server.envelope import Forbidden, InvalidRequest, encode, success
from mock_server.gate import LONGEST_PATH
from mock_server.instructor import Instructor
from mock_server.model import Account
from mock_server.rate_limit import PLANS
from mock_server.store import Store
from mock_server.traffic import NOBODY, Fault, NotedCall, Traffic, fits
from mock_server.web.sessions import Sessions, refuse_other_sites

FARTHEST = 100 * 366 * 24 * 60 * 60  # seconds: the span of years that a clock can show
CLOCK_FIELDS = {"set": instant, "advance": whole_number(-FARTHEST, FARTHEST), "freeze": flag}
# How many seconds each fault takes, unless told otherwise.
FAULTS = {"500": 0, "503": 2, "429": 2, "slow": 2, "timeout": 30, "drop": 0, "no-answer": 0, "lost-answer": 0}
MOST_FAULTS = 100  # that wait for one account
CALL_FIELDS = {"method": one_of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), "path": text(LONGEST_PATH)}
FAULT_FIELDS = {
    "fault": one_of("none", *FAULTS),
    "calls": whole_number(1, 1_000),
    "seconds": number(0, DAY),
    "header": one_of("seconds", "date", "none"),
    "add": flag,
    **CALL_FIELDS,
}
REQUEST_QUERY = {**CALL_FIELDS, "status": digits(100, 599)}
PLAN_FIELDS = {"plan": one_of(*PLANS)}
LIMITER_FIELDS: dict[str, Check] = {"enabled": flag}
ACCOUNT_FIELDS = {"lifetime": whole_number(1, FARTHEST)}


def resources(store: Store, traffic: Traffic, instructor: Instructor, classroom: Classroom) -> list[Resource]:
    """Return the resources."""
    sessions = Sessions(store)

    async def health(request: Request) -> Response:
        classroom.begins(request)
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
        kind, is_added = body.pop("fault"), body.pop("add", False)
        wanted = {"calls": 1, "seconds": FAULTS.get(kind, 0), "header": "seconds", **body}
        waiting = {one.id: traffic[one.id].faults if is_added else [] for one in chosen(account)}
        if any(len(faults) >= MOST_FAULTS for faults in waiting.values()):
            raise InvalidRequest(f"add: {MOST_FAULTS} faults wait already. Wait until some have happened, or take them back.")
        for account_id, faults in waiting.items():
            traffic[account_id].faults = [] if kind == "none" else [*faults, Fault(kind, **wanted)]
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

    async def limiter(request: Request) -> Response:
        account = addressed_account(request)
        enabled = required(checked(await json_object(request), LIMITER_FIELDS), "enabled")["enabled"]
        for one in chosen(account):
            traffic[one.id].limited = enabled
        return answer(account, enabled=enabled)

    async def requests(request: Call) -> Response:
        account = addressed_account(request)
        method, path, status = map(request.query.get, REQUEST_QUERY)

        def is_wanted(call: NotedCall) -> bool:
            return method in (None, call.method) and status in (None, call.status) and (path is None or fits(path, call.path))

        return answer(account, requests=[call.as_json() for call in traffic.recent(callers(account), is_wanted)])

    async def clear_requests(request: Request) -> Response:
        account = addressed_account(request)
        for caller in filter(traffic.__contains__, callers(account)):
            traffic[caller].recent.clear()
        return answer(account)

    async def new_account(request: Request) -> Response:
        instructor.require(request)
        body = checked(await json_object(request), ACCOUNT_FIELDS) if await request.body() else {}
        account, token = open_account(store, body.get("lifetime"))
        data = encode({"account": account.email, "token": token})
        return success(data, 201, {"Cache-Control": "no-store"})

    def callers(account: Account | None) -> list[int]:
        return [account.id] if account else [NOBODY, *store.accounts]

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
        Resource("/limiter", POST=limiter),
        Resource("/requests", REQUEST_QUERY, GET=requests, DELETE=clear_requests),
        Resource("/accounts", POST=new_account),
    ]


def open_account(store: Store, lifetime: int | None = None) -> tuple[Account, str]:
    """Open an account that has a token, but no password: nobody can log in to it. Return both.

    The token lives for ``lifetime`` seconds, ``None`` for ever. Raises InvalidRequest if there are too many accounts.
    """
    emails = (f"account-{number}@example.com" for number in count(len(store.accounts) + 1))
    account = store.add_account(next(email for email in emails if not store.find_account(email)), "")
    return account, store.generate_token(account, "Made by a control", lifetime)


def answer(account: Account | None, **values: Any) -> Response:
    """Answer with the account that was acted on, and with what came of it."""
    return success(encode({"account": account.email if account else "all", **values}))
