"""The main measurement: every server in turn, round after round, so that a slow minute hits all alike."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from bench.load import Run, Script, run
from bench.process import Server


@dataclass(frozen=True)
class Case:
    """What is measured together: a kind of request at a number of connections, on one server.

    ``prepare`` runs before each run and is not measured.
    """

    server: Server
    kind: str
    script: Script
    connections: int
    prepare: Callable[[], None] | None = None


Runs = dict[tuple[str, int, str], list[Run]]  # kind, connections, server → a run for each round


def measure_cases(cases: list[Case], rounds: int, seconds: int) -> Runs:
    """Warm every server up, then run each case once a round."""
    for case in {(case.server.name, case.kind): case for case in cases}.values():
        run(case.server, case.script, 16, seconds)
    runs: Runs = {}
    for number in range(rounds):
        for case in cases:
            show(f"round {number + 1} of {rounds}: {case.kind}, {case.connections} connections, {case.server.name}")
            if case.prepare:
                case.prepare()
            one = run(case.server, case.script, case.connections, seconds)
            runs.setdefault((case.kind, case.connections, case.server.name), []).append(one)
    show("")
    return runs


def starts(servers: list[Server], rounds: int) -> dict[str, list[float]]:
    """Start every server in turn, and again each round; return the seconds to the first answer. They run on."""
    seconds: dict[str, list[float]] = {server.name: [] for server in servers}
    for number in range(rounds):
        for server in servers:
            show(f"start {number + 1} of {rounds}: {server.name}")
            server.stop()
            seconds[server.name].append(server.start())
    show("")
    return seconds


def show(what: str) -> None:
    """Say on one line of the terminal what goes on."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)
