"""What time it is: real time plus an offset that a lesson may change, or a moment at which it stands still."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

# A clock outside these years is a slip of the keyboard, and datetime stops at 9999.
EARLIEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
HOUR = 60 * 60
DAY = 24 * HOUR


class Clock:
    """The server's clock. Each account adds an offset of its own.

    ``offset`` is in seconds; ``frozen_at`` is the moment (Unix seconds) at which it stands still, if it does.

    >>> Clock(real_time=lambda: 100.9).now()
    100
    """

    def __init__(self, real_time: Callable[[], float] = time.time) -> None:
        self.real_time = real_time
        self.offset = 0
        self.frozen_at: int | None = None

    def set(self, offset: int, frozen_at: int | None) -> None:
        """Move it by ``offset`` seconds from real time, or let it stand at ``frozen_at``."""
        self.offset, self.frozen_at = offset, frozen_at

    def now(self) -> int:
        """Return Unix seconds."""
        return int(self.real_time()) + self.offset if self.frozen_at is None else self.frozen_at


def iso(seconds: int | None) -> str | None:
    """Spell Unix seconds as ISO 8601 in UTC; ``None`` stays ``None``.

    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_iso(text: str) -> int:
    """Read an ISO 8601 date or time as Unix seconds; without a zone it is UTC.

    Raises ValueError if the text is not ISO 8601 or lies outside the years 2000 to 2099.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = int(moment.timestamp())
    if not EARLIEST <= seconds < LATEST:
        raise ValueError("outside the years 2000 to 2099")
    return seconds
