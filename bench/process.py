"""Start a server on a free port of the loopback, watch its processor time and memory, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from tools.running import PATIENCE, ROOT, free_port

PORT = "{port}"  # stands for the port in a command

# Every server gets the same one core, and the load comes from the others: no server may take time from wrk.
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVER_CORES = CORES[:1]
LOAD_CORES = CORES[1:] or CORES


class CannotMeasure(Exception):
    """Why there is nothing to compare. The message is for the person at the terminal."""


class Server:
    """A server in a process of its own. ``command`` holds PORT where the port goes.

    ``status`` asks the port and returns the status of the answer, or why there was none; the server is up when it is
    ``up``. ``cores`` are those it may run on.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        status: Callable[[int], int | str],
        up: int = 200,
        environment: dict[str, str] | None = None,
        cores: list[int] = SERVER_CORES,
    ) -> None:
        self.name = name
        self.command = command
        self.status = status
        self.up = up
        self.environment = {**os.environ, **(environment or {})}
        self.cores = cores
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> float:
        """Start it and return the seconds until it gave the first right answer. Raises CannotMeasure."""
        self.port = free_port()
        command = [part.replace(PORT, str(self.port)) for part in self.command]
        with tempfile.TemporaryFile() as errors:
            started = time.perf_counter()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd=ROOT,
                env=self.environment,
                start_new_session=True,  # Ctrl-C comes to us, and we stop it
                preexec_fn=self._before_it_runs,  # noqa: PLW1509, the benchmark starts servers before any thread
            )
            try:
                while (status := self.status(self.port)) != self.up:
                    if time.perf_counter() > started + PATIENCE or self._process.poll() is not None:
                        errors.seek(0)
                        reason = errors.read()[-2000:].decode(errors="replace")
                        raise CannotMeasure(f"{self.name} did not start: {status} in place of {self.up}. {reason}")
                    time.sleep(0.002)
                return time.perf_counter() - started
            except BaseException:  # Ctrl-C too
                self.stop()
                raise

    def stop(self) -> None:
        """Stop it with all processes that it started; it is no error if it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGINT)  # the mock server closes its file
            process.wait(timeout=PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what is left of the group
        process.wait()

    def processor_time(self) -> float:
        """Return the seconds of processor time so far, user and system, of the process tree."""
        times = [process.cpu_times() for process in self._tree()]
        return sum(one.user + one.system for one in times)

    def memory(self) -> float:
        """Return the resident memory of the process tree in MiB."""
        return sum(process.memory_info().rss for process in self._tree()) / 2**20

    def _before_it_runs(self) -> None:
        os.sched_setaffinity(0, self.cores)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell may start us in the background, where it is ignored

    def _tree(self) -> list[psutil.Process]:
        if self._process is None or self._process.poll() is not None:
            raise CannotMeasure(f"{self.name} ended by itself.")
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]
