"""What every call of ``/v1/…`` passes: whose token is it, is there a call left, is it to fail, and a note of it."""

from __future__ import annotations

import asyncio
import math
import time
from email.utils import formatdate

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mock_server import rate_limit
from mock_server.api import Call, Handler
from mock_server.authentication import check_alive, find_token
from mock_server.classroom import Classroom
from mock_server.database import DatabaseError
from mock_server.envelope import ApiError, InternalError, RateLimitExceeded, ServiceUnavailable, failure
from mock_server.instructor import HEADER
from mock_server.model import Account
from mock_server.store import Store
from mock_server.traffic import NOBODY, Fault, NotedCall, Traffic

_SECRET = {b"authorization", b"cookie", b"proxy-authorization", HEADER.lower().encode()}
# What is noted of a call: it stays in memory.
LONGEST_PATH, LONGEST_VALUE, MOST_HEADERS, LONGEST_BODY = 2_000, 200, 50, 4_000
WITH_BODY = ("POST", "PATCH")
HANG_UP = "linked_is.hang_up"  # an extension of ASGI: close the connection, whatever was sent
ON_PURPOSE = "A lesson asked the mock server for this failure"


class Gate:
    """Let a call through to ``handler`` only with a live token and a call left, and tell it whose content is meant.

    Each answer, a refusal too, leaves with the ``X-RateLimit`` headers.
    """

    def __init__(self, handler: Handler, store: Store, traffic: Traffic, classroom: Classroom) -> None:
        self.handler = handler
        self.store = store
        self.traffic = traffic
        self.classroom = classroom

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        authorization = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        noted = self._noted(scope)
        account: Account | None = None
        limits: list[tuple[bytes, bytes]] | None = None
        fault: Fault | None = None
        crash: Exception | None = None
        try:
            token = find_token(authorization, self.store)
            account = self.store.accounts[token.account_id]
            own = self.traffic[account.id]
            noted.token_name, noted.at = token.name, self.store.now(account)
            own.recent.append(noted)
            own.count_down()
            check_alive(token, noted.at)
            self.store.note_use(token, noted.at)
            plan = rate_limit.PLANS[account.plan]
            limits = own.meter.take(plan, noted.at) if own.limited else rate_limit.untouched(noted.at, plan)
            call = Call(scope, receive)
            if noted.method in WITH_BODY:  # before a fault: a call that fails has been sent too
                noted.body = (await call.body())[:LONGEST_BODY]
            fault = own.next_fault(noted.method, scope["path"])
            if fault and await fails(fault, scope, send):
                self.classroom.called(noted, account)
                return
            call.content = self.store.content(account)
            response = await self.handler(call)
        except ApiError as error:
            if isinstance(error, RateLimitExceeded):
                limits = error.rate_limit or limits
            if noted.token_name is None:
                self.traffic[NOBODY].recent.append(noted)
            response = self._refused(noted, error)
        except DatabaseError as error:
            response = self._refused(noted, InternalError(str(error)))
        except ClientDisconnect:
            raise  # nobody is there to be answered
        except Exception as error:
            response, crash = self._refused(noted, InternalError()), error
        noted.status = response.status_code
        self.classroom.called(noted, account)
        if fault and fault.kind == "lost-answer":
            await asyncio.sleep(fault.seconds)
            hang_up(scope)
            return
        response.raw_headers += limits or rate_limit.untouched(noted.at)
        await response(scope, receive, send)
        if crash:
            raise crash  # the log shows where

    def _noted(self, scope: Scope) -> NotedCall:
        self.traffic.calls_so_far += 1
        return NotedCall(
            order=self.traffic.calls_so_far,
            at=self.store.clock.now(),
            address=scope["client"][0] if scope["client"] else "",
            method=scope["method"],
            path=scope["path"][:LONGEST_PATH],
            query=scope["query_string"][:LONGEST_PATH].decode("latin-1"),
            headers=[
                (name[:LONGEST_VALUE], b"" if name in _SECRET else value[:LONGEST_VALUE])
                for name, value in scope["headers"][:MOST_HEADERS]
            ],
        )

    def _refused(self, noted: NotedCall, error: ApiError) -> Response:
        noted.error, noted.hint = error.code, error.headers.get("X-Mock-Hint")
        return failure(error)


def retry_after(seconds: int, form: str) -> dict[str, str]:
    """Spell the header Retry-After as a lesson asked. A date is by real time, as the header Date is."""
    date = formatdate(math.ceil(time.time()) + seconds, usegmt=True)
    return {"seconds": {"Retry-After": str(seconds)}, "date": {"Retry-After": date}, "none": {}}[form]


def hang_up(scope: Scope) -> None:
    """Close the connection, as if the line had dropped. Without a network there is none: what was sent is all that comes."""
    if close := scope.get("extensions", {}).get(HANG_UP):
        close()


async def fails(fault: Fault, scope: Scope, send: Send) -> bool:
    """Fail as a lesson asked; return whether the call has ended. Raises the error that the call is to end in."""
    if fault.kind == "500":
        raise InternalError(ON_PURPOSE)
    if fault.kind in ("429", "503"):
        seconds = math.ceil(fault.seconds)
        error = RateLimitExceeded(seconds) if fault.kind == "429" else ServiceUnavailable(ON_PURPOSE)
        error.headers = retry_after(error.retry_after if isinstance(error, RateLimitExceeded) else seconds, fault.header)
        raise error
    if fault.kind == "lost-answer":  # first, it is carried out
        return False
    await asyncio.sleep(fault.seconds)
    if fault.kind == "slow":
        return False
    if fault.kind == "drop":  # a promise of more than is sent
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
    hang_up(scope)
    return True
