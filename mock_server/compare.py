"""Compare a service with the contract: ``python -m mock_server.compare https://api.linked.is/v1``.

It reads, unless ``--write`` asks for more, and says of each operation what is as the contract has it, and which assumptions
hold. It prints no value that the service sends, but for codes of errors, and no character of the token. It needs the
package ``jsonschema``, which JupyterLab brings.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import requests
from dotenv import find_dotenv, load_dotenv
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from mock_server.clock import parse_iso
from mock_server.contract import openapi, resolved
from mock_server.dot_env import RERUN, Explained, check_base_url, is_real, read_token
from mock_server.envelope import ApiError
from mock_server.model import Origin
from mock_server.tokens import PREFIX, redact

TIMEOUT = 10  # seconds
NOBODY = "this-is-no-token"
WITHIN = ("properties", "required", "additionalProperties", "items")  # what a schema says of what is within a value
FORMATS = FormatChecker(())
FORMATS.checks("date-time", ValueError)(lambda value: not isinstance(value, str) or parse_iso(value) is not None)


class Unusable(Exception):
    """The service can't be compared: it isn't there, or refuses the token. The text says what to do."""


@dataclass(frozen=True)
class Answer:
    """An answer, its body read as JSON; ``None`` if it is none."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Fact:
    """What the contract says of a place in an answer, and what is wrong there: ``None`` if it holds."""

    place: str
    assumed: bool
    wrong: str | None = None


# One answer beside the contract


def facts_of(method: str, path: str, answer: Answer) -> Iterator[Fact]:
    """Yield what the contract says of an answer to an operation. ``path`` is as in the contract."""
    responses = openapi()["paths"][path][method.lower()]["responses"]
    if str(answer.status) not in responses:
        yield Fact(f"status {answer.status}", False, "the contract lacks it")
        return
    response = resolved(responses[str(answer.status)])
    yield Fact(f"status {answer.status}", is_assumed(response))
    headers = {name.lower(): value for name, value in answer.headers.items()}
    for name, node in response.get("headers", {}).items():
        header, value = resolved(node), headers.get(name.lower())
        if value is not None:
            is_number = header["schema"]["type"] == "integer" and re.fullmatch("-?[0-9]+", value)
            yield Fact(f"header {name}", is_assumed(header), wrong_with(header["schema"], int(value) if is_number else value))
        elif header["required"]:
            yield Fact(f"header {name}", is_assumed(header), "it is missing")
    content = response.get("content", {}).get("application/json")
    if content is None:
        return
    if headers.get("content-type", "").partition(";")[0] != "application/json":
        yield Fact("header Content-Type", is_assumed(response), "it isn't application/json")
    codes = content.get("examples")
    for fact in once(facts_below(content["schema"], answer.body, "", is_assumed(response))):
        if fact.place != "error.code" or fact.wrong:
            yield fact
        else:
            code = answer.body["error"]["code"]
            yield Fact("error.code", is_code_assumed(code), None if code in codes else "the contract lacks this code here")


def facts_below(node: dict[str, Any], value: Any, place: str, assumed: bool) -> Iterator[Fact]:
    """Yield what a schema says of a value and of all within it. Only fields have a fact of their own."""
    assumed = node["x-origin"] == "assumed" if "x-origin" in node else assumed
    schema = resolved(node)
    wrong = wrong_with(schema, value)
    if wrong or place:
        yield Fact(place or "body", assumed, wrong)
    if wrong:
        return
    if isinstance(value, list):
        for item in value:
            yield from facts_below(schema.get("items", {}), item, f"{place}[]", assumed)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name, inner in properties.items():
            below = f"{place}.{name}" if place else name
            if name in value:
                yield from facts_below(inner, value[name], below, assumed)
            elif name in schema.get("required", ()):
                yield Fact(below, resolved(inner).get("x-origin", "") == "assumed", "it is missing")
        if more := [name for name in value if name not in properties] if schema.get("additionalProperties") is False else []:
            yield Fact(f"{place or 'body'}, more fields", True, f"{len(more)} that the contract lacks")


