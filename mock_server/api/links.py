"""``/v1/links``: list, make, read, change, delete.

``GET`` on the list: linked.is docs, authentication page. Fields and ``POST``: links page. The verbs
on one link are assumed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from starlette.responses import Response

from mock_server import ids
from mock_server.api import Call, Resource, paging
from mock_server.api.validation import (
    checked,
    flag,
    instant,
    json_object,
    optional,
    required,
    slug,
    text,
    web_address,
    whole_number,
)
from mock_server.clock import iso
from mock_server.envelope import encode, success
from mock_server.model import Link

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


@lru_cache(maxsize=1_000)  # of 20 KB each at most
def encoded(link: Link) -> bytes:
    """Return the link's JSON. A link never changes (a change makes a new one), so it is made once."""
    return encode(as_json(link))


def resources() -> list[Resource]:
    """Return the resources; each expects the account's content in the call."""

    async def list_links(call: Call) -> Response:
        return paging.page(call, call.content.links.newest, encoded, ids.LINK)

    async def make_link(call: Call) -> Response:
        values = required(checked(await json_object(call), FIELDS), "url")
        return success(encoded(call.content.add_link(values)), status=201)

    async def read_link(call: Call) -> Response:
        return success(encoded(chosen(call)))

    async def change_link(call: Call) -> Response:
        values = checked(await json_object(call), FIELDS)
        return success(encoded(call.content.change_link(chosen(call), values)))

    async def delete_link(call: Call) -> Response:
        call.content.delete_link(chosen(call))
        return success(b"null")

    def chosen(call: Call) -> Link:
        return call.content.link(call.path_params["id"])

    return [
        Resource("/links", paging.query(ids.LINK), GET=list_links, POST=make_link),
        Resource("/links/{id}", GET=read_link, PATCH=change_link, DELETE=delete_link),
    ]
