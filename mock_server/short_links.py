"""``/s/<slug>``: what a visitor opens, because the mock server can't answer at ``https://linked.is/<slug>``.

What it does with start, end, click limit and expiration URL follows the meaning of the fields; all of it is assumed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mock_server import visitors
from mock_server.authentication import owner
from mock_server.content import Content
from mock_server.database import DatabaseError
from mock_server.envelope import NotFound, RateLimitExceeded
from mock_server.model import Link, Profile
from mock_server.rate_limit import MINUTE
from mock_server.store import Store
from mock_server.web.rendering import HEADERS, page
from mock_server.web.sessions import Sessions

REDIRECT_DELAY = 5  # seconds: linked.is docs, links page
MOST_OPENINGS = 6_000  # of one network address, in a minute


class Openings:
    """How often each network address has opened a short link in the minute at hand, by real time."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def take(self, client: str) -> None:
        """Count one. Raises RateLimitExceeded."""
        minute, second = divmod(int(time.monotonic()), MINUTE)
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        self._counts[client] += 1
        if self._counts[client] > MOST_OPENINGS:
            raise RateLimitExceeded(MINUTE - second)


def routes(store: Store) -> list[Route]:
    """Return the route."""
    sessions = Sessions(store)
    openings = Openings()

    async def open_slug(request: Request) -> Response:
        openings.take(visitors.address(request))
        slug = request.path_params["slug"]
        content = addressed_content(request, slug)
        found = content.find_slug(slug) if content else None
        if content is None or found is None:
            raise NotFound("No link or profile has this slug.")
        counts = request.method == "GET"  # HEAD only looks
        if isinstance(found, Profile):
            if counts:
                with suppress(DatabaseError):
                    content.count_view(found)
            return page(request, "profile.html", profile=found, blocks=list(content.blocks(found)))
        why_ended = end_of(found, content.now())
        target = found.expiration_url if why_ended else with_utm(found)
        if target is None:
            raise NotFound(why_ended)
        if counts and not why_ended:
            with suppress(DatabaseError):  # a visitor gets there when the disk is full, too
                content.count_click(found, visitors.describe(request))
        if found.redirect_delay_enabled:
            await asyncio.sleep(REDIRECT_DELAY)
        return RedirectResponse(target, 302, HEADERS)

    def addressed_content(request: Request, slug: str) -> Content | None:
        """Return whose slug is meant: every account has the same demo slugs, so it may take a token or a page session.

        Raises InvalidToken or NotFound.
        """
        authorization = request.headers.getlist("authorization")
        if authorization:
            return store.content(owner(authorization, store))
        account = sessions.account(request)
        if account:
            return store.content(account)
        owners = [content for content in map(store.content, store.accounts.values()) if content.find_slug(slug)]
        if len(owners) > 1:
            raise NotFound("More than one account here has this slug. Log in first, then open it again: yours is opened then.")
        return owners[0] if owners else None

    return [Route("/s/{slug}", open_slug)]


def end_of(link: Link, now: int) -> str | None:
    """Return why the link has ended at ``now`` (Unix seconds), if it has. Raises NotFound before its start."""
    if link.starts_at is not None and now < link.starts_at:
        raise NotFound("This link has not started yet.")
    if link.expires_at is not None and now >= link.expires_at:
        return "This link has expired."
    if link.click_limit is not None and link.clicks >= link.click_limit:
        return "This link has reached its click limit."
    return None


def with_utm(link: Link) -> str:
    """Return the link's address with its UTM parameters behind the query that it has already."""
    utm = {"utm_source": link.utm_source, "utm_medium": link.utm_medium, "utm_campaign": link.utm_campaign}
    added = urlencode({name: value for name, value in utm.items() if value is not None})
    parts = urlsplit(link.url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added))))) if added else link.url
