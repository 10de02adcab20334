"""The tests elsewhere: with other fonts, locales, clocks, users, folders, programs and Pythons, and on a busy computer.

``python -m tools.elsewhere [NAME…]`` runs each place of ELSEWHERE, or those that are named, one after the other, and prints
a row for each. A place runs the part of the quick suite that it can break; ``--whole`` runs the whole quick suite in each.
Needs Linux, and what ``python -m tools.debian --all`` installs; a Python that is missing it takes from Debian, as root. What
can't be had is named in its row.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tools import debian
from tools.running import ROOT, copy_project, project_lock

WHOLE = "notebooks tests -n 2 --dist loadfile"
LIMIT = 3600  # seconds; the whole suite on a computer that others use as well takes a quarter of it
KEPT = ROOT / ".venv" / "elsewhere"  # Pythons and their environments
# It ends when its parent does, however that ends.
BUSY = "import os, sys, threading; threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()\nwhile True: pass"


class Missing(Exception):
    """A place can't be had here, and why."""


class Run:
    """How the tests are run in a place: with ``python`` in the folder ``project``, below the command ``inside``.

    ``folder`` is a temporary one for what the place needs. What ends with the place is on the stack ``ends``.
    """

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self.folder, self.ends = folder, ends
        self.project, self.python, self.inside = ROOT, Path(sys.executable), list[str]()
        ours = ("LINKED_IS_", "PYTEST_", "IPYTHONDIR")  # what a test run above this one has set
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}

    def __call__(self, *command: object, limit: int = LIMIT) -> tuple[int, str]:
        """Run a command there; return its exit code and what it printed. It gets Ctrl-C after ``limit`` seconds."""
        words = [*self.inside, *map(str, command)]
        with subprocess.Popen(
            words, cwd=self.project, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                printed, _ = process.communicate(timeout=limit)
            except BaseException:
                os.killpg(process.pid, signal.SIGINT)  # pytest then ends what it has started
                with suppress(subprocess.TimeoutExpired):
                    process.wait(60)
                process.kill()
                raise
        return process.returncode, printed

    def must(self, *command: object) -> str:
        """Run a command there and return what it printed. Raises Missing with its last line if it fails."""
        code, printed = self(*command)
        if code:
            raise Missing(f"{command[0]} failed. {printed.strip().rpartition(chr(10))[2]}")
        return printed


def needed(*names: str) -> str:
    """Return the path of a program or file. Raises Missing."""
    if path := debian.find(*names):
        return path
    raise Missing(f"{names[0]} is missing. On Debian, `python -m tools.debian --all` installs it")


def fonts(name: str) -> Callable[[Run], None]:
    """Let programs see the fonts of one Debian package only."""

    def enter(run: Run) -> None:
        folder = needed(f"{debian.FONTS}/{name}")
        settings = run.folder / "fonts.conf"
        settings.write_text(
            f"<fontconfig><dir>{folder}</dir><cachedir>{run.folder}/fonts</cachedir>"
            "<include ignore_missing='yes'>/etc/fonts/conf.d</include></fontconfig>",
            encoding="utf-8",
        )
        run.environment["FONTCONFIG_FILE"] = str(settings)

    return enter


def variables(**values: str) -> Callable[[Run], None]:
    """Set environment variables, and no other that tells of a locale. A locale that is not there is made."""

    def enter(run: Run) -> None:
        for name in [name for name in run.environment if name.startswith(("LC_", "LANG"))]:
            del run.environment[name]
        run.environment |= values
        language, _, encoding = values.get("LC_ALL", "").partition(".")
        if encoding:
            source = needed(f"{debian.LOCALES}/{language}")
            run.must("localedef", "-i", source, "-f", encoding, run.folder / values["LC_ALL"])
            run.environment["LOCPATH"] = str(run.folder)

    return enter


def both(*enters: Callable[[Run], None]) -> Callable[[Run], None]:
    """Enter places that have nothing to do with each other at once: what passes there passes in each."""

    def enter(run: Run) -> None:
        for one in enters:
            one(run)

    return enter


def clock(ahead: str) -> Callable[[Run], None]:
    """Show every program a later time. How fast it goes by stays as it is."""

    def enter(run: Run) -> None:
        run.inside = [needed("faketime"), "-m", "--exclude-monotonic", "-f", ahead]
        # faketime 0.9.10 refuses the system call with which Python sleeps.
        sleep = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
        (run.folder / "sitecustomize.py").write_text(sleep, encoding="utf-8")
        run.environment["PYTHONPATH"] = str(run.folder)

    return enter


def another_user(run: Run) -> None:
    """Make an environment as somebody else, in a copy of the project in a folder with a space and an umlaut."""
    if os.geteuid():
        raise Missing("only root may become another user; run `make test` as you are")
    needed("setpriv")
    home = run.folder / "Käse und Brot"
    run.project = copy_project(home / "kit")
    for path in [home, *home.rglob("*")]:
        shutil.chown(path, "nobody", "nogroup")
    run.inside = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    run.environment |= {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin"}  # root's own folders are closed to them
    run.environment.pop("CI", None)  # where it is set, nothing may be skipped, and this user can't make networks
    run.must("python3", "-c", "import sys; sys.version_info >= (3, 11) or sys.exit('python3 is older than 3.11')")
    print(run("make", ".venv/tests")[1])  # if it fails, there is no Python to prove this place with
    run.python = run.project / ".venv" / "bin" / "python"


def without(*programs: str) -> Callable[[Run], None]:
    """Hide programs; in a copy of the project, without what they made."""

    def enter(run: Run) -> None:
        folders = []
        for number, folder in enumerate(os.get_exec_path()):
            seen = run.folder / str(number)
            names = os.listdir(folder) if os.path.isdir(folder) else []
            if hidden := {*programs} & {*names}:
                seen.mkdir()
                for name in {*names} - hidden:
                    (seen / name).symlink_to(os.path.join(folder, name))
            folders.append(str(seen) if hidden else folder)
        run.environment["PATH"] = os.pathsep.join(folders)
        run.environment.pop("CI", None)  # where it is set, nothing may be skipped
        run.project = copy_project(run.folder / "kit")

    return enter


def busy(run: Run) -> None:
    """Let four processes have as much of the processor as they can get."""
    for _ in range(4):
        process = run.ends.enter_context(subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE))
        run.ends.callback(process.kill)


def python(version: str) -> Callable[[Run], None]:
    """Make an environment of another Python: of this computer, of pyenv, or of Debian's next release."""

    def enter(run: Run) -> None:
        pyenv = Path.home() / ".pyenv" / "versions"
        for found in (shutil.which(f"python{version}"), *pyenv.glob(f"{version}.*/bin/python")):
            if found and not run(found, "--version")[0]:  # pyenv's stand-ins may have nothing behind them
                break
        else:
            found = python_of_debian(run, version)
        folder = KEPT / version
        uv = [Path(sys.executable).with_name("uv"), "--quiet"]
        with project_lock("elsewhere"):
            run.must(*uv, "venv", "--allow-existing", "--python", found, folder)
            run.python = folder / "bin" / "python"
            run.must(*uv, "pip", "install", "--python", run.python, "--require-hashes", "-r", "requirements/test.txt")
            run.must(*uv, "pip", "install", "--python", run.python, "--no-deps", "-e", ".")

    return enter


def python_of_debian(run: Run, version: str) -> Path:
    """Take a Python from Debian's next release, with the C library that it needs, and return its path."""
    root = KEPT / f"debian-{version}"
    program = root / "usr" / "bin" / f"python{version}"
    if not program.exists():
        debootstrap, patchelf = needed("mmdebstrap"), needed("patchelf")
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(exist_ok=True)
        unpacked = run.folder / "debian"
        # A mirror may be some weeks old; what it has is signed.
        old = "--aptopt=Acquire::Check-Valid-Until false"
        run.must(debootstrap, "--quiet", "--variant=extract", old, f"--include=python{version}-venv", "sid", unpacked)
        loader = root / "usr" / "lib64" / "ld-linux-x86-64.so.2"
        libraries = root / "usr" / "lib" / "x86_64-linux-gnu"
        found = unpacked / "usr" / "bin" / program.name
        run.must(patchelf, "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, found)
        shutil.move(unpacked, root)
    return program


class Elsewhere(NamedTuple):
    """A place. ``proof`` is Python that is true only there; ``part`` is what pytest is asked to run, and ``why`` that."""

    name: str
    what: str
    enter: Callable[[Run], None]
    proof: str
    part: str
    why: str


IN_A_BROWSER = 'tests -m "browser and not long"'
FONTS = "all('/{}/' in line for line in output('fc-list', ':', 'file').splitlines())"
LOCALE = "locale.setlocale(locale.LC_ALL, '') == '{}'"

ELSEWHERE = [
    Elsewhere("liberation", "only the Liberation fonts", fonts("liberation"), FONTS.format("liberation"),
              IN_A_BROWSER, "only a browser draws letters"),
    Elsewhere("dejavu-turkish", "only DejaVu, LC_ALL=tr_TR.UTF-8",
              both(fonts("dejavu"), variables(LC_ALL="tr_TR.UTF-8")),
              f"{FONTS.format('dejavu')} and {LOCALE.format('tr_TR.UTF-8')}", 'tests -m "not long" -k "browser or test_samples"',
              "only a browser draws letters; shells, the programs that they start, and browsers read a locale"),
    Elsewhere("c", "LANG=C", variables(LANG="C"), "os.environ['LANG'] == 'C'",
              'tests/publish/test_samples.py tests/server/test_command_line.py -m "not long"', "shells and the programs that they start read it"),
    Elsewhere("kiritimati", "TZ=Pacific/Kiritimati", variables(TZ="Pacific/Kiritimati"), "time.localtime().tm_gmtoff == 14 * 3600",
              "notebooks/09*.ipynb tests/server/test_analytics.py tests/server/test_rate_limits.py tests/server/test_short_links.py "
              "tests/server/test_settings_page.py", "they show dates, or count from one"),
    Elsewhere("two-years-ahead", "the clock two years ahead", clock("+730d"), f"time.time() - {time.time()} > 700 * 86400",
              'notebooks/06*.ipynb tests/server/test_authentication.py tests/publish/test_publishing.py::test_the_sitemap_lists_every_page_that_the_search_finds -m "not browser"',
              "tokens expire, and files have dates; a Chromium never starts below faketime"),
    Elsewhere("another-user", "as nobody, in “Käse und Brot”", another_user, "os.geteuid() and 'Käse und Brot' in sys.executable",
              'tests/publish/test_pages.py tests/server/test_disk.py tests/server/test_command_line.py -m "not long"',
              "they write files and start programs"),
    Elsewhere("without-npm", "without npm", without("npm", "npx"), "not shutil.which('npm')",
              'tests/server/test_browser.py tests/workshop/test_workshop.py -m "not long"', "axe and the slides come from npm"),
    Elsewhere("without-git", "without git, as in a zip, nor Chromium", without("git", *debian.CHROMIUMS),
              f"not any(map(shutil.which, ('git', *{debian.CHROMIUMS})))", 'tests -m "not long" -k "browser or test_text or leak"',
              "what asks git or needs a browser is skipped, and the rest is not"),
    Elsewhere("busy", "four busy processes beside it", busy, "True", 'tests/server/test_command_line.py -m "not long"',
              "it starts and ends the most processes, and waits for them"),
    *(Elsewhere(version, f"Python {version}", python(version), f"'.'.join(map(str, sys.version_info[:2])) == '{version}'",
                f'notebooks/0[46]*.ipynb tests/server/test_contract.py{site} -m "not long"', "the course and the server run on it, on the newest the site too")
      for version, site in (("3.12", ""), ("3.13", ""), ("3.14", ""), ("3.15", " tests/publish/test_site.py"))),
]  # fmt: skip
PROOF = (
    "import locale, os, shutil, subprocess, sys, time\ndef output(*command): return subprocess.check_output(command, text=True)\n"
)


WRONG = {"failed", "error", "errors"}


class Result(NamedTuple):
    """What came of a place: ``printed`` by pytest, how often a test ended how, or why it was not run."""

    printed: str = ""
    counts: Mapping[str, int] = MappingProxyType({})
    missing: str = ""
    seconds: float = 0

    @property
    def failed(self) -> bool:
        """Whether something failed, or nothing passed."""
        return not self.missing and (not self.counts.get("passed") or bool(WRONG & {*self.counts}))


def matching(folder: Path, word: str) -> list[str]:
    """Return the files in a folder that a word stands for, as a shell does."""
    return sorted(str(path.relative_to(folder)) for path in folder.glob(word)) if "*" in word else [word]


def run(place: Elsewhere, whole: bool = False) -> Result:
    """Run the tests in a place."""
    started = time.monotonic()
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="elsewhere-")))
        folder.chmod(0o755)  # for another user
        here = Run(folder, ends)
        try:
            place.enter(here)
        except Missing as missing:
            return Result(missing=str(missing))
        code, printed = here(here.python, "-c", f"{PROOF}assert {place.proof}")
        if code:
            return Result(f"This is not {place.what}. {printed}", {"error": 1})
        options = [file for word in shlex.split(place.part) for file in matching(here.project, word)]
        if whole:
            options = [*shlex.split(WHOLE), "-m", "not long and not browser" if "not browser" in place.part else "not long"]
        code, printed = here(here.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options)
    last = printed.strip().rpartition("\n")[2]
    counts = {how: int(number) for number, how in re.findall(r"(\d+) (passed|failed|skipped|errors?)\b", last)}
    # What was skipped must be said.
    if (code and not WRONG & {*counts}) or ("skipped" in counts) != ("NOT PROVED HERE" in printed):
        counts["error"] = 1
    return Result(printed, counts, seconds=time.monotonic() - started)


def main() -> int:
    """Run the places that are named, or all. Return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.elsewhere", description=(__doc__ or "").partition("\n")[0])
    names = [place.name for place in ELSEWHERE]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}; all if you name none")
    parser.add_argument("--whole", action="store_true", help="run the whole quick suite in each place")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the tests below it end as well
    if unknown := {*wanted.names} - {*names}:
        parser.error(f"no such place: {', '.join(unknown)}")
    places = [place for place in ELSEWHERE if place.name in (wanted.names or names)]
    results = []
    for place in places:
        result = run(place, wanted.whole)
        results.append(result)
        if result.failed:
            print(result.printed)
        counted = ", ".join(f"{number} {how}" for how, number in result.counts.items())
        said = f"not run: {result.missing}" if result.missing else f"{counted} in {result.seconds:.0f} s"
        print(f"{place.name:18}{place.what:32}{said}: {WHOLE if wanted.whole else place.part}", flush=True)
    failed, missing = sum(result.failed for result in results), sum(bool(result.missing) for result in results)
    print(f"Elsewhere: {len(results) - failed - missing} of {len(places)} green, {failed} failed, {missing} not run.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
