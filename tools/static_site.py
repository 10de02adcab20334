"""The site as its readers get it: built strictly, and served as a static host does, below a path."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import uvicorn
from bs4 import BeautifulSoup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from tools.made import MADE
from tools.running import PATIENCE, ROOT, project_lock, wait_until

# Who builds the tab holds it, and who puts the tab into a site: another process of the tests may be doing the other.
TAB = project_lock("tab")


def without_tab(folder: Path) -> Path:
    """Copy what a site is made of into a folder, but for the course in a browser tab. Return the folder."""
    for name in ("docs", "notebooks", "mock_server", "publish"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*MADE))
    for name in ("mkdocs.yml", "pyproject.toml", "CHANGELOG.md", "Makefile", ".env.example"):
        shutil.copy(ROOT / name, folder)
    return folder


def build(project: Path, folder: Path, program: str = "mkdocs", **environment: str) -> subprocess.CompletedProcess[str]:
    """Build the site into the folder, where a kernel dies as soon as it is started. Return the finished process.

    ``environment`` may name the publisher's settings, and in ``PACKAGES`` a folder of packages to take before those that are
    installed.
    """
    no_kernel = folder.with_name("no-kernel")
    no_kernel.mkdir(exist_ok=True)
    (no_kernel / "ipykernel_launcher.py").write_text("raise SystemExit(1)", encoding="utf-8")
    # nbformat would load it, which takes three seconds, to check addresses that no notebook has.
    (no_kernel / "rfc3987_syntax.py").write_text("raise ImportError", encoding="utf-8")
    command = [sys.executable, "-m", program, "build", "--strict", "--config-file", "mkdocs.yml", "--site-dir", str(folder)]
    path = os.pathsep.join(filter(None, [str(no_kernel), environment.pop("PACKAGES", ""), str(project)]))
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": path, **environment}
    with TAB if project == ROOT else nullcontext():
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=PATIENCE)


@cache
def parsed(path: Path) -> BeautifulSoup:
    """Return a page of a built site, parsed once for all tests: they change copies of it only."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")


class StaticHost:
    """A static host, as the site's readers meet it: ``below`` a path, compressed, with 404.html for what is not there.

    A context manager. ``url`` is the address of the home page, known before anything is in the ``folder``. ``sent`` has
    for each path the bytes that went out, headers included.
    """

    def __init__(self, folder: Path, below: str = "/kit") -> None:
        self.folder = folder
        self.sent: Counter[str] = Counter()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}{below}/"
        routes = [Mount(below, StaticFiles(directory=folder, html=True, check_dir=False))]
        self._app = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)])
        self._server = uvicorn.Server(uvicorn.Config(self._weighed, interface="asgi3", log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    async def _weighed(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def weigh(message: Message) -> None:
            headers = b"".join(name + b": " + value + b"\r\n" for name, value in message.get("headers", []))
            self.sent[scope.get("path", "")] += len(headers + message.get("body", b""))
            await send(message)

        await self._app(scope, receive, weigh)

    def __enter__(self) -> StaticHost:
        self._thread.start()
        wait_until(lambda: self._server.started or not self._thread.is_alive())
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
