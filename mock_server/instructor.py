"""Who may act on all accounts, and see them: somebody on the mock server's own computer, or with the instructor code."""

from __future__ import annotations

import hmac
import secrets
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response

from mock_server.envelope import Forbidden
from mock_server.tokens import digest
from mock_server.visitors import address
from mock_server.web.sessions import cookie_attributes, cookie_name, refuse_other_sites

COOKIE = "mock_instructor"
HEADER = "X-Mock-Instructor"
# What proxies add to a call that they pass on.
_OF_A_PROXY = ("x-forwarded", "forwarded", "x-real-ip", "via")


def new_code() -> str:
    """Return an instructor code that nobody can guess."""
    return secrets.token_urlsafe(12)


class Instructor:
    """Tells the instructor from everybody else. ``behind_proxy``: a call that comes from this computer may be anybody's."""

    def __init__(self, code: str, behind_proxy: bool) -> None:
        self._code = code
        self._behind_proxy = behind_proxy

    def require(self, request: Request) -> None:
        """Refuse everybody else, and what another site sends in the instructor's name. Raises Forbidden."""
        refuse_other_sites(request)
        cookie = request.cookies.get(cookie_name(request, COOKIE), "")
        if not (
            self._is_code(request.headers.get(HEADER, ""))
            or hmac.compare_digest(cookie.encode(), digest(self._code).encode())
            or self._is_at_this_computer(request)
        ):
            raise Forbidden(
                "Without a token or a page session, this answers to the instructor only: on the mock server's own computer, "
                f"or with the instructor code, in the header {HEADER} or after a log-in at /instructor."
            )

    def log_in(self, request: Request, response: Response, code: str) -> bool:
        """Let a browser be the instructor's if the code is right. Tell whether it is. Raises Forbidden."""
        refuse_other_sites(request)
        is_right = self._is_code(code.strip())
        if is_right:
            response.set_cookie(cookie_name(request, COOKIE), digest(self._code), **cookie_attributes(request))
        return is_right

    def _is_code(self, code: str) -> bool:
        return hmac.compare_digest(code.encode(), self._code.encode())

    def _is_at_this_computer(self, request: Request) -> bool:
        if self._behind_proxy or any(name.startswith(_OF_A_PROXY) for name in request.headers):
            return False
        try:
            return ip_address(address(request)).is_loopback
        except ValueError:
            return False
