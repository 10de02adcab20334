"""Run the mock server and the notebooks as a learner would: other processes, real HTTP, real files.

``python -m tests.running`` runs every notebook against a fresh mock server and saves the outputs;
``python -m tests.running 02 07`` only those whose names begin so.
"""

from __future__ import annotations

import asyncio
import csv
import json
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
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import nbformat
import requests
from filelock import FileLock
from nbclient import NotebookClient
from traitlets.config import Config

from mock_server.classroom import SEPARATOR
from tests import debian

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = {
    "kernel_name": "python3",
    "record_timing": False,
    "coalesce_streams": True,  # What a cell prints is one output, however slow the computer is.
    # Without it, each kernel warns that what it says on the loopback is not encrypted.
    "config": Config({"AsyncKernelManager": {"transport_encryption": "auto"}}),
}
COURSE = ROOT / "mock_server" / "course.json"
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
        time.sleep(0.02)  # noqa: TID251
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
    if not debian.find("git", package="git"):
        debian.missing("SKIPPED: no git found. Install git")
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
        "--assume-old=.venv/course",
        "--assume-old=.venv/tests",
        f"BIN={tools}",
        task,
        *variables,
    ]


def learner_environment(base_url: str, token: str = "") -> dict[str, str]:
    """Return the variables that notebooks read, each of them: python-dotenv leaves what is set alone,
    so nothing of a developer's own ``.env`` gets into a run."""
    return {"LINKED_IS_BASE_URL": base_url, "LINKED_IS_API_TOKEN": token}


def run_notebook(
    path: Path, environment: dict[str, str], folder: Path | None = None, after_cell: Callable[..., None] | None = None
) -> nbformat.NotebookNode:
    """Run a notebook in its own folder, or in another one, from top to bottom and return it with its outputs.

    ``after_cell(cell=…, cell_index=…, …)`` is called after each code cell. JupyterLab tells a kernel which notebook it
    runs, and so does this. Raises nbclient's CellExecutionError at the first cell that fails, CellTimeoutError at one that
    takes longer than PATIENCE.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=PATIENCE, on_cell_executed=after_cell, **OPTIONS)
    client.execute(cwd=str(folder or path.parent), env={**os.environ, "JPY_SESSION_NAME": str(path), **environment})
    return notebook


@contextmanager
def shared_kernel() -> Iterator[Callable[[nbformat.NotebookNode, Path, dict[str, str]], None]]:
    """Yield ``run(notebook, folder, environment)``, which runs many notebooks in one kernel: a start takes longer than
    most of them. They get their outputs, as far as they get. Raises nbclient's CellExecutionError at the first cell that
    fails, CellTimeoutError at one that takes longer than PATIENCE: the kernel is of no use after it.

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


@contextmanager
def class_server() -> Iterator[MockServer]:
    """Yield a mock server whose board sees what notebooks do that ``save`` runs."""
    learner = patch.dict(os.environ, LINKED_IS_CLASS_CODE="recorder", LINKED_IS_LEARNER="recorder")
    with learner, MockServer("--class", "recorder") as server:
        yield server


def save(path: Path, server: MockServer) -> dict[str, list[str]]:
    """Run a notebook and save it with its outputs. Raises what ``run_notebook`` raises.

    Return what each part of it does, by its heading, as the board of the ``class_server`` sees it.
    """
    print(f"Running {path.name}", flush=True)
    does: dict[str, list[str]] = {}

    def did() -> list[str]:
        text = requests.get(f"{server.origin}/_mock/class", {"as": "csv"}, timeout=PATIENCE).text
        return [one for row in csv.DictReader(StringIO(text)) for one in row["Did"].split(SEPARATOR) if one]

    def note(cell_index: int, **_: Any) -> None:
        nonlocal before
        now = did()
        # The board forgets the first of very many: what is new follows the longest part that it still has.
        known = max(size for size in range(len(now) + 1) if now[:size] == before[len(before) - size :])
        before = now
        above = [one.source for one in source[:cell_index] if one.cell_type == "markdown"]
        heading = next((found[1] for text in reversed(above) if (found := re.search("(?m)^##+ (.+)$", text))), "")
        if now[known:]:
            does.setdefault(heading, []).extend(now[known:])

    source, before = nbformat.read(path, as_version=4).cells, did()
    notebook = run_notebook(path, learner_environment(server.base_url), after_cell=note)
    notebook.metadata["language_info"].pop("version", None)  # differs from machine to machine
    nbformat.write(notebook, path)
    return does


def note_in_course(name: str, path: Path, does: dict[str, list[str]]) -> None:
    """Write into ``course.json`` what a notebook is called, and what each part of it does: the board of a class shows it.

    The notebook's metadata has what a learner does by hand, ``by_hand``.
    """
    known = json.loads(COURSE.read_text(encoding="utf-8"))
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    steps = {heading: SEPARATOR.join(one) for heading, one in does.items()}
    steps |= notebook.metadata.linked_is.get("by_hand", {})
    in_order = dict(sorted(steps.items(), key=lambda step: text.find(f"# {step[0]}\n") if step[0] else -1))
    known[name] = {"title": re.search("(?m)^# (.+)$", text)[1], "steps": in_order}  # type: ignore[index]
    COURSE.write_text(json.dumps(dict(sorted(known.items())), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main(*beginnings: str) -> None:
    """Run every notebook, or those whose names begin so, and save it with its outputs."""
    chosen = [path for path in NOTEBOOKS if path.name.startswith(beginnings or "")]
    with class_server() as server:
        for path in chosen:
            note_in_course(path.stem, path, save(path, server))
    print(f"Notebooks saved: {len(chosen)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
