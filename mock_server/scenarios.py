"""Scenarios: what goes wrong for programs that call an API for months. Each is ordered by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from mock_server.api.validation import Check, one_of, required, whole_number
from mock_server.clock import DAY, HOUR
from mock_server.envelope import InvalidRequest
from mock_server.model import Account
from mock_server.store import Store
from mock_server.traffic import AccountTraffic, Countdown, Fault


def expire(account: Account, store: Store, own: AccountTraffic, seconds: int) -> None:
    """Let the account's tokens expire in so many seconds."""
    store.expire_tokens(account, seconds)


def pause(account: Account, store: Store, own: AccountTraffic, seconds: int) -> None:
    """Let so many seconds pass without a call, in which the account's tokens expire."""
    store.expire_tokens(account, seconds)
    store.advance_clock(account, seconds)


def revoke(account: Account, store: Store, own: AccountTraffic, calls: int) -> None:
    """Let so many calls pass, then revoke the tokens that work now."""
    active = [token for token in store.tokens(account) if token.state(store.now(account)) == "active"]

    def revoke_them() -> None:
        for token in active:
            store.revoke_token(token)

    own.countdown = Countdown(calls, revoke_them)


def fail(account: Account, store: Store, own: AccountTraffic, seconds: int, kind: str, header: str = "seconds") -> None:
    """Let the next call meet a fault."""
    own.faults = [Fault(kind, calls=1, seconds=seconds, header=header)]


class Scenario(NamedTuple):
    """What it does, and the number that it takes: its name and what it is unless told otherwise. ``text`` says it on the page."""

    begin: Callable[..., None]
    number: str
    default: int
    text: str


SCENARIOS = {
    "expired-in-a-pause": Scenario(pause, "seconds", HOUR, "Tokens expire in a pause"),
    "token-expires": Scenario(expire, "seconds", 60, "Tokens expire in a minute"),
    "revoked-in-a-batch": Scenario(revoke, "calls", 2, "Tokens are revoked in a batch"),
    "rate-limited": Scenario(partial(fail, kind="429"), "seconds", 2, "The next call gets a 429"),
    "rate-limited-without-header": Scenario(partial(fail, kind="429", header="none"), "seconds", 2, "A 429 without Retry-After"),
    "slow-answer": Scenario(partial(fail, kind="slow"), "seconds", 30, "The next answer is slow"),
    "dropped-connection": Scenario(partial(fail, kind="drop"), "seconds", 0, "The connection drops"),
}
FIELDS: dict[str, Check] = {
    "scenario": one_of(*SCENARIOS),
    "seconds": whole_number(0, DAY),
    "calls": whole_number(0, 1_000),
}


def begin(order: dict[str, Any], accounts: list[tuple[Account, AccountTraffic]], store: Store) -> dict[str, Any]:
    """Let a scenario begin for these accounts; return its name and its number. Raises InvalidRequest."""
    name = required(order, "scenario")["scenario"]
    scenario = SCENARIOS[name]
    for other in order.keys() - {"scenario", scenario.number}:
        raise InvalidRequest(f"{other}: is nothing that this scenario takes. It takes {scenario.number}.")
    number = order.get(scenario.number, scenario.default)
    with store.database.transaction():
        for account, own in accounts:
            scenario.begin(account, store, own, number)
    return {"scenario": name, scenario.number: number}
