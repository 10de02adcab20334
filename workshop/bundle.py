"""A workshop in a zip: notebooks, mock server, site, slides, and the wheels to install them without a network.

``python -m workshop.bundle`` makes it. It needs the network; to unpack and install it needs none. For each system and
each Python it downloads what requirements/learn.txt asks for there, then lets uv resolve it again from these files alone.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mock_server import tokens
from tools.made import MADE
from workshop import slides

ROOT = Path(__file__).resolve().parent.parent
NAME = "linked-is-workshop"
CONTENTS = ("lab.py", "jupyter_server_config.py", "labconfig", "mock_server", "notebooks", "docs", "pyproject.toml")
CONTENTS += ("requirements/learn.txt", ".env.example", ".gitignore")
# What a learner opens → where it comes from. Windows runs a .bat by its name, the others run what may be run.
STARTS = {"start-windows.bat": "start.bat", "start-macos.command": "start.sh", "start-linux.sh": "start.sh"}
LEFT_OUT = shutil.ignore_patterns(*MADE)
TEXT = {".ipynb", ".md", ".py", ".html", ".txt", ".toml", ".yaml", ".js", ".json", ".css", ".example", ""}

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
PATCHES = (0, 99)  # the lock tells apart the first and the latest release of a Python
# The system → uv's name for it, and the wheels that run on it: pip wants each tag of Linux named.
LINUX = [f"manylinux_2_{minor}_x86_64" for minor in range(5, 29)]
SYSTEMS = {
    "Linux, x86-64, glibc 2.28 or newer": (
        "x86_64-manylinux_2_28",
        [*LINUX, "manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64"],
    ),
    "macOS 13 or newer, Apple silicon": ("aarch64-apple-darwin", ["macosx_13_0_arm64"]),
    "macOS 13 or newer, Intel": ("x86_64-apple-darwin", ["macosx_13_0_x86_64"]),
    "Windows 10 or newer, x86-64": ("x86_64-pc-windows-msvc", ["win_amd64"]),
}
AT_ONCE = 4  # downloads wait for the network most of the time

README = """\
The linked.is authentication course, for a room without a network
=================================================================

You need one of these Pythons: {pythons}. And one of these systems:
{systems}

It has run on Linux with 3.11, 3.12 and 3.13. Nobody has tried it yet on macOS, on Windows or with a newer Python.
If something fails, send your instructor the message.

You need no network. Unpack the whole zip onto your own disk, not onto a stick. On Windows, use a folder with a short
name, such as C:\\course: a path on Windows has at most 260 characters.

Windows
-------

Open start-windows.bat with a double click. If Windows says that it protected your PC, press "More info", then
"Run anyway". In the folder of this README.txt, PowerShell does the same:

    py lab.py

macOS
-----

Open start-macos.command with a double click. If macOS doesn't let you, open Terminal, type "sh " with the space, drag
start-macos.command into the window, and press Enter. In the folder of this README.txt, Terminal does the same:

    python3 lab.py

Linux
-----

Right-click start-linux.sh, and choose "Run as a Program". If there is no such entry, open a terminal in the folder of
this README.txt, and type:

    python3 lab.py

The first time, this installs the course into the folder .venv, in a minute or two. Then it starts the mock server and
JupyterLab. Ctrl-C in its window stops both. If Windows then asks "Terminate batch job", type Y.

If the installation fails
-------------------------

- If there is no Python, get it from https://www.python.org/downloads/. Without a network, ask your instructor for it.
- If pip says "No matching distribution found", your Python or your system is not in the list above. See your version
  with python3 --version, on Windows with py --version. If you have several Pythons, name one: python3.13 lab.py, on
  Windows py -3.13 lab.py.
- If Windows doesn't know py, write python in its place. If that opens the Microsoft Store, Python is not installed.

If nothing helps, run the course in a browser tab. Any Python from 3.8 on is enough. On Windows, write py in place of
python3:

    python3 lab.py --in-a-browser

This opens the first page of the course. Press "Run" below a cell. Leave the terminal open. Ctrl-C ends it.

For the instructor
------------------

Learners without Python need it from you. Make a folder "installers" beside this file, and put the installers for
Windows and macOS from https://www.python.org/downloads/ into it, before you copy the folder to sticks.

What is here
------------

    start-...           starts the course, on each system
    lab.py              what they all call. python3 lab.py --help lists what else it can do
    notebooks/          the course
    site/index.html     the same, to read: a double click opens it
    in-a-browser/       the same, to run without an installation, as described above
    slides/             one file for each lesson. S opens the speaker notes, F fills the screen
    site/workshop/      for learners and instructors: what to prepare, guide, agendas, cheat sheet, feedback form
    wheels/             what pip installs
"""


@dataclass(frozen=True)
class Target:
    """A system and a Python to install on."""

    system: str
    python: str


class BundleError(Exception):
    """What keeps the bundle from being whole."""


TARGETS = [Target(system, python) for system in SYSTEMS for python in PYTHONS]


def build(file: Path, targets: list[Target] = TARGETS) -> None:
    """Write the bundle. Raises BundleError."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / NAME
        folder.mkdir()
        copy_contents(folder)
        slides.write(folder / "slides")
        build_site(folder / "site")
        build_tab(folder / "in-a-browser")
        write_starts(folder)
        (folder / "README.txt").write_text(readme(targets), encoding="utf-8")
        refuse_tokens(folder)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            collected = pool.map(collect_wheels, targets, (Path(temporary) / str(number) for number in range(len(targets))))
            for target, wheels in zip(targets, collected, strict=True):
                shutil.copytree(wheels, folder / "wheels", dirs_exist_ok=True)
                print(f"Wheels for {target.system}, Python {target.python}", flush=True)
        pack(folder, file)


