"""Start the course: the mock server, and JupyterLab on the first notebook. Ctrl-C stops both.

``python3 lab.py``, on Windows ``py lab.py``, needs only Python. It sets up what is missing: the packages in the folder
.venv, and the file .env. It passes options that it does not know to JupyterLab.
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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

KIT = Path(__file__).resolve().parent
SETTINGS = KIT / ".env"
BASE_URL = "LINKED_IS_BASE_URL"
COMMAND = "py lab.py" if os.name == "nt" else "python3 lab.py"
WHEELS = KIT / "wheels"  # in the zip of a workshop: learners have no network
INSTALLED = KIT / ".venv" / "course"  # the Makefile's too: younger than what was installed
# pip's own settings may say where packages come from, not what is installed where; an empty one is none.
PIP = {"PIP_USER": "0", "PIP_TARGET": "", "PIP_PREFIX": "", "PIP_CONSTRAINT": ""}
JUPYTERLAB = [
    f"--config={KIT / 'jupyter_server_config.py'}",
    f"--ServerApp.root_dir={KIT}",
    f"--LabApp.workspaces_dir={KIT / '.jupyter' / 'workspaces'}",  # else the tabs of another folder open here
    "--Application.log_level=WARN",  # the addresses must stay in sight
]


def main() -> int | str:
    """Start both and wait for their end. Return JupyterLab's exit code, or what keeps them from starting."""
    if sys.version_info < (3, 11):  # noqa: UP036, an older Python reads this too
        return f"Python 3.11 or newer is needed. This is {sys.version.split()[0]}."
    options, of_jupyterlab = parser().parse_known_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    if not is_installed():
        with started([str(install()), __file__, *sys.argv[1:]]) as program:
            return program.wait()
    if not SETTINGS.exists():
        shutil.copyfile(KIT / ".env.example", SETTINGS)
        SETTINGS.chmod(0o600)  # other users of the computer may not read the token
    port = port_of_mock_server(options.port)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        of_jupyterlab[:0] = ["--allow-root", "--no-browser"]  # JupyterLab refuses root, and a browser does too
    with ExitStack() as programs:
        server = None
        if options.mock_server and port:
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
        lab = programs.enter_context(started([sys.executable, "-m", "jupyterlab", *JUPYTERLAB, *of_jupyterlab]))
        is_told = False
        while not has_ended(lab):
            if not is_told and any(map(is_served, infos_of_jupyter() - others)):
                tell(port)
                is_told = True
            if server and server.poll() is not None:
                print("THE MOCK SERVER HAS ENDED. Save your notebooks, press Ctrl-C, and start again.", file=sys.stderr)
                server = None
        return lab.returncode


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(
        prog="lab.py",
        description="Start the mock server, and JupyterLab on the first notebook. Ctrl-C stops both.",
        epilog="All other options are JupyterLab's, such as --no-browser.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=int, help="port of the mock server; .env keeps it (default: the port that .env names)")
    parser.add_argument("--no-mock-server", dest="mock_server", action="store_false", help="start JupyterLab only")
    return parser


def is_installed() -> bool:
    """Tell whether this Python has the packages of the course."""
    try:
        return bool(version("jupyterlab") and version("linked-is-mock-server"))
    except PackageNotFoundError:
        return False


def install() -> Path:
    """Install the packages into .venv, unless they are there. Return its Python. Raises SystemExit if that fails."""
    python = KIT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = [KIT / "requirements.txt", KIT / "pyproject.toml"]
    if not INSTALLED.exists() or any(file.stat().st_mtime > INSTALLED.stat().st_mtime for file in wanted):
        print("Installing into .venv. This takes a minute or two, once.", file=sys.stderr)
        offline = ["--no-index", "--find-links", str(WHEELS)] if WHEELS.is_dir() else []
        for command in (
            [sys.executable, "-m", "venv", str(KIT / ".venv")],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *offline, "-r", str(wanted[0])],
        ):
            if subprocess.run(command, cwd=KIT, env={**os.environ, **PIP}).returncode:
                raise SystemExit(f"This command failed. Its own message is above. {' '.join(command)}")
        INSTALLED.touch()
    return python


def port_of_mock_server(port: int | None) -> int | None:
    """Return the port that the base URL names, or None if it leads to another computer. Write ``port`` into it if given."""
    from dotenv import dotenv_values, set_key

    base_url = os.environ.get(BASE_URL) or dotenv_values(SETTINGS).get(BASE_URL) or "http://127.0.0.1:8787/v1"
    try:
        address = urlsplit(base_url)
        named = address.port or 8787
    except ValueError:
        raise SystemExit(f"{BASE_URL} in .env is no address. Copy that line from .env.example again.") from None
    if address.hostname not in ("127.0.0.1", "localhost"):
        print(f"{BASE_URL} leads to {address.hostname}, so no mock server is started.", file=sys.stderr)
        return None
    if port and port != named:
        base_url = f"http://127.0.0.1:{port}/v1"
        set_key(SETTINGS, BASE_URL, base_url, quote_mode="never")
        if BASE_URL in os.environ:  # the environment wins over .env
            os.environ[BASE_URL] = base_url
    return port or named


def is_answered(port: int) -> bool:
    """Tell whether somebody listens on a port of this computer."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


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
def started(command: list[str]) -> Iterator[subprocess.Popen]:
    """Start a program, and end it in the end. Ctrl-C reaches it by itself: it gets ten seconds to put things in order."""
    process = subprocess.Popen(command, cwd=KIT)
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
