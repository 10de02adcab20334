"""Prove that the proof can fail: break one thing at a time, and see a notebook, a sample or the reference turn red.

``python -m tools.proof`` breaks each behaviour below by a patch, and tells each lie that the contract has room for in
front of the mock server. It shows who noticed. ``--only WORD`` takes those that have the word in their name.

A notebook runs in one process with the mock server, without a network, as in a browser tab, and without waiting. Each
case has a process of its own, forked from one that has everything loaded. Windows can't fork.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import io
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any
from unittest.mock import patch

import detect_secrets.pre_commit_hook  # noqa: F401, a notebook's: loaded once
import dulwich.porcelain  # noqa: F401
import nbformat
import requests
from starlette.types import ASGIApp

from mock_server import analytics, content, envelope, gate, rate_limit, short_links, store, tokens, traffic
from mock_server.api import analytics as analytics_api
from mock_server.api import links
from mock_server.app import create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.dot_env import MOCK as BASE_URL
from mock_server.transport import PrivateLoop
from mock_server.web import passwords
from mock_server.web import routes as page
from publish import recorded_answers
from tools.lies import Liar, Lie, lies, marked
from tools.running import NOTEBOOKS, PATIENCE, ROOT, learner_environment

sys.path.insert(0, str(ROOT / "browser" / "kernel"))
from linked_is_tab import transport

LIMIT = 300  # seconds for one case, which takes one or two
FORK = multiprocessing.get_context("fork")
LIES = lies()


BREAKAGES: dict[str, Callable[[], None]] = {}


def breaks(what: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Enter the patch below as a breakage, under what it breaks."""

    def enter(patch: Callable[[], None]) -> Callable[[], None]:
        BREAKAGES[what] = patch
        return patch

    return enter


def setting(what: str, owner: object, name: str, value: object) -> None:
    """Enter a breakage that gives an attribute another value."""
    breaks(what)(partial(setattr, owner, name, value))


# Tokens


@breaks("any token is let in")
def _() -> None:
    find = gate.find_token

    def find_any(authorization: list[str], accounts: store.Store):
        try:
            return find(authorization, accounts)
        except envelope.InvalidToken:
            return next(iter(accounts._tokens_by_digest.values()))

    gate.find_token = find_any


@breaks("no token is needed")
def _() -> None:
    find = gate.find_token

    def find_none(authorization: list[str], accounts: store.Store):
        if authorization:
            return find(authorization, accounts)
        return accounts._tokens_by_digest[accounts_first(accounts)]

    def accounts_first(accounts: store.Store) -> str:
        if not accounts._tokens_by_digest:
            accounts.generate_token(accounts.add_account("nobody@example.com", ""), "Nobody", None)
        return next(iter(accounts._tokens_by_digest))

    gate.find_token = find_none


def only_expiry(token, now: int) -> None:
    """Let a revoked token pass."""
    if token.expires_at is not None and now >= token.expires_at:
        raise envelope.TokenExpired(headers={"WWW-Authenticate": "Bearer"})


def revoked_as_expired(token, now: int) -> None:
    """Say of a revoked token that it has expired."""
    if token.state(now) != "active":
        raise envelope.TokenExpired(headers={"WWW-Authenticate": "Bearer"})


def expired_as_invalid(token, now: int) -> None:
    """Say of an expired token that it is invalid."""
    if token.state(now) != "active":
        raise envelope.InvalidToken(headers={"WWW-Authenticate": "Bearer"})


setting("a revoked token is let in", gate, "check_alive", only_expiry)
setting("an expired token is let in", gate, "check_alive", lambda token, now: None)
setting("a revoked token is said to have expired", gate, "check_alive", revoked_as_expired)
setting("an expired token is said to be invalid", gate, "check_alive", expired_as_invalid)
setting("a token has no end", page, "LIFETIMES", dict.fromkeys(page.LIFETIMES))
setting("a token has another prefix", tokens, "PREFIX", "lis_test_")
setting("revoking does nothing", store.Store, "revoke_token", lambda self, token: None)
setting("the last use of a token is not noted", store.Store, "note_use", lambda self, token, now: None)


