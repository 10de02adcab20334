"""Clicks counted: over time, and by what visitors have in common.

Names and intervals: linked.is docs, analytics page. How a date is spelled, that empty intervals are listed
and how many there may be is assumed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from typing import Any

from mock_server.clock import DAY
from mock_server.envelope import InvalidRequest
from mock_server.model import Click, Link

INTERVALS = ("hour", "day", "week", "month")
DEFAULT_RANGE = 30 * DAY
MOST_INTERVALS = 1_000


def stats(histories: Iterable[tuple[int, Sequence[Click]]], start: int, end: int, interval: str) -> dict[str, Any]:
    """Count the clicks from ``start`` to ``end`` (Unix seconds, both included) as the API spells it.

    Each history is a list of clicks in the order of time, with the moment that their ``at`` counts from.
    ``interval`` is one of ``INTERVALS``. Raises InvalidRequest.
    """
    over_time = dict.fromkeys(_dates(start, end, interval), 0)
    chosen: list[Click] = []
    for origin, clicks in histories:
        first = bisect_left(clicks, start - origin, key=_at)
        last = bisect_right(clicks, end - origin, key=_at)
        chosen += clicks[first:last]
        for click in clicks[first:last]:
            over_time[_spelled(_floor(origin + click.at, interval), interval)] += 1
    return {
        "totalClicks": len(chosen),
        "uniqueVisitors": len({click.visitor for click in chosen}),
        "clicksOverTime": [{"date": date, "clicks": clicks} for date, clicks in over_time.items()],
        "countries": _counted(chosen, "country", "code"),
        "cities": _counted(chosen, "city", "country"),
        "devices": _counted(chosen, "device"),
        "browsers": _counted(chosen, "browser"),
        "operatingSystems": _counted(chosen, "os"),
        "referrers": _counted(chosen, "referrer"),
    }


def busiest(links: Iterable[Link], limit: int = 5) -> list[Link]:
    """Return the links with the most clicks, the older one first when two have the same."""
    return nlargest(limit, links, key=lambda link: (link.clicks, -link.number))


def _at(click: Click) -> int:
    return click.at


def _counted(clicks: list[Click], *names: str) -> list[dict[str, Any]]:
    """Return how many clicks share the fields with these names, the most first."""
    counts = Counter(tuple(getattr(click, name) for name in names) for click in clicks)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{**dict(zip(names, values, strict=True)), "clicks": count} for values, count in ordered]


def _dates(start: int, end: int, interval: str) -> list[str]:
    if end < start:
        raise InvalidRequest("end: must not be earlier than start.")
    moment, last = _floor(start, interval), _floor(end, interval)
    dates: list[str] = []
    while moment <= last:
        if len(dates) == MOST_INTERVALS:
            raise InvalidRequest(
                f"interval: the time from start to end has more than {MOST_INTERVALS} of these. Take a longer one."
            )
        dates.append(_spelled(moment, interval))
        moment = _next(moment, interval)
    return dates


def _floor(seconds: int, interval: str) -> datetime:
    """Return the beginning of the hour, day, week (Monday) or month in which a moment lies."""
    moment = datetime.fromtimestamp(seconds, UTC).replace(minute=0, second=0)
    if interval == "hour":
        return moment
    moment = moment.replace(hour=0)
    if interval == "week":
        return moment - timedelta(days=moment.weekday())
    return moment.replace(day=1) if interval == "month" else moment


def _next(moment: datetime, interval: str) -> datetime:
    if interval == "month":
        return moment.replace(year=moment.year + moment.month // 12, month=moment.month % 12 + 1)
    return moment + {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}[interval]


def _spelled(moment: datetime, interval: str) -> str:
    return moment.strftime("%Y-%m-%dT%H:00:00Z" if interval == "hour" else "%Y-%m-%d")
