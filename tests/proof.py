"""Prove that the proof can fail: break one documented behaviour at a time, and see a notebook go red.

``python -m tests.proof`` shows, for each breakage, which notebook noticed. The notebooks are never touched: a server
that was patched before its start answers them. ``python -m tests.proof serve NUMBER …`` is that server.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from mock_server import __main__ as command_line
from mock_server import analytics, content, envelope, gate, rate_limit, short_links, store, tokens, traffic
from mock_server.api import analytics as analytics_api
from mock_server.api import links, paging
from mock_server.page import routes as page
from tests.exercises import without_outputs
from tests.running import NOTEBOOKS, MockServer, learner_environment, shared_kernel


@dataclass(frozen=True)
class Breakage:
    """What is broken, in words; the patch; and the notebook, by the start of its name, that is asked first."""

    what: str
    patch: Callable[[], None]
    first: str


BREAKAGES: list[Breakage] = []


def breaks(what: str, first: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Enter the patch below as a breakage."""

    def enter(patch: Callable[[], None]) -> Callable[[], None]:
        BREAKAGES.append(Breakage(what, patch, first))
        return patch

    return enter


def setting(what: str, first: str, owner: object, name: str, value: object) -> None:
    """Enter a breakage that gives an attribute another value."""
    BREAKAGES.append(Breakage(what, lambda: setattr(owner, name, value), first))


def without(what: str, first: str, owner: object, name: str, *fields: str) -> None:
    """Enter a breakage that takes fields out of what a function returns."""
    whole = getattr(owner, name)

    def partly(*arguments: object) -> dict:
        return {field: value for field, value in whole(*arguments).items() if field not in fields}

    setting(what, first, owner, name, partly)


# Tokens


@breaks("any token is let in", "06")
def _() -> None:
    find = gate.find_token

    def find_any(authorization: list[str], accounts: store.Store):
        try:
            return find(authorization, accounts)
        except envelope.InvalidToken:
            return next(iter(accounts._tokens_by_digest.values()))

    gate.find_token = find_any


@breaks("no token is needed", "01")
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
    if token.expires_at is not None and now >= token.expires_at:
        raise envelope.TokenExpired(headers={"WWW-Authenticate": "Bearer"})


def revoked_as_expired(token, now: int) -> None:
    if token.state(now) != "active":
        raise envelope.TokenExpired(headers={"WWW-Authenticate": "Bearer"})


def expired_as_invalid(token, now: int) -> None:
    if token.state(now) != "active":
        raise envelope.InvalidToken(headers={"WWW-Authenticate": "Bearer"})


setting("a revoked token is let in", "08", gate, "check_alive", only_expiry)
setting("an expired token is let in", "06", gate, "check_alive", lambda token, now: None)
setting("a revoked token is said to have expired", "08", gate, "check_alive", revoked_as_expired)
setting("an expired token is said to be invalid", "06", gate, "check_alive", expired_as_invalid)
setting("a token has no end", "06", page, "LIFETIMES", dict.fromkeys(page.LIFETIMES))
setting("a token has another prefix", "02", tokens, "PREFIX", "lis_test_")
setting("revoking does nothing", "08", store.Store, "revoke_token", lambda self, token: None)
setting("the last use of a token is not noted", "07", store.Store, "note_use", lambda self, token, now: None)


@breaks("revoking ends all tokens of the account", "08")
def _() -> None:
    revoke = store.Store.revoke_token

    def revoke_all(self: store.Store, token) -> None:
        for one in self._tokens[token.account_id]:
            revoke(self, one)

    store.Store.revoke_token = revoke_all


@breaks("a new token ends the older ones", "08")
def _() -> None:
    generate = store.Store.generate_token

    def generate_only(self: store.Store, account, name: str, lifetime: int | None) -> str:
        for one in self.tokens(account):
            self.revoke_token(one)
        return generate(self, account, name, lifetime)

    store.Store.generate_token = generate_only


@breaks("a token is shown again", "02")
def _() -> None:
    class Kept(dict):
        def pop(self, key, default=None):
            return self.get(key, default)

    page.ShownOnce = Kept


