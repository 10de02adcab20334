"""Clicks counted: over time, and by what visitors have in common.

Names and intervals: linked.is docs, analytics page. How a date is spelled, that empty intervals are listed
and how many there may be is assumed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from typing import Any

from mock_server.clock import DAY, HOUR
from mock_server.demo_data import Click
from mock_server.envelope import InvalidRequest
from mock_server.model import KINDS, ClickCount, Link

INTERVALS = ("hour", "day", "week", "month")
DEFAULT_RANGE = 30 * DAY
MOST_INTERVALS = 1_000
# By the hour's beginning, the kind and the value.
Hours = Mapping[int, Mapping[str, Mapping[str, ClickCount]]]


def stats(demo: tuple[int, Sequence[Click]], hours: Hours, start: int, end: int, interval: str) -> dict[str, Any]:
    """Count the clicks from ``start`` to ``end`` (Unix seconds, both included) as the API spells it.

    ``demo`` is a list of clicks in the order of time, with the moment that their ``at`` counts from. The others are in
    ``hours``; the hour in which ``start`` or ``end`` lies counts as a whole. ``interval`` is one of ``INTERVALS``.
    Raises InvalidRequest.
    """
    over_time = dict.fromkeys(_dates(start, end, interval), 0)
    origin, clicks = demo
    chosen = clicks[bisect_left(clicks, start - origin, key=_at) : bisect_right(clicks, end - origin, key=_at)]
    visitors = {click.values["visitor"] for click in chosen}
    counts = {kind: Counter([click.values[kind] for click in chosen]) for kind in KINDS if kind != "visitor"}
    for click in chosen:
        over_time[_spelled(_floor(origin + click.at, interval), interval)] += 1
    for hour, kinds in hours.items():
        if start - HOUR < hour <= end:
            over_time[_spelled(_floor(hour, interval), interval)] += sum(one.clicks for one in kinds["device"].values())
            visitors.update(kinds["visitor"])
            for kind in counts:
                for value, one in kinds[kind].items():
                    counts[kind][value] += one.clicks
    return {
        "totalClicks": counts["device"].total(),
        "uniqueVisitors": len(visitors),
        "clicksOverTime": [{"date": date, "clicks": clicks} for date, clicks in over_time.items()],
        "countries": _listed(counts, "country"),
        "cities": _listed(counts, "city"),
        "devices": _listed(counts, "device"),
        "browsers": _listed(counts, "browser"),
        "operatingSystems": _listed(counts, "os"),
        "referrers": _listed(counts, "referrer"),
    }


def busiest(links: Iterable[Link], limit: int = 5) -> list[Link]:
    """Return the links with the most clicks, the older one first when two have the same."""
    return nlargest(limit, links, key=lambda link: (link.clicks, -link.number))


def _at(click: Click) -> int:
    return click.at


def _listed(counts: dict[str, Counter[str]], kind: str) -> list[dict[str, Any]]:
    """Return how many clicks share a value of the kind, the most first."""
    ordered = sorted(((value.split("\n"), count) for value, count in counts[kind].items()), key=lambda item: (-item[1], item[0]))
    return [{**dict(zip(KINDS[kind], value, strict=True)), "clicks": count} for value, count in ordered]


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
