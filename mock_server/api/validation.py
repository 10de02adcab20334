"""What a request's body and query may hold. Each check names the field and what is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

from starlette.requests import Request

from mock_server.clock import DAY, parse_iso
from mock_server.envelope import InvalidRequest
from mock_server.ids import Ids

Check = Callable[[str, Any], Any]

# Control characters, and halves of characters, which no answer in UTF-8 could carry.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WEB_ADDRESS = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)  # NaN and Infinity are no JSON


async def json_object(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object. Raises InvalidRequest."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise InvalidRequest("The body must be JSON: send Content-Type: application/json (in requests: json=…).")
    try:
        body = _decoder.decode((await request.body()).decode())
    except (ValueError, RecursionError):  # too deep for the parser is as wrong as a missing bracket
        raise InvalidRequest("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object: {…}.")
    return body


def checked(body: dict[str, Any], fields: dict[str, Check]) -> dict[str, Any]:
    """Return the checked values of the body under our own names. Raises InvalidRequest.

    ``fields`` maps the API's name of each field to its check. The message never repeats what was
    sent, for that could be a secret in the wrong place.
    """
    for name in body:
        if name not in fields:
            raise InvalidRequest(f"{_shown(name)}: is not a field that can be set. These can: {', '.join(fields)}.")
    return {snake_case(name): fields[name](name, value) for name, value in body.items()}


def checked_query(request: Request, parameters: dict[str, Check]) -> dict[str, Any]:
    """Return the checked values of the query by name. Raises InvalidRequest."""
    if not request.scope["query_string"]:
        return {}
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name not in parameters:
            known = f"These are: {', '.join(parameters)}." if parameters else "It takes none."
            raise InvalidRequest(f"{_shown(name)}: is not a query parameter here. {known}")
        if name in values:
            raise InvalidRequest(f"{name}: stands in the query more than once.")
        try:
            values[name] = parameters[name](name, value)
        except InvalidRequest as error:
            if " " in value and b"+" in request.scope["query_string"]:
                raise InvalidRequest(f"{error.message} In a query, + stands for a space: for a +, write %2B.") from None
            raise
    return values


def required(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the checked body if it has these fields. Raises InvalidRequest."""
    for name in names:
        if snake_case(name) not in body:
            raise InvalidRequest(f"{name}: is required.")
    return body


def optional(check: Check) -> Check:
    """Let ``null`` through: it unsets the field."""
    return lambda name, value: None if value is None else check(name, value)


def text(longest: int) -> Check:
    """Allow a text of 1 to ``longest`` characters without control characters."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= longest or _has_controls(value):
            raise InvalidRequest(f"{name}: must be a text of 1 to {longest} characters, without control characters.")
        return value

    return check


def web_address(name: str, value: Any) -> str:
    """Allow an http or https address of up to 2,048 characters. The message names what is wrong with another."""
    start = _WEB_ADDRESS.match(value) if isinstance(value, str) else None
    if start is None:
        raise InvalidRequest(f"{name}: must be a web address that starts with http:// or https://.")
    if fault := _address_fault(value, start[1]):
        raise InvalidRequest(f"{name}: must be a web address {fault}.")
    return str(value)


def _address_fault(address: str, authority: str) -> str | None:
    """Return what is wrong with a web address, as the end of a sentence. ``authority`` stands behind its ``//``."""
    host, colon, port = authority.partition(":")
    if len(address) > 2048:
        return "of up to 2048 characters"
    if _has_controls(address) or re.search(r"\s", address):
        return "without spaces and control characters: for a space, write %20"
    if "@" in authority:
        return "without a user name or a password"
    if authority.startswith("["):
        return "with a host name or an IPv4 address: the mock server takes no IPv6 address"
    if not host.isascii():
        return "with a host name in ASCII: for bücher.example, write xn--bcher-kva.example"
    if not _HOST.fullmatch(host):
        return "with a host name of letters, digits, hyphens and single dots, such as www.example.com"
    if colon and not (re.fullmatch("[1-9][0-9]{0,4}", port) and int(port) <= 65535):
        return "with a port from 1 to 65535, or with none"
    return None


def slug(name: str, value: Any) -> str:
    """Allow 1 to 64 letters, digits, hyphens and underscores."""
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9_-]{1,64}", value):
        raise InvalidRequest(f"{name}: must be 1 to 64 letters, digits, hyphens or underscores.")
    return value


def instant(name: str, value: Any) -> int:
    """Allow an ISO 8601 date or time; return Unix seconds."""
    try:
        return parse_iso(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidRequest(f"{name}: must be a time in ISO 8601, such as 2026-12-31T23:59:59Z.") from None


def last_instant(name: str, value: str) -> int:
    """Allow an ISO 8601 date or time as the end of a span: a date means its last second."""
    seconds = instant(name, value)
    try:
        date.fromisoformat(value)
    except ValueError:
        return seconds
    return seconds + DAY - 1


def whole_number(lowest: int, highest: int) -> Check:
    """Allow a whole number within these limits."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():  # in JSON, 5.0 is the whole number 5
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise InvalidRequest(f"{name}: must be a whole number from {lowest} to {highest}.")
        return value

    return check


def number(lowest: float, highest: float) -> Check:
    """Allow a number within these limits."""

    def check(name: str, value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not lowest <= value <= highest:
            raise InvalidRequest(f"{name}: must be a number from {lowest} to {highest}.")
        return value

    return check


def digits(lowest: int, highest: int) -> Check:
    """Allow a whole number, spelled in digits as a query does, within these limits."""

    def check(name: str, value: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", value, re.ASCII) or not lowest <= int(value) <= highest:
            raise InvalidRequest(f"{name}: must be a whole number from {lowest} to {highest}.")
        return int(value)

    return check


def id_of(ids: Ids) -> Check:
    """Allow an id of this kind; return its number."""

    def check(name: str, value: str) -> int:
        number = ids.number(value)
        if number is None:
            raise InvalidRequest(f"{name}: must be an id such as {ids.spell(0)}.")
        return number

    return check


def one_of(*choices: str) -> Check:
    """Allow one of these texts."""

    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise InvalidRequest(f"{name}: must be one of {', '.join(choices)}.")
        return str(value)

    return check


def flag(name: str, value: Any) -> bool:
    """Allow ``true`` or ``false``."""
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name}: must be true or false.")
    return value


@cache
def snake_case(name: str) -> str:
    """Turn the API's ``clickLimit`` into our ``click_limit``."""
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def _shown(name: str) -> str:
    """Return a name that was sent, unless it could be a secret in the wrong place."""
    return name if re.fullmatch("[A-Za-z]{1,30}", name) else "A name that was sent"


def _has_controls(value: str) -> bool:
    return _CONTROLS.search(value) is not None