def once(facts: Iterator[Fact]) -> list[Fact]:
    """Return one fact for each place: that something is wrong, if that is so in one item of a list."""
    found: dict[str, Fact] = {}
    for fact in facts:
        if fact.place not in found or fact.wrong:
            found[fact.place] = fact
    return list(found.values())


def wrong_with(schema: dict[str, Any], value: Any) -> str | None:
    """Return what is wrong with a value, apart from what is within it; ``None`` if nothing is. The value is not in it."""
    own = {name: rule for name, rule in schema.items() if name not in WITHIN}
    error = next(Draft202012Validator(own, format_checker=FORMATS).iter_errors(value), None)
    return None if error is None else f"it doesn't fit {error.validator}: {json.dumps(error.validator_value)}"


def is_assumed(node: dict[str, Any]) -> bool:
    """Tell whether no page of linked.is states it."""
    return bool(node["x-origin"] == "assumed")


def is_code_assumed(code: Any) -> bool:
    """Tell whether no page of linked.is has this code of an error."""
    return not any(error.code == code and error.origin != Origin.ASSUMED for error in ApiError.__subclasses__())


# All operations


@dataclass
class Comparison:
    """What was found, by operation, and the way to find more. ``token`` is sent to ``base_url`` alone."""

    base_url: str
    token: str
    found: dict[str, list[Fact]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)  # what was made, and is not deleted yet

    def read(self) -> None:
        """Ask for all that can be read. Raises Unusable."""
        links = ids_in(self.expect("GET", "/v1/links", {"limit": 2}))
        self.note("GET", "/v1/links", "parameter limit", len(links) <= 2)
        self.expect("GET", "/v1/links", status=401, code="MISSING_TOKEN", token="")
        self.expect("GET", "/v1/links", status=401, code="INVALID_TOKEN", token=NOBODY)
        if len(links) == 2:
            rest = ids_in(self.expect("GET", "/v1/links", {"limit": 1, "cursor": links[0]}))
            self.note("GET", "/v1/links", "parameter cursor", rest == links[1:])
        self.expect("GET", "/v1/links/{id}", {"id": "clx0000000000"}, 404, "NOT_FOUND")
        for link in links[:1]:
            self.expect("GET", "/v1/links/{id}", {"id": link})
            self.expect("GET", "/v1/links/{id}/stats", {"id": link, "interval": "week"})
            self.expect("GET", "/v1/links/{id}/stats", {"id": link, "interval": "year"}, 400, "INVALID_REQUEST")
        for profile in ids_in(self.expect("GET", "/v1/profiles", {"limit": 1}))[:1]:
            self.expect("GET", "/v1/profiles/{id}", {"id": profile})
            for block in ids_in(self.expect("GET", "/v1/profiles/{id}/blocks", {"id": profile, "limit": 1}))[:1]:
                self.expect("GET", "/v1/profiles/{id}/blocks/{block_id}", {"id": profile, "block_id": block})
        for path, item in openapi()["paths"].items():  # what can be asked without knowing an id
            if path.startswith("/v1") and "{" not in path and "get" in item and f"GET {path}" not in self.found:
                self.expect("GET", path)

    def write(self) -> None:
        """Make a link, a profile and a block, change and delete them. Raises Unusable."""
        slug = f"contract-check-{secrets.token_hex(6)}"
        link = {"url": "https://example.com/contract-check", "slug": slug}
        profile = {"displayName": "Contract check", "slug": f"{slug}-profile"}
        try:
            self.expect("POST", "/v1/links", status=400, code="INVALID_REQUEST", body={})
            self.make("/v1/links", "id", {}, link, {"title": "Contract check"})
            self.make("/v1/profiles", "id", {}, profile, {"bio": "Contract check"})
        finally:
            for place in [*self.left]:  # what the service made though it should have refused to
                self.ask("DELETE", f"/v1{place}", {}, None, self.token)

    def make(self, path: str, name: str, values: dict[str, str], new: dict[str, str], change: dict[str, str]) -> None:
        """Make something, change it, delete it, and look for it again. ``name`` is that of its id in the path."""
        made = ids_in([self.expect("POST", path, values, 201, body=new)])
        if not made:
            return
        one, values = f"{path}/{{{name}}}", {**values, name: made[0]}
        if "slug" in new:
            self.expect("POST", path, values, 400, "SLUG_TAKEN", body=new)
        changed = self.expect("PATCH", one, values, body=change)
        self.note("PATCH", one, f"changes {', '.join(change)}", isinstance(changed, dict) and changed.items() >= change.items())
        if path == "/v1/profiles":
            self.make(f"{one}/blocks", "block_id", values, {"title": "Contract check"}, {"title": "Changed"})
        self.expect("DELETE", one, values)
        self.expect("GET", one, values, 404, "NOT_FOUND")

    def expect(
        self,
        method: str,
        path: str,
        values: dict[str, Any] | None = None,
        status: int = 200,
        code: str | None = None,
        body: object = None,
        token: str | None = None,
    ) -> Any:
        """Call an operation, and note what its answer has of the contract. Return its ``data`` if the status is as expected.

        ``values`` are those of the path and of the query. Raises Unusable.
        """
        answer = self.ask(method, path, values or {}, body, self.token if token is None else token)
        operation = openapi()["paths"][path][method.lower()]
        is_there = answer.status == status or answer.status not in (404, 405)
        facts = [Fact("path and method", is_assumed(operation), None if is_there else "they aren't there")]
        if answer.status != status:
            place = resolved(operation["responses"][str(status)])
            facts.append(Fact(f"status {status}", is_assumed(place), f"it is {answer.status}"))
        else:
            facts += facts_of(method, path, answer)
        if answer.status == status and code and isinstance(answer.body, dict):
            error = answer.body.get("error")
            said = error if isinstance(error, dict) else {}
            error_type = next(one for one in ApiError.__subclasses__() if one.code == code)
            facts = [fact for fact in facts if fact.place != "error.code"]
            facts.append(Fact(f"code {code}", is_code_assumed(code), None if said.get("code") == code else "it is another"))
            if status == 401 and said.get("message") != error_type.message:
                facts.append(Fact(f"message of {code}", False, "it is another"))
        known = self.found.get(f"{method} {path}", [])
        self.found[f"{method} {path}"] = once(iter([*known, *facts]))
        return answer.body.get("data") if answer.status == status and isinstance(answer.body, dict) else None

    def note(self, method: str, path: str, place: str, holds: bool) -> None:
        """Note an assumption about what an operation does."""
        self.found[f"{method} {path}"].append(Fact(place, True, None if holds else "it has no such effect"))

    def ask(self, method: str, path: str, values: dict[str, Any], body: object, token: str) -> Answer:
        """Send a request. Raises Unusable."""
        names = re.findall(r"\{(\w+)\}", path)
        below = path.removeprefix("/v1").format(**{name: quote(values[name], safe="") for name in names})
        query = urlencode({name: value for name, value in values.items() if name not in names and method == "GET"})

        def authorized(request: requests.PreparedRequest) -> requests.PreparedRequest:
            if token:  # in this way requests takes nothing from .netrc
                request.headers["Authorization"] = f"Bearer {token}"
            return request

        try:
            response = requests.request(
                method,
                f"{self.base_url}{below}{'?' if query else ''}{query}",
                json=body,
                auth=authorized,
                allow_redirects=False,
                timeout=TIMEOUT,
            )
        except requests.RequestException as error:
            raise Unusable(
                f"The service doesn't answer ({type(error).__name__}). Look at the base URL and the network."
            ) from None
        if response.status_code == 429:
            raise Unusable("The service has got too many calls of your account. Wait a few minutes, then try again.")
        if response.status_code == 401 and token == self.token and not self.found:
            raise Unusable("The service refuses your token. Read: Why a token stops working.")
        try:
            told = response.json()
        except ValueError:
            told = None
        makes = method == "POST" and "201" in openapi()["paths"][path]["post"]["responses"]
        if response.ok and makes and isinstance(told, dict):
            self.left |= {f"{below}/{made}" for made in ids_in([told.get("data")])}
        elif response.ok and method == "DELETE":
            self.left.discard(below)
        return Answer(response.status_code, dict(response.headers), told)


