"""The application: routes, middleware and exception handlers, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server import controls
from mock_server.api import links
from mock_server.authentication import BearerAuthentication
from mock_server.console import RequestLog
from mock_server.envelope import (
    ApiError,
    Forbidden,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    failure,
)
from mock_server.page import routes as page
from mock_server.store import Store

LARGEST_BODY = 1024 * 1024  # bytes
ERRORS_BY_STATUS = {400: InvalidRequest, 404: NotFound, 405: MethodNotAllowed, 413: PayloadTooLarge}


@dataclass
class Settings:
    """What a start can choose: host names to answer to, and where log lines go (nowhere by default)."""

    host_names: set[str] = field(default_factory=lambda: {"localhost"})
    log: Callable[[str], None] | None = None
    coloured_log: bool = False


def create_app(store: Store, settings: Settings | None = None) -> Starlette:
    """Return the application over a store. It starts no thread, task or connection of its own."""
    settings = settings or Settings()
    middleware = [Middleware(HostCheck, host_names=settings.host_names), Middleware(BodyLimit)]
    if settings.log:
        middleware.insert(0, Middleware(RequestLog, write=settings.log, coloured=settings.coloured_log))
    return Starlette(
        routes=[
            Mount("/v1", routes=links.routes(store), middleware=[Middleware(BearerAuthentication, store=store)]),
            Mount("/_mock", routes=controls.routes(store)),
            *page.routes(store),
        ],
        middleware=middleware,
        exception_handlers={ApiError: answer_error, HTTPException: answer_error, Exception: answer_error},
    )


async def answer_error(request: Request, error: Exception) -> Response:
    """Turn any error into the envelope for a program, or into a page for a person."""
    if isinstance(error, HTTPException):
        known = ERRORS_BY_STATUS.get(error.status_code, InternalError)
        error = known(headers=dict(error.headers or {}))
    elif not isinstance(error, ApiError):
        error = InternalError()
    if request.url.path.startswith(("/v1", "/_mock")):
        return failure(error)
    return page.error_page(error)


class HostCheck:
    """Answer only to our own names, or a page elsewhere could give itself our address (DNS rebinding).

    An IP address as such is safe: rebinding needs a name.
    """

    def __init__(self, app: ASGIApp, host_names: set[str]) -> None:
        self.app = app
        self.host_names = host_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if self._is_ours(request.headers.get("host", "")):
            await self.app(scope, receive, send)
            return
        error = Forbidden("The mock server does not answer to this host name. Use 127.0.0.1 or localhost.")
        await (await answer_error(request, error))(scope, receive, send)

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
