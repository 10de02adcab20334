"""What the mock server knows of an account's calls while it runs: how many, which came last, which are to fail.

Kept in memory only: a restart begins afresh.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain

from mock_server.clock import iso
from mock_server.rate_limit import Meter
from mock_server.tokens import redact

KEPT_CALLS = 50
NOBODY = 0  # in place of the account, where the caller sent no known token
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(slots=True)
class NotedCall:
    """A call of the API. No secret is in it: ``token_name`` replaces the content of the header ``Authorization``.

    ``at`` is Unix seconds by the account's clock; ``order`` is higher for each later call of the server. ``body`` is ``None``
    if nothing was read.
    """

    order: int
    at: int
    address: str
    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    token_name: str | None = None
    body: bytes | None = None
    status: int = 0
    error: str | None = None
    hint: str | None = None

    def as_json(self) -> dict[str, object]:
        """Spell the call for its sender: the token replaced by its name, and what looks like a token hidden."""
        headers = {name.decode("latin-1"): redact(value.decode("latin-1")) for name, value in self.headers}
        if "authorization" in headers:
            headers["authorization"] = f"Bearer [{self.token_name}]" if self.token_name else "[no token of this server]"
        path = self.path + (f"?{self.query}" if self.query else "")
        return {
            "at": iso(self.at),
            "method": self.method,
            "path": redact(path),
            "status": self.status or None,
            "error": self.error,
            "headers": headers,
            "body": None if self.body is None else redact(_ESCAPE.sub(_letter, self.body.decode(errors="replace"))),
        }


def _letter(escape: re.Match[str]) -> str:
    """Return the letter, digit or underscore that an escape of JSON stands for: a token spelled so is a token."""
    letter = chr(int(escape[1], 16))
    return letter if re.fullmatch(r"\w", letter, re.ASCII) else escape[0]


@dataclass(slots=True)
class Fault:
    """What is to go wrong with the next ``calls`` calls of this ``method`` and ``path``, ``None`` for any.

    ``seconds``: how long a slow or late answer takes, or a 429 or 503 asks to wait. ``header``: how the header
    ``Retry-After`` says it, in ``seconds``, as a ``date`` or not at all (``none``). ``*`` in the path is any one part of it.
    """

    kind: str
    calls: int
    seconds: float
    header: str
    method: str | None = None
    path: str | None = None

    def meets(self, method: str, path: str) -> bool:
        """Tell whether it is for a call of this method and path."""
        return self.method in (None, method) and (self.path is None or fits(self.path, path))


def fits(pattern: str, path: str) -> bool:
    """Tell whether a path is as in the pattern, in which ``*`` stands for one part between slashes.

    >>> fits("/v1/links/*", "/v1/links/clx1234567890"), fits("/v1/links/*", "/v1/links/clx1234567890/stats")
    (True, False)
    """
    wanted, parts = pattern.split("/"), path.split("/")
    return len(wanted) == len(parts) and all(one in ("*", part) for one, part in zip(wanted, parts, strict=True))


@dataclass(slots=True)
class Countdown:
    """What happens before the call that comes after so many ``calls``."""

    calls: int
    then: Callable[[], None]


@dataclass(slots=True)
class AccountTraffic:
    """The calls of one account. If it is not ``limited``, no limit holds, and no call is counted."""

    meter: Meter = field(default_factory=Meter)
    recent: deque[NotedCall] = field(default_factory=lambda: deque(maxlen=KEPT_CALLS))
    faults: list[Fault] = field(default_factory=list)
    limited: bool = True
    countdown: Countdown | None = None

    def count_down(self) -> None:
        """Count the call at hand, before anything is found out about it."""
        if self.countdown is None:
            return
        if self.countdown.calls:
            self.countdown.calls -= 1
            return
        happens, self.countdown = self.countdown.then, None
        happens()

    def next_fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that the call at hand is to meet, and count it: of those for it, the one that waits longest."""
        for fault in self.faults:
            if fault.meets(method, path):
                fault.calls -= 1
                if fault.calls == 0:
                    self.faults.remove(fault)
                return fault
        return None


class Traffic(defaultdict[int, AccountTraffic]):
    """The traffic of every account, by its id."""

    def __init__(self) -> None:
        super().__init__(AccountTraffic)
        self.calls_so_far = 0

    def recent(self, account_ids: Iterable[int], wanted: Callable[[NotedCall], bool] = bool) -> list[NotedCall]:
        """Return the latest calls of these accounts that are wanted, the last one first."""
        calls = chain.from_iterable(filter(wanted, self[account_id].recent) for account_id in account_ids if account_id in self)
        return sorted(calls, key=lambda call: call.order, reverse=True)[:KEPT_CALLS]
