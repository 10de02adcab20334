"""Start the course: the mock server, and JupyterLab on the first notebook. Ctrl-C stops both.

``python3 lab.py``, on Windows ``py lab.py``, needs only Python. It sets up what is missing: the packages in the folder
.venv, and the file .env. It passes options that it does not know to JupyterLab. ``--check`` does all this, and ends as
soon as both answer. ``--in-a-browser`` installs nothing: it serves the site on which the course runs in a browser tab.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar, TextIO
from urllib.parse import urlsplit

KIT = Path(__file__).resolve().parent
SETTINGS = KIT / ".env"
BASE_URL = "LINKED_IS_BASE_URL"
COMMAND = "py lab.py" if os.name == "nt" else "python3 lab.py"
WHEELS = KIT / "wheels"  # in the zip of a workshop: learners have no network
SITES = (KIT / "in-a-browser", KIT / "site")  # in the zip, and where make site writes one
INSTALLED = KIT / ".venv" / "learn"  # the Makefile's too: younger than what was installed
# pip's own settings may say where packages come from, not what is installed where; an empty one is none.
PIP = {"PIP_USER": "0", "PIP_TARGET": "", "PIP_PREFIX": "", "PIP_CONSTRAINT": ""}
QUIET = {"PYTHONWARNINGS": "ignore"}  # a new pip shows what setuptools warns its developers of
JUPYTERLAB = [
    f"--config={KIT / 'jupyter_server_config.py'}",
    f"--ServerApp.root_dir={KIT}",
    f"--LabApp.workspaces_dir={KIT / '.jupyter' / 'workspaces'}",  # else the tabs of another folder open here
    "--Application.log_level=WARN",  # the addresses must stay in sight
]


def main() -> int | str:
    """Start both and wait for their end. Return JupyterLab's exit code, or what keeps them from starting."""
    options, of_jupyterlab = parser().parse_known_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if options.in_a_browser:
        return serve_site(options.port or 8000, opened=not is_root and "--no-browser" not in of_jupyterlab)
    if sys.version_info < (3, 11):  # noqa: UP036, an older Python reads this too
        return (
            f"Python 3.11 or newer is needed. This is {sys.version.split()[0]}. Get a newer one from "
            f"https://www.python.org/downloads/. {without_installation()}"
        )
    if not is_installed():
        with started([str(install()), __file__, *sys.argv[1:]]) as program:
            return program.wait()
    if not options.check:
        return run(options, is_root, of_jupyterlab)
    if problem := run(options, is_root, ["--no-browser", "--ServerApp.port=0", *of_jupyterlab]):
        return f"Not ready. {problem}"
    try:
        webbrowser.get()
    except webbrowser.Error:
        print("Python finds no browser here. Open the address that the terminal shows yourself.", file=sys.stderr)
    print(f"Ready. Python {sys.version.split()[0]}, the packages and .env are there. Start the course: {COMMAND}")
    return 0


def run(options: argparse.Namespace, is_root: bool, of_jupyterlab: list[str]) -> int | str:
    """Run both programs to their end, or if they are only checked, until both answer. Return what ``main`` returns."""
    if not SETTINGS.exists():
        shutil.copyfile(KIT / ".env.example", SETTINGS)
        SETTINGS.chmod(0o600)  # other users of the computer may not read the token
    port = port_of_mock_server(options.port, must_answer=options.check)
    if is_root:
        of_jupyterlab[:0] = ["--allow-root", "--no-browser"]  # JupyterLab refuses root, and a browser does too
    with ExitStack() as programs:
        server = None
        if options.mock_server and port and not (options.check and is_mock_server(port)):
            if is_answered(port):
                return (
                    f"Port {port} is taken. If your own mock server runs there, use it: {COMMAND} --no-mock-server. "
                    f"If not, take another port: {COMMAND} --port {port + 1}, or with make: make lab PORT={port + 1}"
                )
            server = programs.enter_context(started([sys.executable, "-m", "mock_server", "--port", str(port)]))
            while not is_answered(port):
                if has_ended(server):
                    return "JupyterLab was not started: it needs the mock server."
        others = infos_of_jupyter()
        log = programs.enter_context(tempfile.TemporaryFile("w+")) if options.check else None  # who checks opens no address
        command = [sys.executable, "-m", "jupyterlab", *JUPYTERLAB, *of_jupyterlab]
        lab = programs.enter_context(started(command, log))
        is_told = False
        while not has_ended(lab):
            if not is_told and any(map(is_served, infos_of_jupyter() - others)):
                if options.check:
                    return 0
                tell(port)
                is_told = True
            if server and server.poll() is not None:
                print("THE MOCK SERVER HAS ENDED. Save your notebooks, press Ctrl-C, and start again.", file=sys.stderr)
                server = None
        if log:
            log.seek(0)
            return f"JupyterLab has ended. It said:\n{log.read()}"
        return lab.returncode


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(
        prog="lab.py",
        description="Start the mock server, and JupyterLab on the first notebook. Ctrl-C stops both.",
        epilog="All other options are JupyterLab's, such as --no-browser.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port",
        type=int,
        help="port of the mock server; .env keeps it (default: the port that .env names). With --in-a-browser, "
        "port of the site (default: 8000)",
    )
    parser.add_argument("--no-mock-server", dest="mock_server", action="store_false", help="start JupyterLab only")
    parser.add_argument(
        "--check",
        action="store_true",
        help="set up what is missing, start both, stop them when they answer, and say Ready or what to do",
    )
    parser.add_argument(
        "--in-a-browser",
        action="store_true",
        help="install nothing, and serve the site on which the course runs in a browser tab: the one in the zip of a "
        "workshop, or the one that make site has written",
    )
    return parser


