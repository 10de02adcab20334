"""``/v1/links``: list, make, read, change, delete.

``GET`` on the list: linked.is docs, authentication page. Fields and ``POST``: links page. The verbs
on one link are assumed.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.api import resource
from mock_server.api.validation import (
    checked,
    flag,
    instant,
    json_object,
    optional,
    slug,
    text,
    web_address,
    whole_number,
)
from mock_server.clock import iso
from mock_server.envelope import InvalidRequest, success
from mock_server.model import Link
from mock_server.store import Store

FIELDS = {
    "url": web_address,
    "slug": slug,
    "title": optional(text(200)),
    "startsAt": optional(instant),
    "expiresAt": optional(instant),
    "clickLimit": optional(whole_number(1, 1_000_000_000)),
    "expirationUrl": optional(web_address),
    "utmSource": optional(text(200)),
    "utmMedium": optional(text(200)),
    "utmCampaign": optional(text(200)),
    "appLinkingEnabled": flag,
    "iosEnabled": flag,
    "androidEnabled": flag,
    "redirectDelayEnabled": flag,
}


def as_json(link: Link) -> dict[str, Any]:
    """Spell a link as the API does."""
    return {
        "id": link.id,
        "url": link.url,
        "slug": link.slug,
        "shortUrl": f"https://linked.is/{link.slug}",
        "title": link.title,
        "clicks": link.clicks,
        "startsAt": iso(link.starts_at),
        "expiresAt": iso(link.expires_at),
        "clickLimit": link.click_limit,
        "expirationUrl": link.expiration_url,
        "utmSource": link.utm_source,
        "utmMedium": link.utm_medium,
        "utmCampaign": link.utm_campaign,
        "appLinkingEnabled": link.app_linking_enabled,
        "iosEnabled": link.ios_enabled,
        "androidEnabled": link.android_enabled,
        "redirectDelayEnabled": link.redirect_delay_enabled,
        "createdAt": iso(link.created_at),
    }


def routes(store: Store) -> list[Route]:
    """Return the routes; each expects the account in the request's state."""

    async def list_links(request: Request) -> Response:
        return success([as_json(link) for link in store.links(request.state.account)])

    async def make_link(request: Request) -> Response:
        values = checked(await json_object(request), FIELDS)
        if "url" not in values:
            raise InvalidRequest("url: is required.")
        return success(as_json(store.add_link(request.state.account, values)), status=201)

    async def read_link(request: Request) -> Response:
        return success(as_json(store.link(request.state.account, request.path_params["id"])))

    async def change_link(request: Request) -> Response:
        link = store.link(request.state.account, request.path_params["id"])
        store.change_link(link, checked(await json_object(request), FIELDS))
        return success(as_json(link))

    async def delete_link(request: Request) -> Response:
        store.delete_link(store.link(request.state.account, request.path_params["id"]))
        return success(None)

    return [
        resource("/links", GET=list_links, POST=make_link),
        resource("/links/{id}", GET=read_link, PATCH=change_link, DELETE=delete_link),
    ]