# Errors

for error, notebook in {
    envelope.MissingToken: "06", envelope.InvalidToken: "06", envelope.TokenExpired: "06",
    envelope.RateLimitExceeded: "09", envelope.InvalidRequest: "05", envelope.NotFound: "04",
}.items():  # fmt: skip
    setting(f"{error.code} has another code", notebook, error, "code", "ERROR")
for error, notebook in {
    envelope.MissingToken: "06",
    envelope.InvalidToken: "06",
    envelope.TokenExpired: "06",
    envelope.RateLimitExceeded: "09",
}.items():
    setting(f"{error.code} has another message", notebook, error, "message", "Something went wrong")
for error, notebook in {envelope.MissingToken: "06", envelope.InvalidToken: "06", envelope.TokenExpired: "06"}.items():
    setting(f"{error.code} has status 403", notebook, error, "status", 403)


@breaks("a 401 has no WWW-Authenticate", "06")
def _() -> None:
    refuse = gate.failure

    def refuse_quietly(error: envelope.ApiError):
        error.headers.pop("WWW-Authenticate", None)
        return refuse(error)

    gate.failure = refuse_quietly


setting("a refused token gets no hint", "06", tokens, "hint", lambda sent: "")


# The envelope and what is in it


@breaks("an answer has no success", "04")
def _() -> None:
    encode_data(lambda body: body.replace(b'"success":true,', b""))


@breaks("data has another name", "04")
def _() -> None:
    encode_data(lambda body: body.replace(b'"data":', b'"result":', 1))


def encode_data(change: Callable[[bytes], bytes]) -> None:
    succeed = envelope.success

    def success(*arguments, **options):
        answer = succeed(*arguments, **options)
        answer.body = change(answer.body)
        answer.headers["Content-Length"] = str(len(answer.body))
        return answer

    for module in (links, paging, analytics_api):
        module.success = success


@breaks("an error is a text", "06")
def _() -> None:
    envelope.ApiError.as_json = lambda self: {"error": self.code}


without("a link has no shortUrl", "05", links, "as_json", "shortUrl")
without("a link has no clicks", "04", links, "as_json", "clicks")
without("a link has no title", "04", links, "as_json", "title")


# What the API does

