"""Measure the mock server beside Prism, Mockoon and bare uvicorn: ``python -m bench``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from bench import growth, measurement, report
from bench.process import CannotMeasure
from bench.rounds import show
from bench.targets import MOCKOON, OURS, figures

NOTES = """\
Median (lowest..highest). Ratios are taken round by round; look at the spread before you believe a small difference.
Prism and Mockoon let every token in, keep no link and count no call; ours does all three.
Ours reads and writes a SQLite file unless it says :memory:. Its rate limits count, and are never reached.
All servers share one core, one under load at a time; wrk has the others. Processor time is the steadiest figure."""

GROWTH = f"""\
Growth, {growth.CONNECTIONS} connections. The links come on top of the demo's; GET lists the newest 20, or all if fewer.

"""


def main() -> int:
    """Measure and print. Return 0, or 1 if something could not be measured."""
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped then too
    started, busy = time.monotonic(), os.getloadavg()[0]
    try:
        results = measurement.measure(options)
    except (CannotMeasure, KeyboardInterrupt) as error:
        show("")
        print(f"Not measured. {error}".rstrip(), file=sys.stderr)
        return 1
    found = figures(results, options.connections)
    parts = [report.loads(results), report.others(results), report.matrix(results, OURS, MOCKOON)]
    parts.append(report.verdicts(found))
    if results.growth:
        parts.append(GROWTH + report.grown(results.growth))
    taken = f"{options.seconds} s a run, {time.monotonic() - started:.0f} s in all."
    circumstances = report.circumstances(options.rounds, busy, results.left_out)
    print("\n\n".join([part for part in parts if part] + [f"{NOTES}\n{taken}\n{circumstances}"]))
    if options.json:
        write_json(options.json, results, found)
    return 0


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the mock server beside Prism, Mockoon and bare uvicorn, and print the ratios and "
        "whether they reach the targets. The first run installs the peers from npm. Needs Linux; what needs wrk or npm "
        "is left out without them.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--seconds", type=int, default=2, help="length of one run of wrk")
    parser.add_argument("--rounds", type=int, default=5, help="how often every server gets its turn")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64], metavar="N", help="how many at once")
    parser.add_argument("--skip-peers", action="store_true", help="leave Prism and Mockoon out; needs no npm")
    parser.add_argument("--growth", action="store_true", help="also measure with up to 100,000 links and 10,000 tokens")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every round to this file too")
    options = parser.parse_args()
    if min(options.seconds, options.rounds, *options.connections) < 1:
        parser.error("--seconds, --rounds and --connections must be 1 or more")
    return options


def write_json(path: Path, results: report.Results, found: list[report.Figure]) -> None:
    """Write all figures to a file, with the units in which they are printed."""
    everything = {
        **asdict(results),
        "runs": [
            {"kind": kind, "connections": count, "server": server, "rounds": [asdict(run) for run in runs]}
            for (kind, count, server), runs in results.runs.items()
        ],
        "figures": [asdict(figure) for figure in found],
    }
    path.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
