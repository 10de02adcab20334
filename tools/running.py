"""Run the mock server and the notebooks as a learner would: other processes, real HTTP, real files."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import nbformat
from filelock import FileLock
from nbclient import NotebookClient
from traitlets.config import Config

from tools import debian

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = {
    "kernel_name": "python3",
    "record_timing": False,
    "coalesce_streams": True,  # What a cell prints is one output, however slow the computer is.
    # Without it, each kernel warns that what it says on the loopback is not encrypted.
    "config": Config({"AsyncKernelManager": {"transport_encryption": "auto"}}),
}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Seconds. Whatever waits, waits for a state, and only this long: more than a slow and busy computer ever needs.
PATIENCE = 300
T = TypeVar("T")


def wait_until(state: Callable[[], T], seen: Callable[[], object] = str) -> T:
    """Ask for a state until there is one, and return it. ``seen`` tells what there is to see instead.

    Raises AssertionError with what was last seen when PATIENCE is over.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := state()):
        assert time.monotonic() < deadline, f"Nothing came in {PATIENCE} s. Last seen: {seen() or found!r}"
        time.sleep(0.02)
    return found


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
        try:
            self.base_url = self._wait_until_ready()
        except BaseException:
            self.process.kill()  # nobody else can end it
            raise
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
        code = self.process.wait(PATIENCE)
        self._final_log = self.log()
        self._log.close()
        Path(self._log.name).unlink()
        return code

    def _wait_until_ready(self) -> str:
        # In this order: a server that has ended may have printed its last line after the log was read.
        wait_until(lambda: self.process.poll() is not None or "Mock server ready." in self.log(), self.log)
        ready = re.search(r"API base URL: (\S+)", self.log())
        if ready is None:
            raise RuntimeError(f"The mock server did not start. It printed: {self.log()}")
        return ready[1]


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def is_answered(port: int) -> bool:
    """Tell whether somebody listens on a port of the loopback."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def project_lock(name: str) -> FileLock:
    """Return a lock between processes that want the same thing in this project. In another clone, another user has another."""
    return FileLock(ROOT / ".pytest_cache" / f"{name}.lock")


def copy_project(folder: Path) -> Path:
    """Copy what git has of the project, or will have, into a folder, as a fresh clone has it. Return the folder.

    Where git is missing, skip the test at hand.
    """
    debian.need("git")
    names = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, encoding="utf-8")
    for name in names.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for command in ("init --quiet", "add --all"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True)
    return folder


def run_async(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end. A thread of its own: Playwright leaves a running loop in this one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def make(task: str, *variables: str, folder: Path = ROOT) -> list[str]:
    """Return the command ``make task`` in a folder, with the environment that runs the tests and nothing installed."""
    tools = shlex.quote(os.path.relpath(Path(sys.executable).parent, folder))
    return [
        shutil.which("make") or "make",
        *(f"--assume-old=.venv/{reader}" for reader in ("learn", "site")),
        "--assume-old=.venv/tests",
        f"BIN={tools}",
        task,
        *variables,
    ]


def learner_environment(base_url: str, token: str = "") -> dict[str, str]:
    """Return base URL and token as variables: python-dotenv leaves alone what is set, whatever a developer's ``.env`` has."""
    return {"LINKED_IS_BASE_URL": base_url, "LINKED_IS_API_TOKEN": token}


def run_notebook(
    path: Path,
    environment: dict[str, str],
    folder: Path | None = None,
    after_cell: Callable[..., None] | None = None,
    notebook: nbformat.NotebookNode | None = None,
) -> nbformat.NotebookNode:
    """Run a notebook in its own folder, or in another one, from top to bottom and return it with its outputs.

    ``notebook`` is what the file will hold, if it isn't what it holds. ``after_cell(cell=…, cell_index=…, …)`` is called after each code cell. JupyterLab tells a kernel which notebook it
    runs, and so does this. Raises nbclient's CellExecutionError at the first cell that fails, CellTimeoutError at one that
    takes longer than PATIENCE.
    """
    notebook = notebook or nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=PATIENCE, on_cell_executed=after_cell, **OPTIONS)
    client.execute(cwd=str(folder or path.parent), env={**os.environ, "JPY_SESSION_NAME": str(path), **environment})
    return notebook


@contextmanager
def shared_kernel() -> Iterator[Callable[[nbformat.NotebookNode, Path, dict[str, str]], None]]:
    """Yield ``run(notebook, folder, environment)``, which runs many notebooks in one kernel.

    A start takes longer than most of them. They get their outputs, as far as they get. Raises nbclient's CellExecutionError at
    the first cell that fails, CellTimeoutError at one that takes longer than PATIENCE: the kernel is of no use after it.

    Before each run the kernel forgets its variables, and gets folder and environment anew. Modules stay imported.
    """
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=PATIENCE, **OPTIONS)

    def run(notebook: nbformat.NotebookNode, folder: Path, environment: dict[str, str]) -> None:
        environment = {**os.environ, **environment}
        anew = f"%reset -f\nimport os\nos.chdir({str(folder)!r})\nos.environ.clear()\nos.environ.update({environment!r})"
        for client.nb in (nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(anew)]), notebook):
            for index, cell in enumerate(client.nb.cells):
                client.execute_cell(cell, index)

    with client.setup_kernel():
        yield run
