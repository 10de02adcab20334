"""Programs and files that the tests need. ``python -m tools.debian`` installs from Debian what `make test` needs, as root.

``--all`` installs what the long tests, the benchmarks and `make test-elsewhere` need too. A test itself installs none of
these; what npm has, it installs into the project.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

import pytest
from filelock import FileLock

CHROMIUM_OPTIONS = [
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # no request but the test's own
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")  # any of them will do
NODE = "20.6"  # the first with --env-file, which the samples need
FONTS, LOCALES = "/usr/share/fonts/truetype", "/usr/share/i18n/locales"
# The package of Debian → one of these programs or files is looked for.
QUICK = {
    "bmake": ("bmake",),
    "chromium": CHROMIUMS,
    "curl": ("curl",),
    "dbus-bin": ("dbus-send",),
    "dbus-daemon": ("dbus-daemon",),
    "git": ("git",),
    "gnome-keyring": ("gnome-keyring-daemon",),
    "jq": ("jq",),
    "libsecret-tools": ("secret-tool",),
    "openssl": ("openssl",),
    "zsh": ("zsh",),
}
LONG = {
    "faketime": ("faketime",),
    "firefox-esr": ("firefox-esr", "firefox"),
    "fonts-dejavu-core": (f"{FONTS}/dejavu",),
    "fonts-liberation": (f"{FONTS}/liberation",),
    "iproute2": ("ip",),
    "locales": (LOCALES,),
    "mmdebstrap": ("mmdebstrap",),
    "patchelf": ("patchelf",),
    "wrk": ("wrk",),
}


def find(*names: str) -> str | None:
    """Return the path of the first of these programs, or the first of these absolute paths, that is there."""
    return next((path for name in names if (path := shutil.which(name) or (os.path.isabs(name) and name))
                 and os.path.exists(path)), None)  # fmt: skip


def need(*programs: str) -> None:
    """Skip the test at hand, or fail it where CI is set, when a program is missing."""
    for program in programs:
        if not find(program):
            missing(f"SKIPPED: no {program} found. Install {f'Node {NODE} or newer' if program in ('node', 'npm') else program}")


def missing(message: str) -> NoReturn:
    """Skip the test at hand, for it lacks what the message names. Where CI is set, it fails: nothing is left out there."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


def apt() -> FileLock:
    """Return what keeps two of us from running apt at a time, which it refuses. Only root opens it: others may not."""
    return FileLock(Path(tempfile.gettempdir(), "linked-is-tests-apt.lock"))


def main(*options: str) -> None:
    """Install the packages that are missing: those of ``QUICK``, ``--all``, or the named ones.

    Who is not root is told the command. Elsewhere than on Debian, do nothing.
    """
    everything = QUICK | LONG
    wanted = everything if "--all" in options else {name: everything[name] for name in options or QUICK}
    if not shutil.which("apt-get"):
        return
    with apt() if os.geteuid() == 0 else nullcontext():
        packages = [package for package, names in wanted.items() if not find(*names)]
        if not packages:
            return
        if os.geteuid() != 0:
            print(f"Tests that need these are skipped: sudo apt-get install {' '.join(packages)}", file=sys.stderr)
            return
        print(f"Installing from Debian what the tests need: {', '.join(packages)}", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)  # without a network, a test says what it lacks
        for package in packages:  # one that can't be had keeps no other away
            install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
            subprocess.run(
                install, check=False, stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
