"""Whether a request costs more when the database holds more."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench import account, peers
from bench.load import Run, Script, run
from bench.rounds import show
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.store import Store

SIZES = [(10, 1), (1_000, 1), (100_000, 1), (10, 100), (10, 10_000)]  # links, tokens
CONNECTIONS = 16


@dataclass
class Size:
    """What was measured with so many links and tokens in one account. ``starts`` in seconds."""

    links: int
    tokens: int
    starts: list[float]
    reads: list[Run]
    writes: list[Run]


def fill(path: Path, links: int, tokens: int) -> str:
    """Make a database with one account, the links on top of those that it begins with; return one of its tokens."""
    database = Database(str(path))
    store = Store(database, Clock())
    owner = store.add_account("grower@example.com", "")
    content = store.content(owner)
    for number in range(links):
        content.add_link({"url": "https://example.com/menu", "slug": f"growth-{number}"})
    texts = [store.generate_token(owner, "Growth", None) for _ in range(tokens)]
    database.close()
    return texts[-1]


def measure(folder: Path, rounds: int, seconds: int) -> list[Size]:
    """Fill a database of each size, then, each round, start a server on a fresh copy of each and load it."""
    sizes = [Size(links, tokens, [], [], []) for links, tokens in SIZES]
    secrets: list[str] = []
    for size in sizes:
        show(f"growth: filling in {size.links:,} links and {size.tokens:,} tokens")
        secrets.append(fill(folder / f"{size.links}-{size.tokens}.db", size.links, size.tokens))
    for number in range(rounds):
        for size, token in zip(sizes, secrets, strict=True):
            show(f"growth, round {number + 1} of {rounds}: {size.links:,} links, {size.tokens:,} tokens")
            measure_once(folder, size, token, seconds)
    show("")
    return sizes


def measure_once(folder: Path, size: Size, token: str, seconds: int) -> None:
    """Measure one size once. The writes come last, because they add links."""
    database = folder / "growing.db"
    shutil.copy(folder / f"{size.links}-{size.tokens}.db", database)
    name = f"{size.links}-{size.tokens}"
    reading = Script(folder, f"GET-{name}", token)
    writing = Script(folder, f"POST-{name}", token, account.NEW_LINK)
    server = peers.ours(f"ours with {size.links:,} links and {size.tokens:,} tokens", database, token)
    try:
        size.starts.append(server.start())
        run(server, reading, CONNECTIONS, 1)  # to warm up
        size.reads.append(run(server, reading, CONNECTIONS, seconds))
        size.writes.append(run(server, writing, CONNECTIONS, seconds))
    finally:
        server.stop()
        for file in folder.glob("growing.db*"):
            file.unlink()
