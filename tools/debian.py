"""Programs and files that the tests need, from Debian where they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest
from filelock import FileLock

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")  # any of them will do


def find(*names: str, package: str) -> str | None:
    """Return the path of the first program or absolute path of these that is there, ``None`` if none is.

    On Debian, as root, the package that has it is installed first if need be. Where ``apt-get`` is not on the PATH, nothing
    is installed.
    """
    if not first(*names) and shutil.which("apt-get") and os.geteuid() == 0:
        # apt refuses to run twice at a time. Only root opens the lock: a file of root's is closed to others.
        with FileLock(Path(tempfile.gettempdir(), "linked-is-tests-apt.lock")):
            if not first(*names):
                subprocess.run(["apt-get", "update", "-qq"], check=False)  # without a network, the caller says what is missing
                install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
                subprocess.run(install, check=False, stdout=subprocess.DEVNULL)
    return first(*names)


def first(*names: str) -> str | None:
    """Return the path of the first of these programs, or the first of these absolute paths, that is there."""
    return next((path for name in names if (path := shutil.which(name) or (os.path.isabs(name) and name))
                 and os.path.exists(path)), None)  # fmt: skip


def missing(message: str) -> NoReturn:
    """Skip the test at hand, for it lacks what the message names. Where CI is set, it fails: nothing is left out there."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