def ids_in(data: Any) -> list[str]:
    """Return the ids of a list of objects, which may be anything else."""
    listed = data if isinstance(data, list) else []
    return [one["id"] for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]


# What is said of it


def report(comparison: Comparison) -> list[str]:
    """Return the lines that say what holds, what differs, and what was not asked."""
    lines = []
    for operation, facts in comparison.found.items():
        right = [fact for fact in facts if not fact.wrong]
        assumed = [fact.place for fact in right if fact.assumed]
        lines.append(f"{operation}: {len(right) - len(assumed)} documented and {len(assumed)} assumed hold")
        lines += [f"  assumed, holds: {', '.join(assumed)}"] if assumed else []
        lines += [
            f"  {'assumed' if fact.assumed else 'DOCUMENTED'}, differs: {fact.place}: {fact.wrong}"
            for fact in facts
            if fact.wrong
        ]
    asked = set(comparison.found)
    unasked = [
        f"{method.upper()} {path}"
        for path, item in openapi()["paths"].items()
        for method in item
        if path.startswith("/v1") and method != "parameters" and f"{method.upper()} {path}" not in asked
    ]
    lines += [f"Not asked: {', '.join(unasked)}"] if unasked else []
    lines += left_behind(comparison)
    everything = [fact for facts in comparison.found.values() for fact in facts]
    for name, assumed_ones in (("Documented", False), ("Assumed", True)):
        chosen = [fact for fact in everything if fact.assumed == assumed_ones]
        wrong = sum(fact.wrong is not None for fact in chosen)
        lines.append(f"{name}: {len(chosen) - wrong} hold, {wrong} differ")
    return lines


