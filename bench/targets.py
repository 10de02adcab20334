"""What the mock server must reach beside its peers, and how far it got."""

from __future__ import annotations

from bench.report import Figure, Results, Target, divide, ratio, series

OURS, MEMORY, BARE, PRISM, MOCKOON = "ours", "ours, :memory:", "bare uvicorn", "Prism", "Mockoon"
GET, POST, REFUSED = "GET /v1/links", "POST /v1/links", "GET, 401"

AGAINST_PRISM = {  # name of the figure, connections → target
    ("per_second", 1): Target(">=", 1.8),
    ("per_second", 16): Target(">=", 3.0, ", then 4"),
    ("p99", 16): Target("<=", 0.4),
    ("p99", 64): Target("<=", 0.4),
    ("processor", 1): Target("<=", 0.33),
    ("processor", 16): Target("<=", 0.33),
    ("processor", 64): Target("<=", 0.33),
}
NAMES = {"per_second": "requests/s", "p50": "p50", "p99": "p99", "processor": "processor time per request"}


def figures(results: Results, connections: list[int]) -> list[Figure]:
    """Return every ratio that has a target, and those beside it."""
    runs = results.runs
    found = []
    for kind in (GET, POST):
        for name, spelled in NAMES.items():
            for count in connections:
                if (kind, count, PRISM) in runs:
                    values = ratio(runs[kind, count, OURS], runs[kind, count, PRISM], name)
                    what = f"{kind}, {count} conn.: {spelled}, ours / Prism"
                    found.append(Figure(what, values, AGAINST_PRISM.get((name, count))))
    for kind, target in ((GET, Target(">=", 0.4)), (POST, None)):
        for count in connections:
            if (kind, count, BARE) in runs:
                values = ratio(runs[kind, count, OURS], runs[kind, count, BARE], "per_second")
                found.append(Figure(f"{kind}, {count} conn.: requests/s, ours / {BARE}", values, target))
    return found + within(results) + at_the_edges(results)


def within(results: Results) -> list[Figure]:
    """Return the ratios of our server to itself."""
    found = []
    for (kind, count, server), runs in results.runs.items():
        if server == MEMORY:
            values = ratio(results.runs[kind, count, OURS], runs, "per_second")
            what = f"{kind}, {count} conn.: requests/s, SQLite file / :memory:"
            found.append(Figure(what, values, Target(">=", 0.4)))
        if kind == REFUSED:
            values = divide(series(runs, "per_second"), series(results.runs[GET, count, OURS], "per_second"))
            found.append(Figure(f"{GET}, {count} conn.: requests/s, 401 / 200", values, Target(">=", 1.0)))
    return found


def at_the_edges(results: Results) -> list[Figure]:
    """Return start, memory, bursts and logins."""
    found = []
    if PRISM in results.starts:
        values = divide(results.starts[OURS], results.starts[PRISM])
        found.append(Figure("start to first answer, ours / Prism", values, Target("<=", 0.45)))
        for kind, memory in results.memory.items():
            values = divide([memory[OURS]], [memory[PRISM]])
            target = Target("<=", 0.25) if kind == GET else None  # Prism keeps nothing of a POST
            found.append(Figure(f"memory after {kind}, ours / Prism", values, target))
        values = divide(results.bursts[OURS], results.bursts[PRISM])
        found.append(Figure("200 connections at once: last answer, ours / Prism", values, Target("<=", 0.7)))
    found.append(Figure("1,000 connections at once: failures", [sum(results.failures[OURS])], Target("<=", 0)))
    found.append(Figure("p99 of GET during 200 logins", results.reads_during_logins, Target("<", 10), " ms"))
    found.append(Figure("200 logins at once: last answer", results.logins, unit=" s"))
    return found