class Files(SimpleHTTPRequestHandler):
    """Answers with the files of a site.

    A browser runs no script that has the type of a text. Python takes the types from Windows, where any program may
    have changed them.
    """

    extensions_map: ClassVar = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".css": "text/css",
        ".html": "text/html",
        ".js": "text/javascript",
        ".json": "application/json",
        ".mjs": "text/javascript",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
    }

    def log_message(self, *arguments: object) -> None:
        """Print nothing: the address must stay in sight."""


def serve_site(port: int, opened: bool) -> str:
    """Serve the site to this computer until Ctrl-C. Return what keeps it from that."""
    folder = next((folder for folder in SITES if folder.is_dir()), None)
    if not folder:
        return "There is no site here. The zip of a workshop has one. In a clone, make site writes one."
    if is_answered(port):
        return f"Port {port} is taken. Take another port: {COMMAND} --in-a-browser --port {port + 1}"
    first = min(path.name for path in (folder / "notebooks").iterdir())
    address = f"http://127.0.0.1:{port}/notebooks/{first}/"
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Files, directory=str(folder))) as server:
        print(f"The course is at {address}", file=sys.stderr)
        print('Open it in a browser, and press "Run" below a cell. Leave this terminal open. Ctrl-C ends it.', file=sys.stderr)
        if opened:
            webbrowser.open(address)
        server.serve_forever()
    return ""


def without_installation() -> str:
    """Return how to run the course without an installation, or nothing if this is no zip of a workshop."""
    return f"Or run the course without an installation, in your browser: {COMMAND} --in-a-browser" if SITES[0].is_dir() else ""


def is_installed() -> bool:
    """Tell whether this Python has the packages of the course."""
    try:
        return bool(version("jupyterlab") and version("linked-is-mock-server"))
    except PackageNotFoundError:
        return False


def install() -> Path:
    """Install the packages into .venv, unless they are there. Return its Python. Raises SystemExit if that fails.

    A folder that was moved, or copied from another computer, installs them again.
    """
    python = KIT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = [KIT / "requirements" / "learn.txt", KIT / "pyproject.toml"]
    made_for = INSTALLED.read_text(encoding="utf-8") if INSTALLED.exists() else ""  # make names no folder
    if made_for not in ("", str(KIT)) or not python.exists():  # the packages name their folder, and .venv its Python
        shutil.rmtree(KIT / ".venv", ignore_errors=True)
    if not INSTALLED.exists() or any(file.stat().st_mtime > INSTALLED.stat().st_mtime for file in wanted):
        print("Installing into .venv. This takes a minute or two, once.", file=sys.stderr)
        # Debian's Python can't put pip into .venv without another package. The zip has pip, which runs as it is.
        pip, source, itself = ["-m", "pip"], [], []
        if WHEELS.is_dir():
            pip, itself = [str(next(WHEELS.glob("pip-*.whl")) / "pip")], ["pip"]
            source = ["--no-index", "--find-links", str(WHEELS)]
        install = [str(python), *pip, "install", "--quiet", "--disable-pip-version-check", *source]
        for command in (
            [sys.executable, "-m", "venv", *(["--without-pip"] if source else []), str(KIT / ".venv")],
            [*install, "--require-hashes", "-r", str(wanted[0])],
            [*install, "--no-deps", *itself, "-e", str(KIT)],
        ):
            if subprocess.run(command, cwd=KIT, env={**os.environ, **PIP, **QUIET}).returncode:
                raise SystemExit(f"This command failed. Its own message is above. {' '.join(command)}\n{without_installation()}")
        INSTALLED.write_text(str(KIT), encoding="utf-8")
    return python


