"""``/v1/links/{id}/stats`` and ``/v1/analytics/overview``: linked.is docs, analytics page and index for programs."""

from __future__ import annotations

from starlette.responses import Response

from mock_server.analytics import DEFAULT_RANGE, INTERVALS, busiest, stats
from mock_server.api import Call, Resource
from mock_server.api.links import as_json
from mock_server.api.validation import instant, last_instant, one_of
from mock_server.envelope import encode, success

QUERY = {"start": instant, "end": last_instant, "interval": one_of(*INTERVALS)}
TOP_FIELDS = ("id", "slug", "shortUrl", "title", "clicks")  # assumed


def resources() -> list[Resource]:
    """Return the resources; each expects the account's content in the call."""

    async def link_stats(call: Call) -> Response:
        content = call.content
        link = content.link(call.path_params["id"])
        wanted = {"start": content.now() - DEFAULT_RANGE, "end": content.now(), "interval": "day", **call.query}
        return success(encode(stats(content.demo_clicks(link), content.hours(link), **wanted)))

    async def overview(call: Call) -> Response:
        links = call.content.links
        top = [{name: as_json(link)[name] for name in TOP_FIELDS} for link in busiest(links)]
        total = sum(link.clicks for link in links)
        return success(encode({"totalClicks": total, "totalLinks": len(links), "topLinks": top}))

    return [
        Resource("/links/{id}/stats", QUERY, GET=link_stats),
        Resource("/analytics/overview", GET=overview),
    ]
