"""What a kernel in a tab has from its start: the mock server answers, and the project's dotfiles are there."""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import subprocess
from importlib import import_module, resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from linked_is_tab import settings_window, transport
from mock_server.app import Settings, create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.dot_env import BASE_URL, MOCK, RERUN
from mock_server.store import Store
from mock_server.web.passwords import scrypt

database: Database


def start() -> None:
    """Prepare Python for a tab, and start the mock server."""
    subprocess.Popen = NoPrograms
    serve(Database(":memory:"))
    in_lab = Path("/drive").is_dir()  # else on a page
    put_dotfiles(Path("/drive") if in_lab else Path("/home"))
    again = RERUN if in_lab else "run the first code cell again, then this one."
    os.environ["LINKED_IS_NO_ANSWER"] = (
        f"In a browser tab only {MOCK} answers: put that into .env as {BASE_URL}, save the file, then {again}"
    )
    settings_window.open_to_the_page(urlsplit(MOCK))
    if in_lab:
        import_module("mock_server.kernel_startup")


def serve(what: Database) -> None:
    """Let a mock server answer that has what is in a database."""
    global database
    hash_password = scrypt if hasattr(hashlib, "scrypt") else _without_openssl
    transport.serve(create_app(Store(what, Clock()), Settings(hash_password=hash_password)), MOCK)
    database = what


def put_dotfiles(folder: Path) -> None:
    """Put what begins with a dot where the notebooks look for it: static hosts leave such files out.

    A learner's own ``.env`` stays as it is.
    """
    for file in resources.files("linked_is_tab").joinpath("files").iterdir():
        target = folder / f".{file.name}"
        if not target.exists():
            target.write_bytes(file.read_bytes())
    settings = folder / ".env"
    if not settings.exists():
        settings.write_bytes((folder / ".env.example").read_bytes())


class NoPrograms(subprocess.Popen):
    """What a computer says that lacks the program. Pyodide's own error is one that libraries don't expect."""

    def __init__(self, args: Any, *others: Any, **options: Any) -> None:
        self.returncode = None  # __del__ looks at it
        self._child_created = False
        raise FileNotFoundError(errno.ENOENT, "there are no programs in a browser tab", str(args))


def _without_openssl(password: str, salt: bytes) -> bytes:
    # Python in a tab has no scrypt. Such an account lives in the memory of one tab, and nobody else can reach it.
    return hmac.digest(salt, password.encode(), "sha256")


start()
