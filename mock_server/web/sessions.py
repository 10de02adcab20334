"""Who is in front of the page: session cookies and the form token."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from mock_server.envelope import Forbidden, InvalidRequest
from mock_server.model import Account
from mock_server.store import Store
from mock_server.tokens import digest

MOST_FIELDS = 50  # of a form


class Sessions:
    """Session cookies. The store keeps their SHA-256; a visitor's cookie before login is not kept at all."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def account(self, request: Request) -> Account | None:
        """Return the account that the browser is logged in to."""
        cookie = self.cookie(request)
        return self.store.find_session(digest(cookie)) if cookie else None

    def cookie(self, request: Request) -> str | None:
        """Return the value of the session cookie."""
        return request.cookies.get(cookie_name(request))

    def greet(self, request: Request, response: Response) -> str:
        """Return the visitor's cookie; give one to a browser that has none, so that its forms can be told apart."""
        return self.cookie(request) or self._set_cookie(request, response)

    def log_in(self, request: Request, response: Response, account: Account) -> None:
        """Give the browser a new cookie: one that was planted before the login is worth nothing after it."""
        with self.store.database.transaction():
            self._end(request)
            self.store.add_session(digest(self._set_cookie(request, response)), account)

    def log_out(self, request: Request, response: Response) -> None:
        """End the session here and in the browser."""
        self._end(request)
        response.delete_cookie(cookie_name(request), **cookie_attributes(request))

    def _end(self, request: Request) -> None:
        cookie = self.cookie(request)
        if cookie:
            self.store.end_session(digest(cookie))

    def _set_cookie(self, request: Request, response: Response) -> str:
        value = secrets.token_urlsafe(32)
        response.set_cookie(cookie_name(request), value, **cookie_attributes(request))
        return value


async def form_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent. Raises InvalidRequest."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise InvalidRequest(f"A form has at most {MOST_FIELDS} fields.") from None


def form_token(cookie: str) -> str:
    """Return the hidden field of a form: only a page that we sent to this browser can know it."""
    return digest("form " + cookie)


def check_form(request: Request, form: Mapping[str, str], cookie: str | None) -> None:
    """Refuse a form that another site sent in the visitor's name. Raises Forbidden."""
    refuse_other_sites(request)
    expected = form_token(cookie) if cookie else ""
    if not hmac.compare_digest(form.get("form_token", "").encode(), expected.encode()) or not cookie:
        raise Forbidden("This form is out of date. Go back, reload the page and send it again.")


def refuse_other_sites(request: Request) -> None:
    """Refuse a request that a page of another site makes a browser send. Raises Forbidden."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site:
        allowed = site in ("same-origin", "none")
    else:
        allowed = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if not allowed:
        raise Forbidden("Another site sent this request. Open the page of the mock server itself.")


def cookie_name(request: Request, name: str = "mock_session") -> str:
    """Return the name under which this server knows a cookie."""
    # A browser has one set of cookies for all ports of a host: two mock servers beside each other must not take each other's.
    port = request.headers["host"].rpartition(":")[2]
    name = f"{name}_{port}" if port.isdecimal() else name
    return f"__Host-{name}" if request.url.scheme == "https" else name


def cookie_attributes(request: Request) -> dict[str, Any]:
    """Return what a browser may do with a cookie."""
    secure = request.url.scheme == "https"
    # Without a path a browser takes that of the page, which is our top, also where a proxy shows us below a path.
    return {"path": "/" if secure else None, "httponly": True, "samesite": "lax", "secure": secure}
