"""HTML and files as answers: templates filled in, headers that keep them safe."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable

import jinja2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mock_server.envelope import ApiError
from mock_server.tokens import redact

HEADERS = {
    "Cache-Control": "no-store",
    # Not no-referrer: with it, a browser in a class's network (plain HTTP) sends its own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
# Swagger UI sets styles by script, draws its icons from data: addresses and calls the API.
SWAGGER_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("mock_server.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def top(request: Request) -> str:
    """Return the way from a page up to ``/``: links are relative, since a proxy may show this server below a path."""
    return "/".join([".."] * (request.scope["raw_path"].count(b"/") - 1)) or "."


def filled(request: Request, template: str, **values: object) -> bytes:
    """Return a template filled in; what is put into it is escaped."""
    return _templates.get_template(template).render(values, top=top(request)).encode()


def page(request: Request, template: str, status: int = 200, headers: dict[str, str] = HEADERS, **values: object) -> Response:
    """Answer with a page that needs no session."""
    return Response(filled(request, template, **values), status, headers, "text/html")


def go_to(request: Request, path: str) -> Response:
    """Answer with the way to another page of this server."""
    return RedirectResponse(top(request) + path, 303, HEADERS)


def error_page(request: Request, error: ApiError) -> Response:
    """Answer a person's browser with an error and the way on."""
    return page(request, "error.html", error.status, {**HEADERS, **error.headers}, error=error)


def static_file(name: str, file: Traversable) -> Route:
    """Return the route ``/static/<name>`` to a file that is read once: a file server would need threads."""
    content = file.read_bytes()
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}

    async def answer(request: Request) -> Response:
        return Response(content, headers=headers, media_type=_MEDIA_TYPES[name.rpartition(".")[2]])

    return Route(f"/static/{name}", answer, include_in_schema=False)


def static_files() -> list[Route]:
    """Return a route for each style sheet, script and picture of the page."""
    folder = resources.files("mock_server.web") / "static"
    return [static_file(file.name, file) for file in folder.iterdir() if file.name.rpartition(".")[2] in _MEDIA_TYPES]


def minute(seconds: int | None) -> str:
    """Spell Unix seconds for a person: ``2026-03-01 16:00 UTC``."""
    return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%d %H:%M UTC")


_templates.filters["minute"] = minute
_templates.filters["redact"] = redact
