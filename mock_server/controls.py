"""``/_mock/…``: controls for lessons and tests, in a namespace that linked.is does not have.

With a page session or any token of an account, an expired or revoked one too, a control acts on that
account alone; without one, on all accounts. They answer to this computer only.
"""

from __future__ import annotations

from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.api import resource
from mock_server.api.validation import json_object
from mock_server.authentication import find_token
from mock_server.clock import iso, parse_iso
from mock_server.envelope import Forbidden, InvalidRequest, success
from mock_server.model import Account
from mock_server.page.sessions import Sessions, refuse_other_sites
from mock_server.store import Store


def routes(store: Store) -> list[Route]:
    """Return the routes."""
    sessions = Sessions(store)

    async def health(request: Request) -> Response:
        return success({"service": "linked.is mock server"})

    async def reset(request: Request) -> Response:
        account = addressed_account(request)
        store.reset(account)
        return success({"account": account.email if account else "all"})

    async def clock(request: Request) -> Response:
        account = addressed_account(request)
        body = await json_object(request)
        if list(body) == ["advance"]:
            now = store.advance_clock(account, checked_seconds(body["advance"]))
        elif list(body) == ["set"]:
            now = store.set_clock(account, checked_moment(body["set"]))
        else:
            raise InvalidRequest('Send {"advance": seconds} or {"set": "an ISO 8601 time"}.')
        return success({"account": account.email if account else "all", "now": iso(now)})

    def addressed_account(request: Request) -> Account | None:
        """Return the account to act on, ``None`` for all. Raises Forbidden or InvalidToken."""
        refuse_other_sites(request)
        if not is_loopback(request):
            raise Forbidden("The controls of the mock server answer to its own computer only.")
        authorization = request.headers.getlist("authorization")
        if authorization:
            return store.accounts[find_token(authorization, store).account_id]
        if sessions.cookie(request) is None:
            return None
        account = sessions.account(request)
        if account is None:  # never take somebody whose session has ended for one who means everybody
            raise Forbidden("Your session on the page has ended. Log in again, or send no cookie to act on all accounts.")
        return account

    return [
        resource("/health", GET=health),
        resource("/reset", POST=reset),
        resource("/clock", POST=clock),
    ]


def is_loopback(request: Request) -> bool:
    """Tell whether the request comes from this computer."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def checked_seconds(value: object) -> int:
    """Return whole seconds. Raises InvalidRequest."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**10:
        raise InvalidRequest("advance: must be a number of seconds.")
    return round(value)


def checked_moment(value: object) -> int:
    """Return Unix seconds. Raises InvalidRequest."""
    try:
        return parse_iso(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidRequest("set: must be a time in ISO 8601, such as 2026-12-31T23:59:59Z.") from None
