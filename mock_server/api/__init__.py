"""``/v1/…``: a module for each resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server.api.validation import Check, checked_query
from mock_server.content import Content
from mock_server.envelope import MethodNotAllowed


class Call(Request):
    """A request with what was found out about it: the account's ``content``, and the checked ``query``."""

    content: Content
    query: dict[str, Any]


Handler = Callable[[Call], Awaitable[Response]]


class Resource:
    """A path and its methods.

    ``query`` maps each parameter that ``GET`` takes to its check; the values are in ``call.query``.
    Every other parameter is refused, on every method.
    """

    def __init__(self, path: str, query: dict[str, Check] | None = None, **handlers: Handler) -> None:
        self.path = path
        self.query = query or {}
        self.handlers = handlers

    async def answer(self, call: Call) -> Response:
        """Answer a request for this path. Raises ApiError."""
        method = "GET" if call.method == "HEAD" else call.method  # the server leaves the body out
        handler = self.handlers.get(method)
        if handler is None:
            allowed = [*self.handlers, *(["HEAD"] if "GET" in self.handlers else [])]
            raise MethodNotAllowed(headers={"Allow": ", ".join(allowed)})
        call.query = checked_query(call, self.query if method == "GET" else {})
        return await handler(call)
