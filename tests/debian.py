"""Programs that the tests need, from Debian where they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")  # any of them will do


def find(*names: str, package: str) -> str | None:
    """Return the path of the first program of these, ``None`` if there is none.

    On Debian, as root, the package that has it is installed first if need be.
    """
    with FileLock(Path(tempfile.gettempdir(), "linked-is-tests-apt.lock")):  # apt refuses to run twice at a time
        if not first(*names) and shutil.which("apt-get") and os.geteuid() == 0:
            subprocess.run(["apt-get", "update", "-qq"], check=False)  # without a network, the caller says what is missing
            install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
            subprocess.run(install, check=False, stdout=subprocess.DEVNULL)
    return first(*names)


def first(*names: str) -> str | None:
    """Return the path of the first of these programs that is there."""
    return next((path for name in names if (path := shutil.which(name))), None)
