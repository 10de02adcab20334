"""The command line: ``python -m mock_server``."""

from __future__ import annotations

import argparse
import errno
import gc
import math
import os
import re
import signal
import socket
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, replace
from ipaddress import ip_address
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvicorn

from mock_server import tokens
from mock_server.app import Settings, create_app
from mock_server.clock import Clock
from mock_server.connection import LONGEST_WAIT, Connection
from mock_server.console import Unblocked
from mock_server.controls import open_account
from mock_server.database import Database, DatabaseError
from mock_server.dot_env import MOCK
from mock_server.envelope import InvalidRequest
from mock_server.model import Limits
from mock_server.store import Store

FILES = 32  # more than are open without a connection


def main(arguments: list[str] | None = None) -> int:
    """Run the mock server until Ctrl-C. Return 0, or 1 if it could not start."""
    options = parser().parse_args(arguments)
    try:
        listener = listen(options.host, options.port)
        database = Database(options.database)
        store = Store(database, Clock(), replace(Limits(), **dict(options.limit)))
        if options.token_file:
            keep_token(store, options.token_file)
    except (OSError, DatabaseError, InvalidRequest, TokenFileError) as error:
        print(f"The mock server did not start. {explain(error, options)}", file=sys.stderr)
        return 1
    settings = Settings(
        host_names={name.lower() for name in ("localhost", options.host, socket.gethostname(), *options.host_name)},
        cors_origins=options.cors,
        class_code=options.class_code,
        log=None if options.quiet else say,
        coloured_log=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Docker ends it so: it stops in the same order
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # not after nohup
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))  # its terminal was closed
    with Unblocked(sys.stdout) as output, Unblocked(sys.stderr) as errors, redirect_stdout(output), redirect_stderr(errors):
        config = uvicorn.Config(
            create_app(store, settings),
            http=Connection,
            lifespan="off",
            ws="none",
            access_log=False,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=LONGEST_WAIT,  # a person needs longer than uvicorn's 5 seconds from one cell to the next
        )
        gc.freeze()  # what was loaded stays: no collection needs to look through it
        try:
            Server(config, ready_lines(options, listener, settings.instructor_code)).run(sockets=[listener])
        except KeyboardInterrupt:
            pass  # uvicorn has shut down and passes the signal on
        finally:
            database.close()
        say(f"Mock server stopped. {state(database, options.database)}".strip())
    return 0


class TokenFileError(Exception):
    """The file that is to hold a token holds something else, or can't be written."""


def keep_token(store: Store, path: str) -> None:
    """See to it that a file holds a live token of this server: the one that it has, or that of a new account.

    Nobody else may read the file. Raises TokenFileError, and InvalidRequest if there are too many accounts.
    """
    try:
        held = Path(path).read_text(encoding="utf-8").strip() if os.path.lexists(path) else ""
        if held and not tokens.is_well_formed(held):
            raise TokenFileError(f"{path} holds something else than a token. Name another file after --token-file.")
        token = store.find_token(tokens.digest(held))
        if token and token.state(store.now(store.accounts[token.account_id])) == "active":
            return
        _, text = open_account(store)
        with tempfile.NamedTemporaryFile("w", dir=Path(path).resolve().parent, delete=False) as file:  # 0600, as mkstemp makes it
            file.write(f"{text}\n")
        Path(file.name).replace(path)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise TokenFileError(f"It can't keep a token in {path}: {reason}. Name another file after --token-file.") from None


def state(database: Database, path: str) -> str:
    """Say where the state is that a next start goes on from."""
    try:
        database.check_file()
    except DatabaseError as error:
        return f"{error}."
    return "" if path == ":memory:" else f"Its state is in {path}."


def say(line: str) -> None:
    """Print a line in one piece."""
    sys.stdout.write(f"{line}\n")


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m mock_server",
        description="Play the part of linked.is on this computer: its API and its Settings > API page.",
        epilog="Ctrl-C stops the server. Its page /docs shows the whole API.",
    )
    parser.add_argument(
        "--port", type=port, default=urlsplit(MOCK).port, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--database", metavar="FILE", default="mock-server.db",
        help="file that keeps accounts and tokens; :memory: keeps them until the server stops (default: mock-server.db)",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="print no line for each request")
    parser.add_argument(
        "--cors", metavar="ORIGIN", type=origin, action="append", default=[],
        help="let pages of this origin, such as http://localhost:3000, call the API from a browser; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--token-file", metavar="FILE",
        help="write the token of a new account into this file, which only you can read; a token in it that still works stays",
    )  # fmt: skip
    workshop = parser.add_argument_group("for a workshop")
    workshop.add_argument(
        "--host", default="127.0.0.1",
        help="address to listen on; 0.0.0.0 lets the whole network in (default: 127.0.0.1, this computer only)",
    )  # fmt: skip
    workshop.add_argument(
        "--host-name", metavar="NAME", action="append", default=[],
        help="answer to this host name too, such as workshop.local; may be repeated; behind a proxy, * answers to any, "
        "and the board asks for the instructor code on this computer too",
    )  # fmt: skip
    workshop.add_argument(
        "--class", metavar="CODE", dest="class_code", type=code,
        help="ask for this code at sign-up; the board at /_mock/class shows you how far each learner is",
    )  # fmt: skip
    names = ", ".join(field.name for field in fields(Limits))
    workshop.add_argument(
        "--limit", metavar="NAME=NUMBER", type=limit, action="append", default=[],
        help=f"the most that there may be, such as accounts=50; the names are {names}; all but accounts count for each account; may be repeated",
    )  # fmt: skip
    return parser


