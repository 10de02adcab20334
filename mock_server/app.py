"""The application: routes, middleware and exception handlers, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server import board, contract, controls, short_links
from mock_server.api import analytics, links, profiles
from mock_server.console import RequestLog
from mock_server.database import DatabaseError
from mock_server.envelope import ApiError, Forbidden, InternalError, PayloadTooLarge, failure, from_http
from mock_server.gate import Gate
from mock_server.page import routes as page
from mock_server.page.rendering import error_page
from mock_server.store import Store
from mock_server.traffic import Traffic

LARGEST_BODY = 1024 * 1024  # bytes
READABLE_HEADERS = ["Link", "Retry-After", "WWW-Authenticate", "X-Mock-Hint"]
READABLE_HEADERS += ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]


@dataclass
class Settings:
    """What a start can choose.

    ``host_names`` are the names to answer to. Pages of ``cors_origins`` may call the API from a browser. With a
    ``class_code``, signing up asks for it. Log lines go to ``log``, nowhere by default.
    """

    host_names: set[str] = field(default_factory=lambda: {"localhost"})
    cors_origins: list[str] = field(default_factory=list)
    class_code: str | None = None
    log: Callable[[str], None] | None = None
    coloured_log: bool = False


def create_app(store: Store, settings: Settings | None = None) -> Starlette:
    """Return the application over a store. It starts no thread, task or connection of its own."""
    settings = settings or Settings()
    traffic = Traffic()
    middleware = [Middleware(HostCheck, host_names=settings.host_names), Middleware(BodyLimit)]
    if settings.log:
        middleware.insert(0, Middleware(RequestLog, write=settings.log, coloured=settings.coloured_log))
    api = [Middleware(Gate, store=store, traffic=traffic)]
    if settings.cors_origins:  # before the gate: a browser asks for permission without a token
        api.insert(0, cross_origin(settings.cors_origins))
    return Starlette(
        routes=[
            Mount("/v1", routes=[*links.routes(), *profiles.routes(), *analytics.routes()], middleware=api),
            Mount("/_mock", routes=[*controls.routes(store, traffic), *board.routes(store, traffic)]),
            *short_links.routes(store),
            *contract.routes(),
            *page.routes(store, settings.class_code),
        ],
        middleware=middleware,
        exception_handlers={
            ApiError: answer_error,
            HTTPException: answer_error,
            DatabaseError: answer_error,
            Exception: answer_error,
        },
    )


def cross_origin(origins: list[str]) -> Middleware:
    """Return what lets pages of these origins call the API from a browser."""
    return Middleware(
        CORSMiddleware,
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
    if hasattr(request.state, "call"):
        request.state.call.note_error(error)
    if request.url.path.startswith(("/v1", "/_mock")):
        return failure(error)
    return error_page(error)


class HostCheck:
    """Answer only to our own names, or a page elsewhere could give itself our address (DNS rebinding).

    An IP address as such is safe: rebinding needs a name.
    """

    def __init__(self, app: ASGIApp, host_names: set[str]) -> None:
        self.app = app
        self.host_names = host_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        if self._is_ours(host.decode("latin-1")):
            await self.app(scope, receive, send)
            return
        error = Forbidden("The mock server does not answer to this host name. Use 127.0.0.1 or localhost.")
        await (await answer_error(Request(scope), error))(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        name = host.lower().partition("]")[0][1:] if host.startswith("[") else host.lower().partition(":")[0]
        if name in self.host_names:
            return True
        try:
            return bool(ip_address(name))
        except ValueError:
            return False


class BodyLimit:
    """Stop reading a body that is too large. Starlette's own limit would not answer in the envelope."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def receive_up_to_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise PayloadTooLarge
            return message

        await self.app(scope, receive_up_to_limit, send)
