"""The project's OpenAPI document, made to answer with our own bytes: peers must send what we send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from bench.process import CannotMeasure

LINKS = "/v1/links"


def derive(document: Path, listed: bytes, made: bytes) -> dict[str, Any]:
    """Return the document with our answers as its examples. Raises CannotMeasure.

    Its ``servers`` are left out: the paths are whole, from the root of the server, and a peer must add nothing to them.
    """
    # Through JSON: keys become text, and so do the times that YAML reads as such.
    contract = json.loads(json.dumps(yaml.safe_load(document.read_text(encoding="utf-8")), default=str))
    del contract["servers"]
    try:
        operations = contract["paths"][LINKS]
        set_example(contract, operations["get"]["responses"], "200", listed)
        set_example(contract, operations["post"]["responses"], "201", made)
    except KeyError as error:
        raise CannotMeasure(f"{document.name} does not describe what is measured: {error} is missing.") from None
    return contract


def set_example(contract: dict[str, Any], responses: dict[str, Any], status: str, body: bytes) -> None:
    """Make the body the one example of the response. Raises KeyError."""
    response = responses[status]
    if "$ref" in response:
        response = contract["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"]["application/json"].get("schema", {})
    # A copy in place of a reference: another operation may share it.
    content = {"application/json": {"schema": schema, "example": json.loads(body)}}
    responses[status] = {**response, "content": content}
