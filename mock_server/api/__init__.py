"""``/v1/…``: a module for each resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from mock_server.api.validation import Check, checked_query
from mock_server.envelope import MethodNotAllowed

Handler = Callable[[Request], Awaitable[Response]]


class Resource:
    """A path and its methods.

    ``query`` maps each parameter that ``GET`` takes to its check; the values are in ``request.state.query``.
    Every other parameter is refused, on every method.
    """

    def __init__(self, path: str, query: dict[str, Check] | None = None, **handlers: Handler) -> None:
        self.path = path
        self.query = query or {}
        self.handlers = handlers

    async def answer(self, request: Request) -> Response:
        """Answer a request for this path. Raises ApiError."""
        method = "GET" if request.method == "HEAD" else request.method  # the server leaves the body out
        handler = self.handlers.get(method)
        if handler is None:
            allowed = [*self.handlers, *(["HEAD"] if "GET" in self.handlers else [])]
            raise MethodNotAllowed(headers={"Allow": ", ".join(allowed)})
        request.state.query = checked_query(request, self.query if method == "GET" else {})
        return await handler(request)
