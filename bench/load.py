"""Load from wrk, one thread, and what it cost the server."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.process import CannotMeasure, Server
from tools import debian
from tools.running import PATIENCE

DONE = """
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Run:
    """One run of wrk. ``per_second`` in requests, ``p50`` and ``p99`` in ms, ``processor`` in µs a request."""

    per_second: float
    p50: float
    p99: float
    processor: float


class Script:
    """A request for wrk, in a file that only we may read: a command line shows a token to everybody."""

    def __init__(self, folder: Path, name: str, token: str, body: str | None = None, is_refused: bool = False) -> None:
        self.path = folder / f"{name}.lua"
        self.is_refused = is_refused
        lines = [f'wrk.headers["Authorization"] = {json.dumps("Bearer " + token)}']
        if body:
            lines += ['wrk.method = "POST"', 'wrk.headers["Content-Type"] = "application/json"']
            lines += [f"wrk.body = {json.dumps(body)}"]
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + DONE)


def run(server: Server, script: Script, connections: int, seconds: int) -> Run:
    """Put the server under load. Raises CannotMeasure if an answer was lost or not the expected kind."""
    before = server.processor_time()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{PATIENCE}s", "-s", str(script.path)]
    output = subprocess.run([*command, f"http://127.0.0.1:{server.port}/v1/links"], capture_output=True, text=True, check=False)
    used = server.processor_time() - before
    if output.returncode or "{" not in output.stdout:
        raise CannotMeasure(f"wrk failed against {server.name}: {output.stderr.strip()[-500:]}")
    figures = json.loads(output.stdout[output.stdout.rindex("{") :])
    count = figures["requests"]
    if figures["broken"] or count == 0 or figures["refused"] != (count if script.is_refused else 0):
        what = f"{figures['broken']} errors and {figures['refused']} answers of 400 or more in {count}"
        raise CannotMeasure(f"{server.name}, {script.path.stem}, {connections} connections: {what}.")
    return Run(
        per_second=count / figures["microseconds"] * 1e6,
        p50=figures["p50"] / 1e3,
        p99=figures["p99"] / 1e3,
        processor=used / count * 1e6,
    )


def check_wrk() -> None:
    """See that wrk is there. Raises CannotMeasure."""
    if not debian.find("wrk"):
        raise CannotMeasure("Requests under load, and memory after them: wrk is not installed. On Debian: apt-get install wrk")
