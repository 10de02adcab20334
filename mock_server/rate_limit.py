"""How many calls an account may make: counted by its own clock, for a minute and for a day.

Plans, figures and headers: linked.is docs, rate limits page. That the windows are the minutes and days of
the clock, and that the headers describe the window with fewer calls left, is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

from mock_server.clock import DAY
from mock_server.envelope import RateLimitExceeded

MINUTE = 60


@dataclass(frozen=True)
class Plan:
    """What a plan allows, in calls."""

    name: str
    per_minute: int
    per_day: int


PLANS = {plan.name: plan for plan in (Plan("Free", 60, 1_000), Plan("Pro", 300, 10_000), Plan("Business", 1_000, 100_000))}


class Meter:
    """The calls of one account in the current minute and the current day."""

    def __init__(self) -> None:
        self.minute = self.day = 0  # which one it counts, in minutes and days since 1970
        self.in_minute = self.in_day = 0

    def take(self, plan: Plan, now: int) -> list[tuple[bytes, bytes]]:
        """Count a call at ``now`` (Unix seconds) and return the headers that tell what is left.

        Raises RateLimitExceeded, and then counts nothing.
        """
        minute, day = now // MINUTE, now // DAY
        if minute != self.minute:
            self.minute, self.in_minute = minute, 0
        if day != self.day:
            self.day, self.in_day = day, 0
        left_in_minute, left_in_day = plan.per_minute - self.in_minute, plan.per_day - self.in_day
        if left_in_minute <= left_in_day:
            limit, left, reset = plan.per_minute, left_in_minute, (minute + 1) * MINUTE
        else:
            limit, left, reset = plan.per_day, left_in_day, (day + 1) * DAY
        if left <= 0:
            raise RateLimitExceeded(retry_after=reset - now, rate_limit=headers(limit, 0, reset))
        self.in_minute += 1
        self.in_day += 1
        return headers(limit, left - 1, reset)


def untouched(now: int, plan: Plan = PLANS["Free"]) -> list[tuple[bytes, bytes]]:
    """Return the headers where nothing is counted: for a caller without a valid token (assumed), or without a limiter."""
    return headers(plan.per_minute, plan.per_minute, (now // MINUTE + 1) * MINUTE)


def headers(limit: int, remaining: int, reset: int) -> list[tuple[bytes, bytes]]:
    """Spell the three headers. ``reset`` is in Unix seconds."""
    return [
        (b"x-ratelimit-limit", b"%d" % limit),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % reset),
    ]
