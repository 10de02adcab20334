"""A workshop in a zip: notebooks, mock server, site, slides, and the wheels to install them without a network.

``python -m workshop.bundle [FILE]`` makes it. It needs the network; whoever unpacks it does not. For each system and
each Python it downloads what requirements.txt asks for there, then lets uv resolve it again from these files alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from mock_server import tokens
from workshop import slides

ROOT = Path(__file__).resolve().parent.parent
NAME = "linked-is-workshop"
CONTENTS = ("mock_server", "notebooks", "docs", "pyproject.toml", "requirements.txt", ".env.example", ".gitignore")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "hooks", "theme", "node_modules")
TEXT = {".ipynb", ".md", ".py", ".html", ".txt", ".toml", ".yaml", ".js", ".json", ".css", ".example", ""}

PYTHONS = ("3.11", "3.12", "3.13")
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
    "Windows, x86-64": ("x86_64-pc-windows-msvc", ["win_amd64"]),
}

README = """\
The linked.is authentication course, for a room without a network
=================================================================

You need one of these Pythons: {pythons}. And one of these systems:
{systems}

Nothing here asks the network. Unpack the zip, open a terminal in this folder, and type what your system needs.
Leave the folder where it is: the course is installed from it.

Linux and macOS
---------------

    python3 -m venv .venv
    .venv/bin/python -m pip install --no-index --find-links wheels -r requirements.txt
    cp .env.example .env
    .venv/bin/python -m mock_server

Leave that terminal open. In a second one:

    .venv/bin/jupyter lab --ContentsManager.allow_hidden=True --LabApp.default_url=/lab/tree/notebooks/{first}

Windows, in PowerShell
----------------------

    py -m venv .venv
    .venv\\Scripts\\python -m pip install --no-index --find-links wheels -r requirements.txt
    copy .env.example .env
    .venv\\Scripts\\python -m mock_server

Leave that window open. In a second one:

    .venv\\Scripts\\jupyter lab --ContentsManager.allow_hidden=True --LabApp.default_url=/lab/tree/notebooks/{first}

What is here
------------

    notebooks/          the course; where a notebook says "make lab", use the commands above
    site/index.html     the same, to read in a browser. For its search: python3 -m http.server --directory site
    slides/             one file for each lesson. S opens the speaker notes, F fills the screen
    site/workshop/      for learners and hosts: what to prepare, guide, agendas, cheat sheet, feedback form
    wheels/             what pip installs

If pip says "No matching distribution found", your Python or your system is not in the list above: python3 --version
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
        for name in CONTENTS:
            source = ROOT / name
            copy = shutil.copy if source.is_file() else lambda *paths: shutil.copytree(*paths, ignore=LEFT_OUT)
            copy(source, folder / name)
        slides.write(folder / "slides")
        build_site(folder / "site")
        (folder / "README.txt").write_text(readme(targets), encoding="utf-8")
        refuse_tokens(folder)
        for target in targets:
            print(f"Wheels for {target.system}, Python {target.python}", flush=True)
            collect_wheels(target, folder / "wheels")
        pack(folder, file)


def build_site(folder: Path) -> None:
    """Build the site so that it can be read from files: links name index.html."""
    run("mkdocs", "build", "--quiet", "--strict", "--no-directory-urls", "--site-dir", str(folder))


def readme(targets: list[Target]) -> str:
    """Return README.txt."""
    first = min(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    systems = dict.fromkeys(target.system for target in targets)
    pythons = list(dict.fromkeys(target.python for target in targets))
    listed = "\n".join(f"- {system}" for system in systems)
    return README.format(pythons=", ".join(pythons), systems=listed, first=first)


def refuse_tokens(folder: Path) -> None:
    """A bundle goes to many people: no token may go along. Raises BundleError."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in TEXT:
            for word in re.findall(r"lis_mock_\w+", path.read_text(encoding="utf-8")):
                if tokens.is_well_formed(word):
                    raise BundleError(f"{path.relative_to(folder)} holds a token. Take it out, and revoke it.")


def collect_wheels(target: Target, folder: Path) -> None:
    """Download the wheels of a target, and see that they are enough. Raises BundleError."""
    platform, tags = SYSTEMS[target.system]
    options = ["--implementation", "cp"]
    options += [word for abi in (f"cp{target.python.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)]
    options += [word for tag in tags for word in ("--platform", tag)]
    folder.mkdir(exist_ok=True)
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


def locked_requirements() -> str:
    """Return what is to be installed: the lock, and what builds the mock server, in place of the mock server itself."""
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("-e .\n", "")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return "\n".join([locked, *project["build-system"]["requires"]])


def run(*command: str) -> None:
    """Run a Python program of this environment. Raises BundleError with what it said."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BundleError(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")


def pack(folder: Path, file: Path) -> None:
    """Zip the folder. Wheels are zips already and stay as they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(folder.rglob("*")):
            kind = zipfile.ZIP_STORED if path.suffix == ".whl" else None
            bundle.write(path, path.relative_to(folder.parent), compress_type=kind)


if __name__ == "__main__":
    target_file = Path(*sys.argv[1:2] or [f"dist/{NAME}.zip"])
    try:
        build(target_file)
    except BundleError as error:
        sys.exit(f"There is no bundle. {error}")
    print(f"{target_file}: {target_file.stat().st_size / 1e6:.0f} MB")
