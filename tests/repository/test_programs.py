"""Every program that the Makefile or a text names is run as a person runs it: in its shortest form, up to its last line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tools import debian
from tools.made import MADE
from tools.running import PATIENCE, ROOT, free_port, make, wait_until
from tools.static_site import TAB

LIMIT = 1800  # seconds for a whole program, which on a quiet computer takes one minute at most
IGNORED = [line for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]


@dataclass(frozen=True)
class Run:
    """How a program is run in a short time. In the texts, ``{0}`` and ``{1}`` stand for free ports.

    ``added`` comes after its command. ``last`` is a regular expression for its last line. ``ready`` are the addresses
    that answer when a program is ready that runs until Ctrl-C. It runs in a copy of the project, or, if it is ``here``,
    in the project itself: it changes nothing there, and finds what was installed before. ``needs`` are other programs.
    """

    added: tuple[str, ...] = ()
    last: str = ""
    ready: tuple[str, ...] = ()
    here: bool = False
    needs: tuple[str, ...] = ()


# The command → its run, or the test or the fixture of another file that runs it.
PROGRAMS: dict[str, Run | str] = {
    "make help": "publish/test_api_reference.py::test_the_page_of_the_command_line_has_every_option_and_every_task",
    "make lab": Run(
        ("PORT={1}", "LAB_OPTIONS=--ServerApp.port={0}"),
        "Mock server stopped",
        ready=("http://127.0.0.1:{1}/_mock/health", "http://127.0.0.1:{0}/api"),
    ),
    "make check": Run(("PYTEST_ADDOPTS=-k every_program",), r"\d+ passed", here=True),
    "make programs": Run(here=True),
    "make test": Run(("PYTEST_ADDOPTS=tests/server/test_short_links.py",), r"\d+ passed", here=True),
    "make test-all": Run(("PYTEST_OPTIONS=tests/server/test_short_links.py",), r"\d+ passed", here=True),
    "make test-elsewhere": Run(("ELSEWHERE_OPTIONS=kiritimati",), "1 of 1 green", here=True),
    "make proof": Run(("PROOF_OPTIONS=--only 'the clock does not move'",), "0 survived", here=True),
    "make workshop": "workshop/test_workshop.py::test_a_bundle_installs_and_runs_with_the_network_off",
    "make release": Run(("--assume-old=workshop",)),
    "make bench": Run(
        ("BENCH_OPTIONS=--rounds 1 --seconds 1 --connections 16 --growth --json /dev/null",),
        "1 round|Not measured: Prism",
        here=True,
    ),
    "make bench-site": Run(("BENCH_OPTIONS=--rounds 1 --notebooks 1",), "1 round|Not measured: mkdocs-jupyter", here=True),
    "make bench-tab": Run(("BENCH_OPTIONS=--rounds 1",), "1 round", here=True, needs=("npm", "chromium")),
    "make lighthouse": Run(("PAGES=notebooks/04-call-the-api/",), "To be fixed: 0 of", here=True, needs=("npm", "chromium")),
    "make site": Run(("--assume-old=tab", "SITE_URL=https://docs.example.com/kit/")),
    "make tab": Run(last="The course in a browser tab is in", here=True, needs=("npm",)),
    "make serve": Run(("MKDOCS_OPTIONS=--dev-addr 127.0.0.1:{0}",), ready=("http://127.0.0.1:{0}/",)),
    "make notebooks": Run(("NOTEBOOKS=01",), "Answers saved: "),
    "make screenshots": Run(needs=("chromium",)),
    "make lock": Run(),
    "make clean": "repository/test_programs.py::test_clean_leaves_what_is_a_persons",
    "python -m mock_server": "server/test_command_line.py::test_it_says_where_it_is_and_ends_with_ctrl_c",
    "python -m mock_server.assistant": "server/test_assistant.py::test_an_assistant_starts_it_orders_faults_and_reads_what_arrived",
    "python -m mock_server.compare": "server/test_compare.py::test_it_runs_as_a_person_runs_it",
    "python lab.py": "workshop/test_lab.py::test_it_ends_with_the_addresses_says_when_the_mock_server_has_ended_and_ctrl_c_ends_the_rest",
    "python -m tools.mutants": Run(("06",), "0 survived", here=True),
    "python -m tools.proof": "publish/test_pages.py::test_a_page_does_what_it_says",
    "python -m workshop.slides": Run(last=r"\.html", needs=("npm",)),
}
# Without npm, wrk and Chromium: the command → what is added, its exit code, what it says.
LACKING = {
    "make bench": (("BENCH_OPTIONS=--rounds 1",), 0, ("Not measured: Prism and Mockoon", "wrk is not installed")),
    "make bench-tab": ((), 2, ("needs npm and Chromium",)),
    "make lighthouse": ((), 2, ("needs npm and Chromium",)),
    "make workshop": ((), 2, ("npm is not installed",)),
    "make tab": ((), 0, ("npm is missing",)),
}
BY_PYTHON = {"__pycache__", ".ipynb_checkpoints", ".jupyter"}  # made beside what is there, by whoever runs it
OF_PYTHON = {"http.server", "pip", "pytest", "venv"}  # no programs of this kit


@pytest.mark.check
def test_every_program_has_a_run():
    tasks = re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"))
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").rglob("*.ipynb")]
    modules = {name for path in texts for name in re.findall(r"python3? -m ([\w.]+)", path.read_text(encoding="utf-8"))}
    named = {f"make {task}" for task in tasks} | {f"python -m {module}" for module in modules - OF_PYTHON}
    named |= {f"python {path.name}" for path in ROOT.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")}
    assert named - set(PROGRAMS) == set(), "Add to PROGRAMS how to run these in a short time, or the test that runs them."
    assert set(PROGRAMS) - named == set(), "Nobody is told to run these. Take them out of PROGRAMS."


@pytest.mark.check
@pytest.mark.parametrize("place", [run for run in PROGRAMS.values() if isinstance(run, str)])
def test_a_run_elsewhere_is_there(place):
    file, _, name = place.partition("::")
    assert f"\ndef {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path):
    """A copy of the project, without what the tasks made."""
    folder = tmp_path / "kit"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", *MADE))
    (folder / ".venv").mkdir()  # Its programs are those of this environment: BIN names them.
    return folder


def command_of(program: str, added: tuple[str, ...], folder: Path) -> list[str]:
    """Return the command that a person types, with what is added to it, for this environment."""
    start, *rest = program.split()
    return make(*rest, *added, folder=folder) if start == "make" else [sys.executable, *rest, *added]


class Program:
    """A program that was started. ``said()`` is all that it printed; ``last_line()`` is the last of its output."""

    def __init__(self, command: list[str], folder: Path, logs: Path, **variables: str) -> None:
        """Start it, in an environment as a person has it: with nothing of these tests."""
        ours = ("LINKED_IS_", "PYTEST_", "IPYTHONDIR")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self._out, self._err = logs / "out", logs / "err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._out.read_text(encoding="utf-8") + self._err.read_text(encoding="utf-8")

    def last_line(self) -> str:
        return (self._out.read_text(encoding="utf-8").splitlines() or [""])[-1]

    def ended(self) -> int:
        """Wait for its end and return its exit code. Raises AssertionError with all that it printed until then."""
        try:
            return self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"It runs for {LIMIT} s now.\n{self.said()}") from None

    def wait_for(self, address: str) -> None:
        """Wait until it answers there. Raises AssertionError with what was last seen."""
        seen = ["nothing"]

        def answers() -> bool:
            try:
                seen.append(str(requests.get(address, timeout=PATIENCE).status_code))
            except requests.ConnectionError as error:
                seen.append(type(error).__name__)
            return seen[-1] == "200" or self.process.poll() is not None

        wait_until(answers, lambda: f"{seen[-1]} at {address}\n{self.said()}")
        assert seen[-1] == "200", f"{seen[-1]} at {address}\n{self.said()}"


@contextmanager
def started(command: list[str], folder: Path, logs: Path, **variables: str) -> Iterator[Program]:
    """Start a program; in the end, end what is left of it and of what it started."""
    program = Program(command, folder, logs, **variables)
    try:
        yield program
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.process.pid, signal.SIGKILL)
        program.process.wait()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the programs are run on Linux")
@pytest.mark.parametrize("name", [name for name, run in PROGRAMS.items() if isinstance(run, Run)])
def test_a_program_runs_to_its_end(name, request, tmp_path):
    run = PROGRAMS[name]
    for needed in run.needs:
        if needed == "chromium":
            request.getfixturevalue("chromium_path")
        elif not shutil.which(needed):
            message = f"{name.upper()} SKIPPED: {needed} is missing"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    folder = ROOT if run.here else request.getfixturevalue("copy")
    ports = [free_port(), free_port()]
    command = command_of(name, tuple(text.format(*ports) for text in run.added), folder)
    with TAB if name == "make tab" else nullcontext(), started(command, folder, tmp_path) as program:
        addresses = [address.format(*ports) for address in run.ready]
        for address in addresses:
            program.wait_for(address)
        if addresses:
            os.killpg(program.process.pid, signal.SIGINT)  # Ctrl-C reaches all of them
        code = program.ended()
        assert code == 0 or (addresses and code == -signal.SIGINT), program.said()
        assert re.search(run.last, program.last_line()), program.said()
        for address in addresses:
            with pytest.raises(requests.ConnectionError):
                requests.get(address, timeout=PATIENCE)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the programs are run on Linux")
@pytest.mark.parametrize("name", LACKING)
def test_a_program_says_what_it_lacks(name, copy, tmp_path):
    added, code, words = LACKING[name]
    (tmp_path / "empty").mkdir()
    command = command_of(name, added, copy)
    with started(command, copy, tmp_path, PATH=str(tmp_path / "empty")) as program:
        assert program.ended() == code, program.said()
        assert [word for word in words if word not in program.said()] == [], program.said()
        assert "Traceback" not in program.said()


def test_bsd_make_does_what_gnu_make_does(copy):
    """It reads the same Makefile on FreeBSD and others. Debian has it as `bmake`."""
    bsd = debian.find("bmake") or debian.missing("SKIPPED: no bmake found. Install bmake")
    tasks = re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"))
    for task in ("", *tasks, "lab PORT=8788", "notebooks NOTEBOOKS=02"):
        said = [subprocess.run([make, "-n", *task.split()], cwd=copy, capture_output=True, text=True) for make in ("make", bsd)]
        first, second = (one.stdout.replace("\\\n", "").split() for one in said)  # only one of them joins the lines
        assert first == second != [], f"{task}: {said[1].stdout}{said[1].stderr}"
    listed = [subprocess.check_output([make, "help"], cwd=copy, stdin=subprocess.DEVNULL, text=True) for make in ("make", bsd)]
    assert listed[0] == listed[1] and listed[0].count("\n") == len(tasks)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make, as on Windows")
def test_clean_leaves_what_is_a_persons(copy):
    """What git ignores is what tasks and tools make, and a person's own settings and database."""
    made = [copy / pattern.lstrip("/") for pattern in IGNORED if pattern.endswith("/")]
    made = [copy / "tools" / path.name if path.name == "node_modules" else path for path in made]
    kept = [copy / ".env", copy / "mock-server.db"]
    for path in [*(folder / "file" for folder in made), *kept]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    subprocess.run(make("clean", folder=copy), cwd=copy, check=True, capture_output=True)
    left = {path.relative_to(copy).as_posix() for path in [*made, *kept] if path.exists()}
    assert left == {".env", "mock-server.db", *BY_PYTHON}
