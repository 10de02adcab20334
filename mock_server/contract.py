"""The contract, ``openapi.yaml``: served as JSON at ``/openapi.json``, and as a page to try it at ``/docs``."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.web.rendering import SWAGGER_HEADERS, page, static_file

# The package carries Swagger UI's own files for MkDocs; here they are served as they are.
_SWAGGER_UI = {
    "swagger-ui-bundle.js": "javascripts/swagger-ui-bundle.js",
    "swagger-ui.css": "stylesheets/swagger-ui.css",
}


@cache
def openapi() -> dict[str, Any]:
    """Return the contract as its readers get it: without anchors, and without the parts that only YAML's anchors need."""
    import yaml  # here, for most starts never need it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one needs a C library
    text = (resources.files("mock_server") / "openapi.yaml").read_bytes()
    contract: dict[str, Any] = yaml.load(text, Loader=loader)
    del contract["x-shared"]
    return contract


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Follow references. Keys beside a reference are added to what it leads to."""
    found: dict[str, Any] = {}
    for reference in references(node):
        target: Any = openapi()
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]
        found |= resolved(target)
    return found | {name: value for name, value in node.items() if name not in ("$ref", "allOf")}


def references(node: dict[str, Any]) -> list[str]:
    """Return where the node's own references lead: ``$ref``, alone or in ``allOf``."""
    return [part["$ref"] for part in (node, *node.get("allOf", [])) if "$ref" in part]


def routes() -> list[Route]:
    """Return the routes."""

    async def as_json(request: Request) -> Response:
        here = {**openapi(), "servers": [{"url": ".", "description": "This mock server"}]}
        return Response(json.dumps(here), media_type="application/json")

    async def docs(request: Request) -> Response:
        return page(request, "docs.html", headers=SWAGGER_HEADERS)

    contract = Route("/openapi.json", as_json)
    if not find_spec("mkdocs_swagger_ui_tag"):  # left out where 1.5 MB weigh too much
        return [contract]
    swagger_ui = resources.files("mkdocs_swagger_ui_tag") / "swagger-ui"
    files = [static_file(name, swagger_ui / path) for name, path in _SWAGGER_UI.items()]
    return [contract, Route("/docs", docs, include_in_schema=False), *files]
