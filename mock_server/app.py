"""The application: routes, middleware and exception handlers, put together."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server import board, contract, controls, short_links
from mock_server.api import Handler, analytics, links, profiles
from mock_server.classroom import Classroom
from mock_server.console import RequestLog
from mock_server.database import DatabaseError
from mock_server.envelope import ApiError, Forbidden, InternalError, NotFound, PayloadTooLarge, failure, from_http
from mock_server.gate import Gate
from mock_server.instructor import Instructor, new_code
from mock_server.store import Store
from mock_server.traffic import Traffic
from mock_server.web import routes as page
from mock_server.web.passwords import HashPassword, scrypt
from mock_server.web.rendering import error_page

LARGEST_BODY = 1024 * 1024  # bytes
LONGEST_HOST = 300  # characters: more than a name has
_HOST = re.compile(r"(\[(?P<ipv6>[^][]+)\]|(?P<name>[^][:]*))(:[0-9]*)?")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]  # each control says itself which it takes
READABLE_HEADERS = ["Link", "Retry-After", "WWW-Authenticate", "X-Mock-Hint"]
READABLE_HEADERS += ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]


@dataclass
class Settings:
    """What a start can choose.

    ``host_names`` are the names to answer to, ``*`` means any. Pages of ``cors_origins`` may call the API from a browser. With a
    ``class_code``, signing up asks for it. Who has the ``instructor_code`` may act on all accounts. Log lines go to ``log``,
    nowhere by default. ``hash_password`` is for a Python without scrypt.
    """

    host_names: set[str] = field(default_factory=lambda: {"localhost"})
    cors_origins: list[str] = field(default_factory=list)
    class_code: str | None = None
    instructor_code: str = field(default_factory=new_code)
    log: Callable[[str], None] | None = None
    coloured_log: bool = False
    hash_password: HashPassword = scrypt


def create_app(store: Store, settings: Settings | None = None) -> Starlette:
    """Return the application over a store. It starts no thread, task or connection of its own."""
    settings = settings or Settings()
    traffic = Traffic()
    classroom = Classroom(settings.class_code, lambda: int(store.clock.real_time()))
    instructor = Instructor(settings.instructor_code, behind_proxy="*" in settings.host_names)
    middleware = [Middleware(HostCheck, host_names=settings.host_names), Middleware(BodyLimit)]
    if settings.log:
        middleware.insert(0, Middleware(RequestLog, write=settings.log, coloured=settings.coloured_log))

    def gated(path: str, handler: Handler) -> Route:
        app: ASGIApp = Gate(handler, store, traffic, classroom)
        if settings.cors_origins:  # before the gate: a browser asks for permission without a token
            app = cross_origin(app, settings.cors_origins)
        return Route(path, app)

    app = Starlette(
        routes=[
            *(gated(f"/v1{one.path}", one.answer) for one in [*links.resources(), *profiles.resources(), *analytics.resources()]),
            gated("/v1{rest:path}", nothing_here),  # `/v1` itself too
            *(
                Route(f"/_mock{one.path}", one.answer, methods=METHODS)
                for one in controls.resources(store, traffic, instructor, classroom)
            ),
            *board.routes(store, traffic, instructor, classroom),
            *short_links.routes(store),
            *contract.routes(),
            *page.routes(store, traffic, classroom, settings.hash_password),
        ],
        middleware=middleware,
        exception_handlers={
            ApiError: answer_error,
            HTTPException: answer_error,
            DatabaseError: answer_error,
            Exception: answer_error,
        },
    )
    for route in app.routes:
        if isinstance(route, Route):  # the framework's `$` lets a line break through, and its `.*` none
            route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z", re.DOTALL)
    return app


async def nothing_here(request: Request) -> Response:
    """Answer at every other path of the API."""
    raise NotFound


def cross_origin(app: ASGIApp, origins: list[str]) -> ASGIApp:
    """Let pages of these origins call the API from a browser."""
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=READABLE_HEADERS,
    )


async def answer_error(request: Request, error: Exception) -> Response:
    """Turn any error into the envelope for a program, or into a page for a person."""
    if isinstance(error, HTTPException):
        error = from_http(error)
    elif isinstance(error, DatabaseError):
        error = InternalError(str(error))
    elif not isinstance(error, ApiError):
        error = InternalError()
    if request.url.path.startswith(("/v1", "/_mock")):
        return failure(error)
    return error_page(request, error)


class HostCheck:
    """Answer only to our own names, or a page elsewhere could give itself our address (DNS rebinding).

    An IP address as such is safe: rebinding needs a name.
    """

    def __init__(self, app: ASGIApp, host_names: set[str]) -> None:
        self.app = app
        self.host_names = frozenset(host_names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with a 403."""
        for name, value in scope["headers"]:
            if name == b"host" and is_ours(value[:LONGEST_HOST], self.host_names):
                await self.app(scope, receive, send)
                return
        error = Forbidden(
            "The mock server does not answer to this host name. Use 127.0.0.1 or localhost, or start the mock server with "
            "--host-name and this name, without a port: in Docker Compose, --host-name and the name of the service."
        )
        await (await answer_error(Request(scope), error))(scope, receive, send)


@lru_cache(maxsize=1_000)
def is_ours(host: bytes, host_names: frozenset[str]) -> bool:
    """Tell whether the value of ``Host``, with or without a port, is one of our names or an IP address."""
    found = _HOST.fullmatch(host.decode("latin-1").lower())
    if found is None:
        return False
    try:
        return "*" in host_names or found["name"] in host_names or bool(ip_address(found["name"] or found["ipv6"]))
    except ValueError:
        return False


class BodyLimit:
    """Stop reading a body that is too large, or whose sender hangs up: that is nobody's mistake, so nothing is logged.

    Starlette's own limit would not answer in the envelope.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count what is read of its body. Raises PayloadTooLarge."""
        size = 0

        async def receive_up_to_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise PayloadTooLarge
            return message

        with suppress(ClientDisconnect):
            await self.app(scope, receive_up_to_limit, send)
