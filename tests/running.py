"""Run the mock server and the notebooks as a learner would: other processes, real HTTP, real files.

``python -m tests.running`` runs every notebook against a fresh mock server and saves the outputs.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = {
    "kernel_name": "python3",
    "record_timing": False,
    "coalesce_streams": True,  # What a cell prints is one output, however slow the computer is.
    # Without it, each kernel warns that what it says on the loopback is not encrypted.
    "config": Config({"AsyncKernelManager": {"transport_encryption": "auto"}}),
}
# Seconds until whatever waits for a state gives up. A busy computer is no failure, so nobody should ever wait that long.
PATIENCE = 300
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


class MockServer:
    """A mock server in a process of its own, on a free port. A context manager.

    ``base_url`` and ``origin`` are its addresses; ``log()`` is all that it printed. ``inside`` is a command that starts
    another one, such as in a network of its own.
    """

    def __init__(
        self,
        *arguments: str,
        database: str = ":memory:",
        environment: dict[str, str] | None = None,
        module: tuple[str, ...] = ("mock_server",),
        inside: tuple[str, ...] = (),
    ) -> None:
        self._final_log: str | None = None
        self._log = tempfile.NamedTemporaryFile("w+", suffix=".log", delete=False)  # noqa: SIM115, `_ended` closes it
        command = [*inside, sys.executable, "-m", *module, "--port", "0", "--database", database, *arguments]
        # A process group of its own: Ctrl-C in the terminal goes to pytest, which then stops the server.
        self.process = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
        self.base_url = self._wait_until_ready()
        self.origin = self.base_url.removesuffix("/v1")

    def __enter__(self) -> MockServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def log(self) -> str:
        """Return what the server has printed so far."""
        return Path(self._log.name).read_text(encoding="utf-8") if self._final_log is None else self._final_log

    def stop(self) -> int:
        """Stop it, as Ctrl-C does where there is one, and return its exit code."""
        self.process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
        return self._ended()

    def kill(self) -> None:
        """End it at once, without a chance to put anything in order."""
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        code = self.process.wait(timeout=10)
        self._final_log = self.log()
        self._log.close()
        Path(self._log.name).unlink()
        return code

    def _wait_until_ready(self) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log().splitlines():
                if line.startswith("Mock server ready."):
                    return line.split("API base URL: ")[1].split()[0]
            time.sleep(0.02)
        self.process.kill()
        raise RuntimeError(f"The mock server did not start. It printed: {self.log()}")


def run_async(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end. A thread of its own: Playwright leaves a running loop in this one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def learner_environment(base_url: str, token: str = "") -> dict[str, str]:
    """Return the variables that notebooks read, each of them: python-dotenv leaves what is set alone,
    so nothing of a developer's own ``.env`` gets into a run."""
    return {"LINKED_IS_BASE_URL": base_url, "LINKED_IS_API_TOKEN": token}


def run_notebook(path: Path, environment: dict[str, str]) -> nbformat.NotebookNode:
    """Run a notebook in its own folder from top to bottom and return it with its outputs.

    Raises nbclient's CellExecutionError at the first cell that fails, CellTimeoutError at one that takes longer than a
    minute.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=60, **OPTIONS)
    client.execute(cwd=str(path.parent), env={**os.environ, **environment})
    return notebook


@contextmanager
def shared_kernel(timeout: int = 60) -> Iterator[Callable[[nbformat.NotebookNode, Path, dict[str, str]], None]]:
    """Yield ``run(notebook, folder, environment)``, which runs many notebooks in one kernel: a start takes longer than
    most of them. They get their outputs, as far as they get. Raises nbclient's CellExecutionError at the first cell that
    fails, CellTimeoutError at one that takes longer than ``timeout`` (seconds): the kernel is of no use after it.

    Before each run the kernel forgets its variables, and gets folder and environment anew. Modules stay imported.
    """
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=timeout, **OPTIONS)

    def run(notebook: nbformat.NotebookNode, folder: Path, environment: dict[str, str]) -> None:
        environment = {**os.environ, **environment}
        anew = f"%reset -f\nimport os\nos.chdir({str(folder)!r})\nos.environ.clear()\nos.environ.update({environment!r})"
        for client.nb in (nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(anew)]), notebook):
            for index, cell in enumerate(client.nb.cells):
                client.execute_cell(cell, index)

    with client.setup_kernel():
        yield run


def main() -> None:
    """Run every notebook and save it with its outputs."""
    with MockServer() as server:
        for path in NOTEBOOKS:
            print(f"Running {path.name}")
            notebook = run_notebook(path, learner_environment(server.base_url))
            notebook.metadata["language_info"].pop("version", None)  # differs from machine to machine
            nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
