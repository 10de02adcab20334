"""Hold an answer against the contract, ``mock_server/openapi.yaml``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from mock_server.contract import openapi

URI = "urn:contract"


def operations() -> list[tuple[str, str]]:
    """Return method and path template of every operation."""
    return [
        (method.upper(), path)
        for path, item in openapi()["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    ]


def check(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise AssertionError if the answer is not one that the contract knows. ``path`` has no query."""
    template = find_path(path)
    item = openapi()["paths"].get(template, {})
    operation = item.get("get" if method == "HEAD" else method.lower())
    if operation is None:
        # What is not in the contract answers in the envelope of an error, or is a page for people.
        if path.startswith(("/v1", "/_mock")):
            assert status in (401, 403, 404, 405, 429), f"{method} {path} answered {status} and is not in the contract"
            validate({"$ref": "#/components/schemas/Error"}, json.loads(body), f"{method} {path}")
        return
    where = f"{method} {template} {status}"
    if status == 403 and b"does not answer to this host name" in body:
        return
    assert str(status) in operation["responses"], f"{where}: the contract lacks this status"
    response = resolved(operation["responses"][str(status)])
    for name, described in response.get("headers", {}).items():
        header = resolved(described)
        value = headers.get(name)
        assert value is not None or not header["required"], f"{where}: the header {name} is missing"
        if value is not None:
            is_number = header["schema"]["type"] == "integer"
            validate(header["schema"], int(value) if is_number else value, f"{where}, header {name}")
    content = response.get("content")
    if method == "HEAD" or content is None:
        return
    media_type = headers.get("content-type", "").partition(";")[0]
    assert media_type in content, f"{where}: the contract lacks the type {media_type}"
    if media_type == "application/json":
        told = json.loads(body)
        validate(content[media_type]["schema"], told, where)
        if examples := content[media_type].get("examples"):
            assert told["error"]["code"] in examples, f"{where}: the contract has no example of {told['error']['code']}"


def find_path(path: str) -> str | None:
    """Return the path template of the contract that fits."""
    return next((template for template, pattern in patterns().items() if pattern.fullmatch(path)), None)


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    """Return a pattern for each path template; those without a parameter come first."""
    templates = sorted(openapi()["paths"], key=lambda template: template.count("{"))
    return {template: re.compile(re.sub(r"\{\w+\}", "[^/]+", template)) for template in templates}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference within the contract."""
    while "$ref" in node:
        target: Any = openapi()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def validate(schema: dict[str, Any], value: Any, where: str) -> None:
    """Raise AssertionError, with the place, if the value does not fit the schema."""
    errors = list(validator(json.dumps(schema, sort_keys=True)).iter_errors(value))
    assert not errors, f"{where}: {errors[0].json_path}: {errors[0].message}"


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return a validator for a schema, spelled as JSON, whose references lead into the contract."""
    contract = Resource(contents=openapi(), specification=DRAFT202012)
    anchored = json.loads(schema.replace('"#/', f'"{URI}#/'))
    registry = Registry().with_resource(URI, contract)
    return Draft202012Validator(anchored, registry=registry, format_checker=FormatChecker(["date-time"]))