setting("deleting a link does nothing", "05", content.Content, "delete_link", lambda self, link: None)
setting("changing a link does nothing", "05", content.Content, "change_link", lambda self, link, values: link)
setting("clicks are not counted", "05", content.Content, "count_click", lambda self, link, visitor: None)
setting("a short link loses its UTM values", "05", short_links, "with_utm", lambda link: link.url)
setting("a number may be a text", "05", links, "FIELDS", links.FIELDS | {"clickLimit": lambda name, value: value})
setting(
    "a new block is not kept", "05", content.Content, "add_block", lambda self, profile, values: next(iter(self.blocks(profile)))
)
setting("the list ends after its first page", "05", paging, "success", lambda data, headers=None: envelope.success(data))
without("statistics have no countries", "05", analytics_api, "stats", "countries")
without("statistics have no visitors", "05", analytics_api, "stats", "uniqueVisitors")
setting(
    "statistics know days only",
    "05",
    analytics,
    "_floor",
    lambda seconds, interval: analytics.datetime.fromtimestamp(seconds // 86400 * 86400, analytics.UTC),
)
setting(
    "the overview lists the wrong links",
    "05",
    analytics_api,
    "busiest",
    lambda found: sorted(found, key=lambda link: link.clicks)[:5],
)


@breaks("making a link answers 200", "04")
def _() -> None:
    links.success = lambda data, status=200, headers=None: envelope.success(data, 200, headers)


# Rate limits

setting("an answer has no rate-limit headers", "09", rate_limit, "headers", lambda limit, remaining, reset: [])
setting(
    "the Free plan allows 100 calls a minute",
    "09",
    rate_limit,
    "PLANS",
    rate_limit.PLANS | {"Free": rate_limit.Plan("Free", 100, 1000)},
)
setting("a 429 has no retryAfter", "09", envelope.RateLimitExceeded, "as_json", envelope.ApiError.as_json)


@breaks("no limit is enforced", "09")
def _() -> None:
    take = rate_limit.Meter.take

    def take_without_end(self: rate_limit.Meter, plan: rate_limit.Plan, now: int) -> list[tuple[bytes, bytes]]:
        try:
            return take(self, plan, now)
        except envelope.RateLimitExceeded as over:
            return over.rate_limit or []

    rate_limit.Meter.take = take_without_end


@breaks("a 429 has no Retry-After", "09")
def _() -> None:
    refuse = gate.failure

    def refuse_quietly(error: envelope.ApiError):
        error.headers.pop("Retry-After", None)
        return refuse(error)

    gate.failure = refuse_quietly


@breaks("the count never begins anew", "09")
def _() -> None:
    take = rate_limit.Meter.take
    rate_limit.Meter.take = lambda self, plan, now: take(self, plan, 0)


# Controls

setting("the clock does not move", "06", store.Store, "advance_clock", lambda self, account, seconds: self.now(account))
setting("faults do not happen", "09", traffic.AccountTraffic, "next_fault", lambda self: None)
setting("the list of requests is empty", "07", traffic.Traffic, "recent", lambda self, account_ids: [])


class Runner:
    """Runs notebooks in one kernel, which starts with the first of them."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._run: Callable[..., None] | None = None

    def is_as_published(self, path: Path, base_url: str) -> bool:
        """Run a notebook and tell whether it printed what is committed."""
        published = nbformat.read(path, as_version=4)
        notebook = without_outputs(published)
        if self._run is None:
            self._run = self._stack.enter_context(shared_kernel(timeout=15))
            Finalize(None, self.stop, exitpriority=1)  # a process of a pool knows no atexit
        try:
            self._run(notebook, path.parent, learner_environment(base_url))
        except CellTimeoutError:
            self.stop()
            return False
        except CellExecutionError:
            return False
        return outputs(notebook) == outputs(published)

    def stop(self) -> None:
        """End the kernel."""
        self._run = None
        self._stack.close()


def red_notebook(first: str, base_url: str) -> str | None:
    """Return the notebook that notices, ``None`` if none does. The likely one is asked first."""
    for path in sorted(NOTEBOOKS, key=lambda path: not path.name.startswith(first)):
        if not _runner.is_as_published(path, base_url):
            return path.name
    return None


_runner = Runner()


def outputs(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what the cells printed."""
    return ["".join(output.get("text", "") for output in cell.get("outputs", [])) for cell in notebook.cells]


def prove(number: int | None) -> str | None:
    """Break one thing, or nothing, and return the notebook that noticed."""
    if number is None:
        with MockServer() as server:
            return red_notebook("01", server.base_url)
    with MockServer(module=("tests.proof", "serve", str(number))) as server:
        return red_notebook(BREAKAGES[number].first, server.base_url)


def main() -> int:
    """Show for each breakage which notebook noticed. Return 1 if one survived, or if one turned red for nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description="Break the mock server; see a notebook notice.")
    parser.add_argument("--only", metavar="WORDS", default="", help="only the breakages with these words in their line")
    only = parser.parse_args().only
    started, survivors = time.monotonic(), 0
    numbers = [number for number, breakage in enumerate(BREAKAGES) if only in breakage.what]
    with ProcessPoolExecutor(max_workers=2) as processes:
        for number, noticed in zip(numbers, processes.map(prove, numbers), strict=True):
            survivors += noticed is None
            print(f"{BREAKAGES[number].what:45} {noticed or 'NOBODY NOTICED'}", flush=True)
        for red in processes.map(prove, [None, None]):  # in both kernels, after all that they have been through
            if red:
                print(f"Nothing was broken, and {red} turned red.")
                return 1
    print(f"{len(numbers)} breakages, {survivors} survived, {time.monotonic() - started:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        BREAKAGES[int(sys.argv[2])].patch()
        sys.exit(command_line.main(sys.argv[3:]))
    sys.exit(main())