def left_behind(comparison: Comparison) -> list[str]:
    """Return a line for each thing that was made and could not be deleted."""
    return [f"Left behind, delete it yourself: {redact(place)}" for place in sorted(comparison.left)]


def main(arguments: list[str] | None = None) -> int:
    """Compare a service with the contract. Return 0 if all that was asked holds, 1 if something differs, 2 if nothing was asked."""
    parser = argparse.ArgumentParser(
        prog="python -m mock_server.compare",
        description="Compare a service with the contract of the mock server: what holds, and what differs.",
        epilog="The token comes from LINKED_IS_API_TOKEN, in the environment or in .env. No character of it is printed.",
    )
    parser.add_argument("base_url", metavar="BASE_URL", help="such as https://api.linked.is/v1")
    parser.add_argument("--write", action="store_true", help="also make, change and delete a link, a profile and a block")
    options = parser.parse_args(arguments)
    comparison = Comparison(options.base_url, "")
    try:
        check_base_url(options.base_url)
        load_dotenv(find_dotenv(usecwd=True))
        comparison.token = read_token()
        if is_real(options.base_url) and comparison.token.startswith(PREFIX):
            raise Unusable("The token is one of the mock server. Generate one at linked.is, and put it in its place.")
        comparison.read()
        if options.write:
            comparison.write()
    except (Explained, Unusable) as error:
        reason = str(error).replace(RERUN, "run this program again.")  # no notebook is near
        print("\n".join([reason, *left_behind(comparison)]), file=sys.stderr)
        return 2
    print("\n".join(report(comparison)))
    return 1 if comparison.left or any(fact.wrong for facts in comparison.found.values() for fact in facts) else 0


if __name__ == "__main__":
    sys.exit(main())