def limit(text: str) -> tuple[str, int]:
    """Read a limit. Raises argparse.ArgumentTypeError."""
    name, _, number = text.partition("=")
    if name not in [field.name for field in fields(Limits)] or not re.fullmatch("[1-9][0-9]{0,8}", number):
        names = ", ".join(field.name for field in fields(Limits))
        raise argparse.ArgumentTypeError(f"a limit is a name, = and a number, such as accounts=50; the names are {names}")
    return name, int(number)


def port(text: str) -> int:
    """Read a port. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def origin(text: str) -> str:
    """Read the origin of a web page. Raises argparse.ArgumentTypeError."""
    try:
        parts = urlsplit(text)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "").encode("idna").decode()
        port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    except ValueError:
        host = port = ""
    if not host or parts.scheme not in ("http", "https") or text != f"{parts.scheme}://{host}{port}":
        raise argparse.ArgumentTypeError(
            "an origin is a scheme, a host and perhaps a port, as a browser spells it: in small letters, with no slash at the "
            "end and without the port 80 or 443, such as http://localhost:3000"
        )
    return text


def code(text: str) -> str:
    """Read a class code. Raises argparse.ArgumentTypeError."""
    if not 4 <= len(text) <= 60 or not text.isprintable() or text != text.strip():
        raise argparse.ArgumentTypeError("a class code has 4 to 60 characters")
    return text


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform == "win32":  # there, SO_REUSEADDR would let a second server take a port that is in use
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def explain(error: Exception, options: argparse.Namespace) -> str:
    """Say what went wrong at the start, and what to do."""
    if not isinstance(error, OSError):
        return str(error)
    if error.errno == errno.EADDRINUSE:
        other = options.port + 1
        if options.class_code:
            return f"Port {options.port} is taken, perhaps by another mock server. Stop that one, or choose another port with --port."
        return (
            f"Port {options.port} is taken, perhaps by another mock server. If so, use that one. "
            f"Or start a second one: {sys.executable} -m mock_server --port {other} --database mock-server-{other}.db"
        )
    return f"It cannot listen on {options.host}, port {options.port}: {error}. Choose others with --host and --port."


def ready_lines(options: argparse.Namespace, listener: socket.socket, instructor_code: str) -> list[str]:
    """Say where the addresses are, and who can reach them. Who is alone with the server needs no instructor code."""
    number = listener.getsockname()[1]
    here = f"http://[{options.host}]:{number}" if ":" in options.host else f"http://{options.host}:{number}"
    lines = [f"Mock server ready. API base URL: {here}/v1  Settings page: {here}/settings/api"]
    if options.token_file:
        lines.append(f"A token for your programs: in {options.token_file}")
    if options.host in ("0.0.0.0", "::"):
        lines.append(f"The whole network can reach it: learners open http://<address of this computer>:{number}/settings/api")
    if options.class_code:
        lines.append(f"Class board: http://127.0.0.1:{number}/_mock/class")
    if options.class_code or not is_loopback(options.host) or "*" in options.host_name:
        lines.append(f"Instructor code, to see the board and act on all accounts from elsewhere: {instructor_code}")
    return lines


def is_loopback(host: str) -> bool:
    """Tell whether an address, or a name, is one that only this computer can reach."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def most_connections() -> float:
    """Return how many connections leave the operating system's limit of open files some room."""
    try:
        import resource
    except ImportError:  # on Windows, where there is no such limit
        return math.inf
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - FILES


class Server(uvicorn.Server):
    """A server that says when it is ready, and waits for nobody for ever."""

    def __init__(self, config: uvicorn.Config, ready: list[str]) -> None:
        super().__init__(config)
        self.ready = ready
        self.has_room = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and say so."""
        await super().startup(sockets)
        say("\n".join(self.ready))

    async def on_tick(self, counter: int) -> bool:
        """Do what is to be done ten times a second: look for connections that wait too long."""
        for connection in cast("set[Connection]", self.server_state.connections.copy()):
            connection.close_if_late()
        has_room = len(self.server_state.connections) < most_connections()
        if self.has_room and not has_room:
            say("Too many connections: who comes now is hung up on, until others have closed theirs.")
        self.has_room = has_room
        return await super().on_tick(counter)


if __name__ == "__main__":
    sys.exit(main())