def copy_contents(folder: Path) -> None:
    """Put what is taken from the project into the folder of the bundle."""
    for name in CONTENTS:
        source = ROOT / name
        (folder / name).parent.mkdir(exist_ok=True)
        copy = shutil.copy if source.is_file() else lambda *paths: shutil.copytree(*paths, ignore=LEFT_OUT)
        copy(source, folder / name)


def write_starts(folder: Path) -> None:
    """Write what a learner opens with a double click. Windows wants its own line ends in it."""
    for name, source in STARTS.items():
        text = (ROOT / "workshop" / "start" / source).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8", newline="\r\n" if name.endswith(".bat") else "\n")


def build_site(folder: Path) -> None:
    """Build the site so that a double click opens it: links name index.html, and the search needs no server.

    A browser lets a page that is a file neither fetch another one nor start a worker. The theme knows a script in place
    of the fetched index, and iframe-worker takes the place of the worker.
    """
    run("mkdocs", "build", "--strict", "--no-directory-urls", "--site-dir", str(folder))
    index = (folder / "search" / "search_index.json").read_text(encoding="utf-8")
    (folder / "search" / "search_index.js").write_text(f"var __index = {index}", encoding="utf-8")
    worker = f"<script>{slides.from_npm('iframe-worker/shim/index.js')}</script>"
    for page in folder.rglob("*.html"):
        head, end, body = page.read_text(encoding="utf-8").partition("</head>")
        page.write_text(f"{head}{worker}{end}{body}", encoding="utf-8")


def build_tab(folder: Path) -> None:
    """Build the site with the course in a browser tab, for learners who can't install packages. It needs a server."""
    run("browser.build")
    run("mkdocs", "build", "--strict", "--site-dir", str(folder))


def readme(targets: list[Target]) -> str:
    """Return README.txt."""
    systems = dict.fromkeys(target.system for target in targets)
    pythons = list(dict.fromkeys(target.python for target in targets))
    listed = "\n".join(f"- {system}" for system in systems)
    return README.format(pythons=", ".join(pythons), systems=listed)


def refuse_tokens(folder: Path) -> None:
    """A bundle goes to many people: no token may go along. Raises BundleError."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in TEXT:
            for word in re.findall(rf"{tokens.PREFIX}\w+", path.read_text(encoding="utf-8", errors="replace")):
                if tokens.is_well_formed(word):
                    raise BundleError(f"{path.relative_to(folder)} holds a token. Take it out, and revoke it.")


def collect_wheels(target: Target, folder: Path) -> Path:
    """Download the wheels of a target into a folder, see that they are enough, and return it. Raises BundleError."""
    platform, tags = SYSTEMS[target.system]
    options = ["--implementation", "cp"]
    options += [word for abi in (f"cp{target.python.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)]
    options += [word for tag in tags for word in ("--platform", tag)]
    folder.mkdir()
    with tempfile.TemporaryDirectory() as temporary:
        lock, wanted, done = Path(temporary) / "lock.txt", Path(temporary) / "wanted.txt", ""
        lock.write_text(locked_requirements(), encoding="utf-8")
        for python in (f"{target.python}.{patch}" for patch in PATCHES):
            resolve = ["uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python-platform", platform,
                       "--python-version", python, "--only-binary", ":all:"]  # fmt: skip
            run(*resolve, "--no-deps", str(lock), "--output-file", str(wanted))
            if wanted.read_text(encoding="utf-8") != done:
                run("pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
                    "--python-version", python, *options, "--requirement", str(wanted), "--dest", str(folder))  # fmt: skip
            done = wanted.read_text(encoding="utf-8")
            proof = str(Path(temporary) / f"proof-{python}.txt")
            run(*resolve, "--no-index", "--find-links", str(folder), str(lock), "--output-file", proof)
    return folder


def locked_requirements() -> str:
    """Return what is to be installed: a learner's packages, pip, and what builds the mock server."""
    locked = (ROOT / "requirements" / "learn.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return "\n".join([locked, "pip", *project["build-system"]["requires"]])


def run(*command: str) -> None:
    """Run a Python program of this environment. Raises BundleError with what it said."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BundleError(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")


def pack(folder: Path, file: Path) -> None:
    """Zip the folder. Wheels are zips already and stay as they are. What starts the course may be run, wherever it is packed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo.from_file(path, path.relative_to(folder.parent))
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            if path.name in STARTS:
                entry.create_system, entry.external_attr = 3, 0o100755 << 16  # Unix: of another system it reads no rights
            with path.open("rb") as source, bundle.open(entry, "w") as target:
                shutil.copyfileobj(source, target)


def main() -> None:
    """Read the command line and write the bundle. Raises SystemExit with what keeps it from being whole."""
    parser = argparse.ArgumentParser(
        prog="python -m workshop.bundle",
        description="Make a workshop in a zip, for a room without a network. It needs npm and the network itself.",
    )
    parser.add_argument("file", type=Path, nargs="?", default=Path(f"dist/{NAME}.zip"), help="what to write (%(default)s)")
    families = sorted({system.partition(" ")[0].rstrip(",") for system in SYSTEMS})
    parser.add_argument("--system", choices=families, action="append", help="for this system only; may be repeated")
    parser.add_argument("--python", choices=PYTHONS, action="append", help="for this Python only; may be repeated")
    options = parser.parse_args()
    chosen = [target for target in TARGETS if target.system.startswith(tuple(options.system or families))]
    try:
        build(options.file, [target for target in chosen if target.python in (options.python or PYTHONS)])
    except BundleError as error:
        sys.exit(f"There is no bundle. {error}")
    print(f"{options.file}: {options.file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