@breaks("revoking ends all tokens of the account")
def _() -> None:
    revoke = store.Store.revoke_token

    def revoke_all(self: store.Store, token) -> None:
        for one in self._tokens[token.account_id]:
            revoke(self, one)

    store.Store.revoke_token = revoke_all


@breaks("a new token ends the older ones")
def _() -> None:
    generate = store.Store.generate_token

    def generate_only(self: store.Store, account, name: str, lifetime: int | None) -> str:
        for one in self.tokens(account):
            self.revoke_token(one)
        return generate(self, account, name, lifetime)

    store.Store.generate_token = generate_only


@breaks("a token is shown again")
def _() -> None:
    class Kept(dict):
        def pop(self, key, default=None):
            return self.get(key, default)

    page.ShownOnce = Kept


# What the API does

setting("deleting a link does nothing", content.Content, "delete_link", lambda self, link: None)
setting("changing a link does nothing", content.Content, "change_link", lambda self, link, values: link)
setting("clicks are not counted", content.Content, "count_click", lambda self, link, visitor: None)
setting("a short link loses its UTM values", short_links, "with_utm", lambda link: link.url)
setting("a number may be a text", links, "FIELDS", links.FIELDS | {"clickLimit": lambda name, value: value})
setting("a new block is not kept", content.Content, "add_block", lambda self, profile, values: next(iter(self.blocks(profile))))
setting(
    "statistics know days only",
    analytics,
    "_floor",
    lambda seconds, interval: analytics.datetime.fromtimestamp(seconds // 86400 * 86400, analytics.UTC),
)
setting(
    "the overview lists the wrong links",
    analytics_api,
    "busiest",
    lambda found: sorted(found, key=lambda link: link.clicks)[:5],
)


# Rate limits, and controls


@breaks("no limit is enforced")
def _() -> None:
    take = rate_limit.Meter.take

    def take_without_end(self: rate_limit.Meter, plan: rate_limit.Plan, now: int) -> list[tuple[bytes, bytes]]:
        try:
            return take(self, plan, now)
        except envelope.RateLimitExceeded as over:
            return over.rate_limit or []

    rate_limit.Meter.take = take_without_end


@breaks("the count never begins anew")
def _() -> None:
    take = rate_limit.Meter.take
    rate_limit.Meter.take = lambda self, plan, now: take(self, plan, 0)


setting("the clock does not move", store.Store, "advance_clock", lambda self, account, seconds: self.now(account))
setting("a fault cannot leave out Retry-After", gate, "retry_after", lambda seconds, form: {"Retry-After": str(seconds)})
setting("faults do not happen", traffic.AccountTraffic, "next_fault", lambda self, method, path: None)


# Who may notice


@dataclass(frozen=True)
class Reader:
    """A notebook or a sample, by its path, or an answer of the reference, by its name."""

    kind: str
    which: Path | str

    def __str__(self) -> str:
        return self.which.name if isinstance(self.which, Path) else f"the reference, {self.which}"

    def finds_all_right(self, front: Callable[[ASGIApp], ASGIApp]) -> bool:
        """Tell whether all is as published, with ``front`` in front of a new mock server."""
        if isinstance(self.which, str):
            return recorded_answers.record(self.which, front) == RECORDED[self.which]
        accounts = store.Store(Database(":memory:"), Clock())
        transport.serve(front(create_app(accounts)), BASE_URL)
        token = ""
        if self.kind == SAMPLE:
            token = accounts.generate_token(accounts.add_account("learner@example.com", ""), "Sample", None)
        with tempfile.TemporaryDirectory() as folder, patch.object(tempfile, "tempdir", folder):
            return prints_the_same(self.which, token)


KINDS = NOTEBOOK, SAMPLE, REFERENCE = "a notebook", "a sample", "the reference"
RECORDED = recorded_answers.recorded()
READERS = [
    *(Reader(NOTEBOOK, path) for path in NOTEBOOKS),
    *(Reader(SAMPLE, path) for path in sorted((ROOT / "docs" / "samples").glob("*.py"))),
    *(Reader(REFERENCE, name) for name in RECORDED),
]


def prints_the_same(path: Path, token: str) -> bool:
    """Run a notebook or a sample, and tell whether it prints what is published."""
    os.chdir(path.parent)
    os.environ.update(learner_environment(BASE_URL, token))
    if path.stem == "retry_after":
        options = {"headers": {"Authorization": f"Bearer {token}"}, "json": {"fault": "429", "seconds": 1, "header": "none"}}
        requests.post(f"{BASE_URL.removesuffix('/v1')}/_mock/faults", timeout=PATIENCE, **options)
    loop, namespace = PrivateLoop(), {"__name__": "__main__"}
    for source, published in programs(path):
        with redirect_stdout(io.StringIO()) as printed:
            try:
                cell = eval(compile(source, path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)
                if inspect.iscoroutine(cell):
                    loop.run(cell)
            except SystemExit as end:
                if end.code:
                    return False
            except Exception:
                return False
        if printed.getvalue() != published:
            return False
    return True


def programs(path: Path) -> list[tuple[str, str]]:
    """Return each cell of a notebook, or a sample as one, with what is published below it."""
    if path.suffix == ".py":
        return [(path.read_text(encoding="utf-8"), path.with_suffix(".txt").read_text(encoding="utf-8"))]
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return [(cell.source, "".join(output.get("text", "") for output in cell.outputs)) for cell in cells]


# Break, and ask


def warm_up() -> None:
    """Get all loaded that a case needs, before a process is forked for each.

    Each sleep then ends at once, and the clock that measures it goes on.
    """
    clock, ahead = time.monotonic, [0.0]

    def sleep(seconds: float) -> None:
        ahead[0] += seconds

    time.sleep, time.monotonic = sleep, lambda: clock() + ahead[0]
    passwords._SCRYPT["n"] = 2  # as slow as it should be, it would take half of the time
    for reader in (*READERS[: len(NOTEBOOKS)], READERS[-1]):
        reader.finds_all_right(Liar)


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own, so that nothing of a case is left for the next one. Return its answer.

    Raises TimeoutError after LIMIT.
    """
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=lambda: there.send(function(*arguments)))
    process.start()
    there.close()
    if not here.poll(LIMIT):
        process.kill()
        raise TimeoutError(f"No answer after {LIMIT} seconds: {', '.join(map(str, arguments))}")
    answered = here.recv()
    process.join()
    return answered


def listen(reader: Reader) -> tuple[bool, float, set[Lie]]:
    """Ask a reader while nothing is broken. Return whether all is right, seconds, and the lies that it would be told."""
    liars: list[Liar] = []

    def front(app: ASGIApp) -> ASGIApp:
        liars.append(Liar(app))
        return liars[-1]

    started = time.perf_counter()
    all_right = reader.finds_all_right(front)
    seconds = time.perf_counter() - started
    answers = [answer for liar in liars for answer in liar.answers]
    return all_right, seconds, {lie for lie in LIES if any(lie.answer == one.name and lie.told(one) != one for one in answers)}


def notice(case: str | Lie, readers: list[Reader]) -> Reader | None:
    """Break something, or tell a lie, and ask one reader after the other. Return the first one who notices."""
    if isinstance(case, str):
        BREAKAGES[case]()
    front = partial(Liar, lies=[case] if isinstance(case, Lie) else [])
    return next((reader for reader in readers if not reader.finds_all_right(front)), None)


def noticed(reader: Reader, told: list[Lie]) -> list[Lie]:
    """Tell lies all at once, and each half of them if a reader turns red. Return those that the reader notices alone.

    Most notebooks notice few of the lies that they are told: to tell each one alone would take three times as long.
    """
    if reader.finds_all_right(partial(Liar, lies=told)):
        return []
    half = len(told) // 2
    return noticed(reader, told[:half]) + noticed(reader, told[half:]) if half else told


def together(told: list[Lie]) -> list[list[Lie]]:
    """Return lies in groups. Those of a group are of one kind and about one answer: they don't hide each other."""
    groups: dict[tuple[str, str], list[Lie]] = {}
    for lie in told:
        groups.setdefault((lie.answer, lie.kind), []).append(lie)
    return [*groups.values()]


def main() -> int:
    """Show who noticed what. Return 1 if nobody noticed one, if a mark is wrong, or if somebody turned red for nothing."""
    parser = argparse.ArgumentParser(prog="python -m tools.proof", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", metavar="WORD", nargs="+", help="break only what has one of these in its name")
    words = parser.parse_args().only
    with ProcessPoolExecutor(max_workers=2, mp_context=FORK, initializer=warm_up) as processes:
        heard = dict(zip(READERS, processes.map(partial(alone, listen), READERS), strict=True))
        red = [str(reader) for reader, (all_right, *_) in heard.items() if not all_right]
        if red:
            print(f"Nothing was broken, and turned red: {', '.join(red)}.")
            return 1
        by_cost = sorted(READERS, key=lambda reader: (KINDS.index(reader.kind), heard[reader][1]))
        cases: dict[str | Lie, list[Reader]] = dict.fromkeys(BREAKAGES, by_cost)
        cases |= {lie: [reader for reader in by_cost if lie in heard[reader][2]] for lie in LIES}
        # Null is no lie where it is null already. But some answer has to show that it isn't always.
        shown = {(lie.place, lie.kind) for *_, told in heard.values() for lie in told}
        asked = [case for case, readers in cases.items() if readers or (case.place, case.kind) not in shown]
        asked = [case for case in asked if any(word in str(case) for word in words or [""])]
        noticed_by: dict[str | Lie, Reader | None] = {}
        for reader in by_cost[: len(NOTEBOOKS)]:
            groups = together([case for case in asked if case in LIES and case not in noticed_by and reader in cases[case]])
            for found in processes.map(partial(alone, noticed), repeat(reader), groups):
                noticed_by |= dict.fromkeys(found, reader)
        left = {case: cases[case] for case in asked if case not in noticed_by}
        left |= {case: [one for one in readers if one.kind != NOTEBOOK] for case, readers in left.items() if case in LIES}
        noticed_by |= zip(left, processes.map(partial(alone, notice), left, left.values()), strict=True)
    noticed_by = {case: noticed_by[case] for case in asked}
    for case, reader in noticed_by.items():
        print(f"{case!s:50} {reader or 'nobody'}")
    return verdict(noticed_by, is_whole=not words)


def verdict(noticed_by: dict[str | Lie, Reader | None], is_whole: bool) -> int:
    """Hold what nobody noticed against the marks of the contract, and print the counts. Return 0 if all is well."""
    marks = marked()
    nobody = [case for case, reader in noticed_by.items() if reader is None]
    survivors = [case for case in nobody if isinstance(case, str) or case.place not in marks]
    not_proved = {case.place for case in nobody if isinstance(case, Lie)}
    too_many = [way for place, way in marks.items() if is_whole and place not in not_proved]
    for case in survivors:
        print(f"Nobody notices. Show it, or mark it in the contract with x-not-proved: {case}")
    for way in too_many:
        print(f"Somebody notices. Take the mark away: {way}")
    counts = Counter(reader.kind for reader in noticed_by.values() if reader)
    noticed = ", ".join(f"{counts[kind]} noticed by {kind}" for kind in KINDS)
    print(f"{len(noticed_by)} told: {noticed}, {len(nobody) - len(survivors)} marked as not proved, {len(survivors)} survived")
    return 1 if survivors or too_many or not noticed_by else 0


if __name__ == "__main__":
    sys.exit(main())
