"""``/v1/…``: a module for each resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.api.validation import Check, checked_query

Handler = Callable[[Request], Awaitable[Response]]


def resource(path: str, query: dict[str, Check] | None = None, **handlers: Handler) -> Route:
    """Return one route for all methods of a path, so that a 405 lists each of them in ``Allow``.

    ``query`` maps each parameter that ``GET`` takes to its check; the values are in ``request.state.query``.
    Every other parameter is refused, on every method.
    """
    if "GET" in handlers:
        handlers["HEAD"] = handlers["GET"]

    async def endpoint(request: Request) -> Response:
        reads = request.method in ("GET", "HEAD")
        request.state.query = checked_query(request, query or {} if reads else {})
        return await handlers[request.method](request)

    return Route(path, endpoint, methods=list(handlers))
