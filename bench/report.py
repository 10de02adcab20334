"""Numbers as tables: each a median with its lowest and highest, each target reached or missed."""

from __future__ import annotations

import operator
import os
from dataclasses import dataclass, field
from statistics import median

from bench.growth import Size
from bench.load import Run
from bench.rounds import Runs

COMPARISONS = {">=": operator.ge, "<=": operator.le, "<": operator.lt}
COLUMNS = {"requests/s": "per_second", "p50 ms": "p50", "p99 ms": "p99", "processor µs": "processor"}


@dataclass(frozen=True)
class Target:
    """What a figure must be beside ``limit``. ``note`` says what comes after it."""

    sign: str
    limit: float
    note: str = ""

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:g}{self.note}"

    def is_reached(self, value: float) -> bool:
        """Tell whether the value is what it must be."""
        return COMPARISONS[self.sign](value, self.limit)


@dataclass(frozen=True)
class Figure:
    """A figure of the second table: its value in each round, and what it must be."""

    what: str
    values: list[float]
    target: Target | None = None
    unit: str = ""


@dataclass
class Results:
    """All that was measured. Start in seconds, memory in MiB, bursts in ms."""

    runs: Runs = field(default_factory=dict)
    starts: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)  # after which load → server → MiB
    bursts: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, list[float]] = field(default_factory=dict)  # of 1,000 connections at once
    reads_during_logins: list[float] = field(default_factory=list)  # p99 in ms
    logins: list[float] = field(default_factory=list)  # seconds until the last of 200 was answered
    growth: list[Size] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # what was not measured, and why


def number(value: float) -> str:
    """Spell a number with three digits that matter, or as a whole one."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: list[float]) -> str:
    """Spell the median, and the lowest and highest beside it."""
    return f"{number(median(values))} ({number(min(values))}..{number(max(values))})"


def table(rows: list[list[str]]) -> str:
    """Line up the columns; the first one to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def loads(results: Results) -> str:
    """Return the tables of what was measured, a table for each kind of request and number of connections."""
    groups: dict[tuple[str, int], list[list[str]]] = {}
    for (kind, connections, server), runs in results.runs.items():
        cells = [spread([getattr(run, name) for run in runs]) for name in COLUMNS.values()]
        groups.setdefault((kind, connections), []).append([server, *cells])
    tables = [
        table([[f"{kind}, {connections} connection{'s' * (connections > 1)}", *COLUMNS], *rows])
        for (kind, connections), rows in groups.items()
    ]
    return "\n\n".join(tables)


def others(results: Results) -> str:
    """Return the table of start, memory and bursts."""
    loaded = list(results.memory)
    memory = [f"MiB after {kind.partition(' ')[0]}" for kind in loaded]
    rows = [["edges", "start to first answer s", *memory, "200 connections at once ms", "failed of 1,000"]]
    for name in dict.fromkeys([*results.starts, *(name for memory in results.memory.values() for name in memory)]):
        cells = [number(results.memory[kind][name]) if name in results.memory[kind] else "-" for kind in loaded]
        rest = [spread(values[name]) if name in values else "-" for values in (results.bursts, results.failures)]
        rows.append([name, spread(results.starts[name]) if name in results.starts else "-", *cells, *rest])
    return table(rows)


def matrix(results: Results, ours: str, other: str) -> str:
    """Return all ratios to a server, a column for each number of connections; empty if it was not measured."""
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for (kind, connections, server), runs in results.runs.items():
        if server == other:
            for heading, name in COLUMNS.items():
                cells = groups.setdefault((kind, heading.removesuffix(" ms").removesuffix(" µs")), {})
                cells[connections] = spread(ratio(results.runs[kind, connections, ours], runs, name))
    if not groups:
        return ""
    counts = list(next(iter(groups.values())))
    rows = [[f"{ours} / {other}", "", *(f"{count} connection{'s' * (count > 1)}" for count in counts)]]
    return table(rows + [[kind, name, *cells.values()] for (kind, name), cells in groups.items()])


def grown(sizes: list[Size]) -> str:
    """Return the table of growth. Each size is compared with the smallest by processor time, the steadiest figure."""
    rows = [["links", "tokens", "start s", "GET/s", "µs", "x smallest", "POST/s", "µs", "x smallest"]]
    for size in sizes:
        cells = [spread(size.starts)]
        for now, then in ((size.reads, sizes[0].reads), (size.writes, sizes[0].writes)):
            cells += [spread(series(now, name)) for name in ("per_second", "processor")]
            cells.append(spread(ratio(now, then, "processor")))
        rows.append([f"{size.links:,}", f"{size.tokens:,}", *cells])
    return table(rows)


def series(runs: list[Run], name: str) -> list[float]:
    """Return one figure of each run."""
    return [getattr(run, name) for run in runs]


def ratio(ours: list[Run], theirs: list[Run], name: str) -> list[float]:
    """Return ours / theirs, round by round: what disturbs a round disturbs both."""
    return divide(series(ours, name), series(theirs, name))


def divide(ours: list[float], theirs: list[float]) -> list[float]:
    """Return ours / theirs, pair by pair. A server at rest may have used less time than the system can tell."""
    return [one / max(other, 1e-9) for one, other in zip(ours, theirs, strict=True)]


def circumstances(rounds: int, busy: float, left_out: list[str]) -> str:
    """Return how often it was measured, how busy the computer was before the start, and what was not measured."""
    load = f"Load of the machine before the start: {busy:.1f} on {os.cpu_count()} cores; above 0.5, close what runs."
    return "\n".join([f"{rounds} round{'s' * (rounds > 1)}. {load}", *(f"Not measured: {what}" for what in left_out)])


def verdicts(figures: list[Figure]) -> str:
    """Return the table of ratios and targets."""
    rows = [["ratio, or figure", "median (lowest..highest)", "target", ""]]
    for figure in figures:
        target = ["-", ""]
        if figure.target:
            target = [str(figure.target), "reached" if figure.target.is_reached(median(figure.values)) else "missed"]
        rows.append([figure.what, spread(figure.values) + figure.unit, *target])
    return table(rows)