def port_of_mock_server(port: int | None, must_answer: bool = False) -> int | None:
    """Return the port that the base URL names, or None if it leads to another computer. Write ``port`` into it if given.

    Raises SystemExit if nobody can read the base URL, or if the other computer does not answer where it ``must_answer``.
    """
    from dotenv import dotenv_values, set_key

    try:
        in_file = dotenv_values(SETTINGS).get(BASE_URL)
    except (OSError, UnicodeError) as error:
        raise SystemExit(
            f".env can't be read ({type(error).__name__}). Save it as UTF-8, or rename it: then the next start makes a new one."
        ) from None
    base_url = os.environ.get(BASE_URL) or in_file or "http://127.0.0.1:8787/v1"
    try:
        address = urlsplit(base_url)
        named = address.port or 8787
    except ValueError:
        raise SystemExit(f"{BASE_URL} in .env is no address. Copy that line from .env.example again.") from None
    if address.hostname not in ("127.0.0.1", "localhost"):
        print(f"{BASE_URL} leads to {address.hostname}, so no mock server is started.", file=sys.stderr)
        known = address.port or (443 if address.scheme == "https" else 80)
        if must_answer and not is_answered(known, address.hostname):
            raise SystemExit(
                f"Not ready. {address.hostname} does not answer on port {known}. Look whether {BASE_URL} in .env is right. "
                "If it is, ask your instructor whether the mock server runs, and whether you are in the same network."
            )
        return None
    if port and port != named:
        base_url = f"http://127.0.0.1:{port}/v1"
        set_key(SETTINGS, BASE_URL, base_url, quote_mode="never")
        if BASE_URL in os.environ:  # the environment wins over .env
            os.environ[BASE_URL] = base_url
    return port or named


def is_answered(port: int, host: str | None = "127.0.0.1") -> bool:
    """Tell whether somebody listens on a port of a computer: of this one, or of another."""
    with suppress(OSError), socket.create_connection((host, port), 1 if host == "127.0.0.1" else 5):
        return True
    return False


def is_mock_server(port: int) -> bool:
    """Tell whether a mock server listens on a port of this computer."""
    with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/_mock/health")
        return connection.getresponse().status == 200
    return False


def infos_of_jupyter() -> set[Path]:
    """Return the files in which this user's Jupyter servers say where they are."""
    from jupyter_core.paths import jupyter_runtime_dir

    return set(Path(jupyter_runtime_dir()).glob("jpserver-*.json"))


def is_served(info: Path) -> bool:
    """Tell whether a Jupyter server answers. From then on it has printed its addresses."""
    with suppress(OSError, ValueError), socket.create_connection(("127.0.0.1", json.loads(info.read_bytes())["port"]), 1) as one:
        one.sendall(b"GET /api HTTP/1.0\r\n\r\n")
        one.recv(1)
        return True
    return False


def tell(port: int | None) -> None:
    """Print last what a learner needs: a terminal shows its end."""
    say = partial(print, file=sys.stderr)
    say("If no browser opens, open the last address above. Its token is JupyterLab's: the course makes another one.")
    if port:
        say(f"Settings > API of the mock server: http://127.0.0.1:{port}/settings/api")
    say("Leave this terminal open. Ctrl-C stops the course.")


def has_ended(process: subprocess.Popen) -> bool:
    """Look at a program for a tenth of a second. Tell whether it has ended."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.1)
    return process.returncode is not None


@contextmanager
def started(command: list[str], log: TextIO | None = None) -> Iterator[subprocess.Popen]:
    """Start a program, and end it in the end. Ctrl-C reaches it by itself: it gets ten seconds to put things in order.

    What it says goes to the terminal, or into ``log``.
    """
    process = subprocess.Popen(command, cwd=KIT, stdout=log, stderr=log)
    try:
        yield process
    except KeyboardInterrupt:
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        raise
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
