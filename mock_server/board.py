"""``/_mock/class``: the instructor's board. It shows who has generated, used and revoked a token, and the last error of each learner."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.instructor import Instructor
from mock_server.model import Account
from mock_server.page.rendering import HEADERS, go_to, page
from mock_server.page.sessions import form_fields
from mock_server.store import Store
from mock_server.traffic import NOBODY, NotedCall, Traffic

# The page's script asks for what is new.
_HEADERS = {**HEADERS, "Content-Security-Policy": HEADERS["Content-Security-Policy"] + "; connect-src 'self'"}


@dataclass(frozen=True)
class Learner:
    """A row of the board. ``last_error`` is the latest call that failed."""

    email: str
    generated: int
    used: int
    revoked: int
    last_call: NotedCall | None
    last_error: NotedCall | None


def routes(store: Store, traffic: Traffic, instructor: Instructor) -> list[Route]:
    """Return the routes of the board and its log-in."""

    async def show(request: Request) -> Response:
        instructor.require(request)
        learners = [learner(account) for account in store.accounts.values()]
        strangers = [call for call in traffic.recent([NOBODY]) if call.error][:10]
        return page(request, "class.html", headers=_HEADERS, learners=learners[::-1], strangers=strangers)

    async def log_in(request: Request) -> Response:
        if request.method != "POST":
            return page(request, "instructor.html")
        response = go_to(request, "/_mock/class")
        if not instructor.log_in(request, response, (await form_fields(request)).get("code", "")):
            return page(request, "instructor.html", 400, error="This is not the instructor code. The terminal has it.")
        return response

    def learner(account: Account) -> Learner:
        tokens = store.tokens(account)
        calls = traffic.recent([account.id])
        return Learner(
            email=account.email,
            generated=len(tokens),
            used=sum(token.last_used_at is not None for token in tokens),
            revoked=sum(token.revoked_at is not None for token in tokens),
            last_call=calls[0] if calls else None,
            last_error=next((call for call in calls if call.error), None),
        )

    return [Route("/_mock/class", show), Route("/instructor", log_in, methods=["GET", "POST"], include_in_schema=False)]
