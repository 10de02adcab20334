"""The command line: ``python -m mock_server``."""

from __future__ import annotations

import argparse
import errno
import socket
import sys

import uvicorn

from mock_server.app import Settings, create_app
from mock_server.clock import Clock
from mock_server.database import Database, DatabaseError
from mock_server.store import Store


def main(arguments: list[str] | None = None) -> int:
    """Run the mock server until Ctrl-C. Return 0, or 1 if it could not start."""
    options = parse(arguments)
    try:
        listener = listen(options.host, options.port)
        database = Database(options.database)
    except (OSError, DatabaseError) as error:
        print(f"The mock server did not start. {explain(error, options)}", file=sys.stderr)
        return 1
    settings = Settings(
        host_names={"localhost", options.host, socket.gethostname().lower()},
        log=lambda line: print(line, flush=True),
        coloured_log=sys.stdout.isatty(),
    )
    config = uvicorn.Config(
        create_app(Store(database, Clock()), settings),
        lifespan="off",
        ws="none",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    try:
        Server(config, ready_line(options.host, listener)).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down and passes Ctrl-C on
    finally:
        database.close()
    print("Mock server stopped." + ("" if options.database == ":memory:" else f" Its state is in {options.database}."))
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m mock_server",
        description="Stand in for linked.is on this computer: its API and its Settings > API page.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8787, help="port to listen on; 0 takes a free one")
    parser.add_argument("--database", metavar="FILE", default="mock-server.db", help="where accounts and tokens are kept; :memory: keeps nothing")
    return parser.parse_args(arguments)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    # On Windows, SO_REUSEADDR would let a second server take a port that is in use.
    option = socket.SO_EXCLUSIVEADDRUSE if sys.platform == "win32" else socket.SO_REUSEADDR
    listener.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def explain(error: Exception, options: argparse.Namespace) -> str:
    """Say what went wrong at the start, and what to do."""
    if isinstance(error, DatabaseError):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        other = options.port + 1
        return (
            f"Port {options.port} is taken, perhaps by a mock server that runs already: use that one. "
            f"Or start another one beside it: python -m mock_server --port {other} --database mock-server-{other}.db"
        )
    return f"It cannot listen on {options.host}, port {options.port}: {error}. Choose others with --host and --port."


def ready_line(host: str, listener: socket.socket) -> str:
    """Say where the two addresses are."""
    port = listener.getsockname()[1]
    origin = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return f"Mock server ready. API base URL: {origin}/v1  Settings page: {origin}/settings/api"


class Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.ready, flush=True)


if __name__ == "__main__":
    sys.exit(main())
