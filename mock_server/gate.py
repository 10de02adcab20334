"""What every call of ``/v1/…`` passes: whose token is it, is there a call left, is it to fail, and a note of it."""

from __future__ import annotations

import asyncio
import math

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server import rate_limit
from mock_server.authentication import check_alive, find_token
from mock_server.envelope import ApiError, InternalError, RateLimitExceeded, ServiceUnavailable, failure, from_http
from mock_server.store import Store
from mock_server.traffic import NOBODY, Call, Fault, Traffic

_SECRET = {b"authorization", b"cookie", b"proxy-authorization"}
ON_PURPOSE = "A lesson asked the mock server for this failure"


class Gate:
    """Let a call through to ``app`` only with a live token and a call left, and tell it the account.

    Each answer, a refusal too, leaves with the ``X-RateLimit`` headers.
    """

    def __init__(self, app: ASGIApp, store: Store, traffic: Traffic) -> None:
        self.app = app
        self.store = store
        self.traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        authorization = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        call = self._noted(scope)
        limits: list[tuple[bytes, bytes]] = []

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                message["headers"] += limits or rate_limit.untouched(call.at)
            await send(message)

        try:
            token = find_token(authorization, self.store)
            account = self.store.accounts[token.account_id]
            own = self.traffic[account.id]
            call.token_name, call.at = token.name, self.store.now(account)
            own.recent.append(call)
            check_alive(token, call.at)
            self.store.note_use(token, call.at)
            limits = own.meter.take(rate_limit.PLANS[account.plan], call.at)
            scope["state"] = {"content": self.store.content(account), "call": call}
            fault = own.next_fault()
            if fault is None or not await fails(fault, send_with_limits):
                await self.app(scope, receive, send_with_limits)
        except (ApiError, HTTPException) as error:
            if isinstance(error, HTTPException):
                error = from_http(error)
            if isinstance(error, RateLimitExceeded):
                limits = error.rate_limit or limits
            if call.token_name is None:
                self.traffic[NOBODY].recent.append(call)
            call.note_error(error)
            await failure(error)(scope, receive, send_with_limits)
        except Exception:
            if not call.status:
                await failure(InternalError())(scope, receive, send_with_limits)
            raise  # the terminal shows where

    def _noted(self, scope: Scope) -> Call:
        self.traffic.calls_so_far += 1
        return Call(
            order=self.traffic.calls_so_far,
            at=self.store.clock.now(),
            address=scope["client"][0] if scope["client"] else "",
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=[(name, b"" if name in _SECRET else value) for name, value in scope["headers"]],
        )


async def fails(fault: Fault, send: Send) -> bool:
    """Fail as a lesson asked; return whether an answer was sent. Raises the error that the call is to end in."""
    if fault.kind == "500":
        raise InternalError(ON_PURPOSE)
    if fault.kind == "503":
        raise ServiceUnavailable(ON_PURPOSE, {"Retry-After": str(math.ceil(fault.seconds))})
    if fault.kind == "429":
        raise RateLimitExceeded(retry_after=math.ceil(fault.seconds))
    await asyncio.sleep(fault.seconds)
    if fault.kind == "slow":
        return False
    # A promise of more than is sent: the server can only close the connection, as if the line had dropped.
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    return True
