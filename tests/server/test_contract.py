"""The facts of the API, each with its origin, held against the running server; and the contract held against itself.

A fact is a sentence, where it comes from, the operations that it is about, and a function that proves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.routing import Route

from mock_server.api import Resource
from mock_server.clock import iso
from mock_server.contract import openapi
from mock_server.envelope import ApiError
from mock_server.gate import Gate
from mock_server.model import Origin
from mock_server.rate_limit import PLANS
from publish import operations as described_operations
from tools.application import Application
from tools.hold_against_contract import operations, resolved, validate, validator

FREE = PLANS["Free"].per_minute

SEED, DOCS, ASSUMED = Origin.AUTHENTICATION_PAGE, Origin.OTHER_DOCS_PAGE, Origin.ASSUMED
ORIGINS = {"seed": SEED, "public-docs": DOCS, "assumed": ASSUMED}
LINK, PROFILE, BLOCK = "/v1/links/clx1234567890", "/v1/profiles/prof_123456", "/v1/profiles/prof_123456/blocks/blk_246813"
FACTS: dict[str, tuple[Origin, tuple[str, ...], Callable]] = {}


def fact(sentence: str, origin: Origin, *operation_ids: str) -> Callable:
    """Enter the function below in the table of facts."""

    def enter(prove: Callable) -> Callable:
        assert sentence not in FACTS, sentence
        FACTS[sentence] = origin, operation_ids, prove
        return prove

    return enter


class Api:
    """A new account, and a short way to call."""

    def __init__(self, application) -> None:
        self.application = application
        self.headers = application.account()
        self.client = application.client(follow_redirects=False)

    def __call__(self, method: str, path: str, body: object = None, **options: Any):
        options = {"headers": self.headers, **options}
        return self.client.request(method, path, **({} if body is None else {"json": body}), **options)

    def data(self, method: str, path: str, body: object = None) -> Any:
        """Call, expect success and return ``data``."""
        answer = self(method, path, body)
        assert answer.is_success, answer.text
        return answer.json()["data"]


# Transport and envelope


@fact("Success is {success: true, data}", DOCS, "listLinks")
def _(api):
    assert set(api("GET", "/v1/links").json()) == {"success", "data"}
    assert api("GET", "/v1/links").json()["success"] is True


@fact("Failure is {success: false, error: {code, message}}", SEED, "listLinks")
def _(api):
    body = api("GET", "/v1/links", headers={}).json()
    assert body == {"success": False, "error": {"code": "MISSING_TOKEN", "message": "Authorization header is required"}}


@fact("A bad request gets 400 INVALID_REQUEST", DOCS, "makeLink")
def _(api):
    answer = api("POST", "/v1/links", {"url": 5})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


@fact("A slug that is taken gets 400 SLUG_TAKEN", ASSUMED, "makeLink", "changeLink", "makeProfile", "changeProfile")
def _(api):
    taken = {"slug": "jobs"}
    answers = [api("POST", "/v1/links", taken | {"url": "https://example.com"}), api("PATCH", LINK, taken)]
    answers += [api("POST", "/v1/profiles", taken | {"displayName": "Jobs"}), api("PATCH", PROFILE, taken)]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "SLUG_TAKEN")


@fact("What is not there gets 404 NOT_FOUND", ASSUMED, "readLink", "readProfile", "readBlock", "openShortLink")
def _(api):
    for path in ("/v1/links/clx0", "/v1/profiles/prof_0", PROFILE + "/blocks/blk_0"):
        answer = api("GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert api("GET", "/s/nothing").status_code == 404


@fact("A failure of the server gets 500 INTERNAL_ERROR", ASSUMED, "setFault")
def _(api):
    api("POST", "/_mock/faults", {"fault": "500"})
    answer = api("GET", "/v1/links")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")


@fact("A 401 says WWW-Authenticate: Bearer, with an error code only if a token was sent", ASSUMED, "listLinks")
def _(api):
    assert api("GET", "/v1/links", headers={}).headers["WWW-Authenticate"] == 'Bearer realm="linked.is mock server"'
    wrong = api("GET", "/v1/links", headers={"Authorization": "Bearer wrong"})
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]


# Tokens and authentication errors


@fact("A token gives full access: links, profiles with their blocks, analytics", SEED, "listLinks", "makeLink", "readLink",
      "changeLink", "deleteLink", "listProfiles", "listBlocks", "readOverview", "readLinkStats")  # fmt: skip
def _(api):
    api.data("GET", "/v1/links")
    made = f"/v1/links/{api.data('POST', '/v1/links', {'url': 'https://example.com'})['id']}"
    for method, path in [("GET", made), ("GET", made + "/stats"), ("DELETE", made), ("GET", "/v1/profiles")]:
        api.data(method, path)
    api.data("PATCH", LINK, {"title": "New"})
    api.data("GET", PROFILE + "/blocks")
    api.data("GET", "/v1/analytics/overview")


@fact("Without an Authorization header: 401 MISSING_TOKEN, Authorization header is required", SEED, "listLinks")
def _(api):
    assert_refused(api("GET", "/v1/links", headers={}), "MISSING_TOKEN", "Authorization header is required")


@fact("A malformed or unknown token: 401 INVALID_TOKEN, The provided API token is invalid", SEED, "listLinks")
def _(api):
    answer = api("GET", "/v1/links", headers={"Authorization": "Bearer wrong"})
    assert_refused(answer, "INVALID_TOKEN", "The provided API token is invalid")


@fact("A revoked token stops working at once, for every request", DOCS, "listLinks")
def _(api):
    api.data("GET", "/v1/links")
    api.application.store.revoke_token(api.application.store.tokens(api.application.store.accounts[1])[0])
    for method, path in operations():
        if path.startswith("/v1"):
            assert api(method, path).status_code == 401


@fact("A revoked token gets INVALID_TOKEN", ASSUMED, "listLinks")
def _(api):
    api.application.store.revoke_token(api.application.store.tokens(api.application.store.accounts[1])[0])
    assert_refused(api("GET", "/v1/links"), "INVALID_TOKEN", "The provided API token is invalid")


@fact("A token past its expiry: 401 TOKEN_EXPIRED, The API token has expired", SEED, "listLinks")
def _(api):
    api.headers = api.application.account("other@example.com", lifetime=60)
    api.application.clock.time += 59
    api.data("GET", "/v1/links")
    api.application.clock.time += 1
    assert_refused(api("GET", "/v1/links"), "TOKEN_EXPIRED", "The API token has expired")


@fact("A token is lis_mock_ and 36 letters and digits", ASSUMED)
def _(api):
    assert re.fullmatch("lis_mock_[0-9A-Za-z]{36}", api.headers["Authorization"].removeprefix("Bearer "))


@fact("An account may have several live tokens, each with a name and a lifetime", ASSUMED)
def _(api):
    store = api.application.store
    second = store.generate_token(store.accounts[1], "second", 3600)
    api.data("GET", "/v1/links")
    api.headers = {"Authorization": f"Bearer {second}"}
    api.data("GET", "/v1/links")
    listed = [(token.name, token.expires_at is None) for token in store.tokens(store.accounts[1])]
    assert listed == [("second", False), ("test", True)]


@fact("No operation makes, lists or revokes tokens", SEED)
def _(api):
    assert not [path for path in openapi()["paths"] if "token" in path]
    assert api("GET", "/v1/tokens").status_code == 404


def assert_refused(answer, code: str, message: str) -> None:
    assert answer.status_code == 401
    assert answer.json()["error"] == {"code": code, "message": message}


# Rate limits


@fact("Free: 60 calls a minute, 1,000 a day; Pro: 300 and 10,000; Business: 1,000 and 100,000", DOCS, "setPlan")
def _(api):
    figures = {"Free": (60, 1_000), "Pro": (300, 10_000), "Business": (1_000, 100_000)}
    for plan, (per_minute, per_day) in figures.items():
        data = api.data("POST", "/_mock/plan", {"plan": plan})
        assert (data["perMinute"], data["perDay"]) == (per_minute, per_day)
        assert api("GET", "/v1/links").headers["X-RateLimit-Limit"] == str(per_minute)


@fact("Every answer carries X-RateLimit-Limit, -Remaining and -Reset (Unix seconds)", DOCS, "listLinks", "makeLink", "readLink")
def _(api):
    answers = [api("GET", path) for path in ("/v1/links", "/v1/nothing", "/v1", "/v1/", "/v1/links/")]
    answers += [api("GET", "/v1", headers={}), api("POST", "/v1/links", {}), api("PUT", "/v1/links")]
    answers += [api("GET", "/v1/links", headers={}), api("GET", "/v1/links", headers={"Authorization": "Bearer x"})]
    for answer in answers:
        limits = [int(answer.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]
        assert limits[0] == FREE and 0 <= limits[1] <= FREE and 0 < limits[2] - api.application.clock.now() <= 60


@fact("Over the limit: 429 RATE_LIMIT_EXCEEDED with error.retryAfter in seconds", DOCS, "listLinks")
def _(api):
    for _ in range(FREE):
        answer = over = api("GET", "/v1/links")
        assert answer.status_code == 200
    over = api("GET", "/v1/links")
    error = over.json()["error"]
    assert (over.status_code, error["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert error["message"] == "Too many requests. Please try again later."
    assert error["retryAfter"] == int(over.headers["X-RateLimit-Reset"]) - api.application.clock.now()
    assert over.headers["X-RateLimit-Remaining"] == "0"


@fact("All tokens of an account share its limits", ASSUMED, "listLinks")
def _(api):
    second = api.application.store.generate_token(next(iter(api.application.store.accounts.values())), "second", None)
    another_account = api.application.account("other@example.com")
    answers = [
        api("GET", "/v1/links", headers=one) for one in (api.headers, {"Authorization": f"Bearer {second}"}, another_account)
    ]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == [str(FREE - 1), str(FREE - 2), str(FREE - 1)]


@fact("A 429 says Retry-After beside it", ASSUMED, "listLinks")
def _(api):
    api("POST", "/_mock/faults", {"fault": "429", "seconds": 7})
    over = api("GET", "/v1/links")
    assert over.headers["Retry-After"] == "7" == str(over.json()["error"]["retryAfter"])


# Links

LINK_VALUES = {
    "url": "https://example.com/b", "slug": "my-slug", "title": "Title", "startsAt": "2027-02-01T00:00:00Z",
    "expiresAt": "2027-03-01T00:00:00Z", "clickLimit": 10, "expirationUrl": "https://example.com/over",
    "utmSource": "s", "utmMedium": "m", "utmCampaign": "c", "appLinkingEnabled": True, "iosEnabled": True,
    "androidEnabled": True, "redirectDelayEnabled": True,
}  # fmt: skip


@fact("GET /v1/links lists the account's links", SEED, "listLinks")
def _(api):
    assert len(api.data("GET", "/v1/links")) == 5


@fact("POST /v1/links makes one and answers 201", DOCS, "makeLink")
def _(api):
    before, made = api.data("GET", "/v1/links"), api("POST", "/v1/links", {"url": "https://example.com"})
    assert made.status_code == 201
    assert api.data("GET", "/v1/links") == [made.json()["data"], *before]
    assert made.json()["data"]["createdAt"] == iso(api.application.clock.now())


@fact("A link takes url, slug, title, startsAt, expiresAt, clickLimit, expirationUrl, UTM values and switches", DOCS, "makeLink")
def _(api):
    link = api.data("POST", "/v1/links", LINK_VALUES)
    assert {name: link[name] for name in LINK_VALUES} == LINK_VALUES
    assert set(link) == {*LINK_VALUES, "id", "shortUrl", "clicks", "createdAt"}


@fact("url is required", DOCS, "makeLink")
def _(api):
    assert "url: is required" in api("POST", "/v1/links", {"title": "x"}).json()["error"]["message"]


@fact("Unset optional values of a link are null, switches false", DOCS, "makeLink")
def _(api):
    link = api.data("POST", "/v1/links", {"url": "https://example.com"})
    unset = {name: link[name] for name in LINK_VALUES if name not in ("url", "slug")}
    assert unset == {name: False if LINK_VALUES[name] is True else None for name in unset}


@fact("An id looks like clx1234567890, a short URL is https://linked.is/<slug>", DOCS, "listLinks", "readLink")
def _(api):
    link = api.data("GET", LINK)
    assert (link["id"], link["shortUrl"]) == ("clx1234567890", f"https://linked.is/{link['slug']}")


@fact("GET, PATCH and DELETE /v1/links/{id} read, change and delete one", ASSUMED, "readLink", "changeLink", "deleteLink")
def _(api):
    before = api.data("GET", LINK)
    assert api.data("PATCH", LINK, {"clickLimit": 3}) == {**before, "clickLimit": 3}
    assert_read_changed_deleted(api, LINK, {"title": "Changed", "clickLimit": None})


@fact("Lists are paged by limit and cursor, and Link: rel=next leads on", ASSUMED, "listLinks", "listProfiles", "listBlocks")
def _(api):
    api.data("POST", "/v1/profiles", {"displayName": "Second", "slug": "second"})
    for path in ("/v1/links", "/v1/profiles", PROFILE + "/blocks"):
        everything = [one["id"] for one in api.data("GET", path)]
        answer, walked = api("GET", f"{path}?limit=1"), []
        while True:
            walked += [one["id"] for one in answer.json()["data"]]
            if "next" not in answer.links:
                break
            answer = api("GET", answer.links["next"]["url"])
        assert walked == everything and len(walked) > 1


# Profiles and blocks


@fact("POST /v1/profiles takes displayName and slug, and bio and avatar if wanted", DOCS, "makeProfile")
def _(api):
    values = {"displayName": "Me", "slug": "me", "bio": "Hello", "avatar": "https://example.com/me.png"}
    profile = api("POST", "/v1/profiles", values)
    assert profile.status_code == 201
    assert {name: profile.json()["data"][name] for name in values} == values
    assert api("POST", "/v1/profiles", {"slug": "x"}).json()["error"]["message"] == "displayName: is required."
    assert api("POST", "/v1/profiles", {"displayName": "x"}).json()["error"]["message"] == "slug: is required."


@fact("A profile has id, displayName, slug, bio, avatar, profileUrl, views and createdAt", DOCS, "makeProfile", "readProfile")
def _(api):
    profile = api.data("GET", PROFILE)
    assert list(profile) == ["id", "displayName", "slug", "bio", "avatar", "profileUrl", "views", "createdAt"]
    assert profile["profileUrl"] == f"https://linked.is/{profile['slug']}"


@fact("GET /v1/profiles/{id} reads one", DOCS, "readProfile")
def _(api):
    assert api.data("GET", PROFILE)["id"] == "prof_123456"


@fact("Profiles are listed, changed and deleted under the same paths", ASSUMED, "listProfiles", "changeProfile", "deleteProfile")
def _(api):
    assert [profile["id"] for profile in api.data("GET", "/v1/profiles")] == ["prof_123456"]
    assert_read_changed_deleted(api, PROFILE, {"bio": None, "displayName": "Changed"})


@fact("Blocks live under /v1/profiles/{id}/blocks, with title and url", ASSUMED, "listBlocks", "makeBlock", "readBlock",
      "changeBlock", "deleteBlock")  # fmt: skip
def _(api):
    block = api.data("POST", PROFILE + "/blocks", {"title": "New", "url": "https://example.com"})
    assert set(block) == {"id", "title", "url", "createdAt"}
    assert api.data("GET", PROFILE + "/blocks")[-1] == block
    assert_read_changed_deleted(api, BLOCK, {"url": "https://example.com/changed"})


def assert_read_changed_deleted(api: Api, path: str, values: dict[str, object]) -> None:
    before = api.data("GET", path)
    changed = api.data("PATCH", path, values)
    assert changed == {**before, **values} == api.data("GET", path)
    assert api.data("DELETE", path) is None
    assert [api(method, path, {}).status_code for method in ("GET", "PATCH", "DELETE")] == [404] * 3


# Analytics


@fact("Statistics take start, end and interval: hour, day, week or month", DOCS, "readLinkStats")
def _(api):
    for interval in ("hour", "day", "week", "month"):
        answer = api("GET", f"{LINK}/stats?start=2027-01-01&end=2027-01-14T23:59:59Z&interval={interval}")
        assert answer.status_code == 200 and answer.json()["data"]["totalClicks"] > 0
    assert api("GET", f"{LINK}/stats?interval=year").status_code == 400


@fact("Statistics cover the last 30 days, day by day, unless told otherwise", DOCS, "readLinkStats")
def _(api):
    days = [entry["date"] for entry in api.data("GET", LINK + "/stats")["clicksOverTime"]]
    assert (days[0], days[-1], len(days)) == ("2026-12-16", "2027-01-15", 31)


@fact("Statistics count in total, unique visitors, over time, by country, city, device, browser, system and referrer", DOCS,
      "readLinkStats")  # fmt: skip
def _(api):
    stats = api.data("GET", LINK + "/stats?start=2026-01-01")
    assert stats["totalClicks"] == 1284 == sum(entry["clicks"] for entry in stats["clicksOverTime"])
    assert 0 < stats["uniqueVisitors"] < 1284
    for name in ("countries", "cities", "devices", "browsers", "operatingSystems", "referrers"):
        assert sum(entry["clicks"] for entry in stats[name]) == 1284


@fact("The overview has totalClicks, totalLinks and topLinks", DOCS, "readOverview")
def _(api):
    overview = api.data("GET", "/v1/analytics/overview")
    clicks = [link["clicks"] for link in api.data("GET", "/v1/links")]
    assert (overview["totalClicks"], overview["totalLinks"]) == (sum(clicks), len(clicks))
    assert [link["clicks"] for link in overview["topLinks"]] == sorted(clicks, reverse=True)


# What only the mock server has


@fact("A short link opens at /s/<slug> and counts a click", ASSUMED, "openShortLink")
def _(api):
    answer = api("GET", "/s/spring-menu")
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://example.com/menu/spring")
    assert api.data("GET", LINK)["clicks"] == 1285


@fact("The controls set clock, plan and faults, list requests and put all back", ASSUMED, "reset", "setClock", "setFault", "setPlan",
      "playScenario", "listRequests", "clearRequests", "setLimiter", "makeAccount", "readHealth", "showClass", "readContract")  # fmt: skip
def _(api):
    assert api.data("GET", "/_mock/health") == {"service": "linked.is mock server"}
    assert api.data("POST", "/_mock/clock", {"set": "2030-01-01"})["now"] == "2030-01-01T00:00:00Z"
    assert api.data("POST", "/_mock/plan", {"plan": "Pro"})["perMinute"] == 300
    assert api.data("POST", "/_mock/faults", {"fault": "503"})["calls"] == 1
    assert api("GET", "/v1/links").status_code == 503
    assert api.data("POST", "/_mock/scenario", {"scenario": "token-expires"})["seconds"] == 60
    (call,) = api.data("GET", "/_mock/requests")["requests"]
    assert (call["path"], call["status"]) == ("/v1/links", 503)
    api.data("DELETE", "/_mock/requests")
    assert api.data("GET", "/_mock/requests")["requests"] == []
    assert api.data("POST", "/_mock/limiter", {"enabled": False})["enabled"] is False
    made = api("POST", "/_mock/accounts")
    assert made.status_code == 201
    assert api("GET", "/v1/links", headers={"Authorization": f"Bearer {made.json()['data']['token']}"}).status_code == 200
    api.data("POST", "/_mock/reset")
    assert api("GET", "/v1/links").headers["X-RateLimit-Limit"] == str(FREE)
    assert api("GET", "/_mock/class").status_code == 200
    assert api("GET", "/openapi.json").json() | {"servers": openapi()["servers"]} == openapi()


@pytest.mark.parametrize("sentence", FACTS)
def test_fact(application, sentence):
    _, _, prove = FACTS[sentence]
    prove(Api(application))


# The contract


def test_every_operation_has_a_row_in_the_table_of_facts():
    named = {operation_id for _, operation_ids, _ in FACTS.values() for operation_id in operation_ids}
    ids = {openapi()["paths"][path][method.lower()]["operationId"] for method, path in operations()}
    assert ids - named == set(), "Write a fact of each of these operations into this file, with the call that shows it."
    assert named - ids == set(), "The contract has no such operation: correct the names behind @fact."


def test_an_operation_is_as_well_known_as_its_best_fact():
    best = {}
    for origin, operation_ids, _ in FACTS.values():
        for operation_id in operation_ids:
            best.setdefault(operation_id, set()).add(origin)
    for method, path in operations():
        operation = openapi()["paths"][path][method.lower()]
        assert ORIGINS[operation["x-origin"]] in best.get(operation["operationId"], ()), (
            f"{operation['operationId']}: its x-origin must be that of one of its facts, and no fact may be better known."
        )


def test_every_operation_is_served_and_nothing_that_the_contract_lacks(application):
    served = {
        (method, route.path)
        for route in application.app.routes
        if route.include_in_schema and route.path != "/v1{rest:path}"  # a page for people; where nothing is
        for method in methods(route)
    }
    assert set(operations()) - served == set(), "Nobody answers there: add a Resource to mock_server/api/, and to create_app()."
    assert served - set(operations()) == set(), "Describe these in mock_server/openapi.yaml, with their origin."


def methods(route: Route) -> set[str]:
    """Return the methods that a program may use. HEAD goes with GET (RFC 9110), and the contract does not repeat it."""
    endpoint = route.endpoint.handler if isinstance(route.endpoint, Gate) else route.endpoint
    resource = getattr(endpoint, "__self__", None)
    return set(resource.handlers) if isinstance(resource, Resource) else route.methods - {"HEAD"}


def test_every_operation_field_parameter_and_answer_tells_its_origin():
    lacking = [place for place, node in described(openapi()) if node.get("x-origin") not in ORIGINS]
    assert lacking == []


def described(contract: dict) -> Iterator[tuple[str, dict]]:
    """Yield all that must tell an origin, with its place."""
    for method, path in operations():
        item = contract["paths"][path]
        operation = item[method.lower()]
        yield f"{method} {path}", operation
        for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
            yield f"{method} {path} {resolved(parameter)['name']}", resolved(parameter)
        for status, response in operation["responses"].items():
            yield f"{method} {path} {status}", resolved(response)
    for name, header in contract["components"]["headers"].items():
        yield f"header {name}", header
    for name, schema in fields([contract["paths"], contract["components"]]):
        yield f"field {name}", {**resolved(schema), **schema}


def fields(node: object) -> Iterator[tuple[str, dict]]:
    """Yield every field that a schema gives a type; one that only narrows a field elsewhere has none."""
    if isinstance(node, list):
        for one in node:
            yield from fields(one)
    elif isinstance(node, dict):
        if node.get("type") == "object":
            yield from node.get("properties", {}).items()
        for one in node.values():
            yield from fields(one)


def test_every_error_of_the_code_is_in_the_contract():
    errors = {error.code: error for error in ApiError.__subclasses__()}
    assert set(openapi()["components"]["schemas"]["ErrorCode"]["enum"]) == set(errors)
    shown = set()
    for method, path in operations():
        for status, response in openapi()["paths"][path][method.lower()]["responses"].items():
            content = resolved(response).get("content", {}).get("application/json", {})
            for code, example in content.get("examples", {}).items():
                validate(content["schema"], example["value"], f"{method} {path} {status} {code}")
                told = example["value"]["error"]
                assert (told["code"], str(errors[code].status)) == (code, status)
                assert told["message"] == errors[code].message or errors[code].status not in (401, 429)
                shown.add(code)
    assert shown == set(errors) - {"METHOD_NOT_ALLOWED"}  # it has no operation


# Each value that a caller may send: the operation, its place, its name, what the contract says of it. Which number a scenario
# takes depends on the scenario: test_scenarios.py has that.
SENT = [
    (operation, place, name, resolved(schema))
    for operation in described_operations.operations()
    if operation.anchor != "play-scenario"
    for place, schemas in (
        ("query", {one["name"]: one["schema"] for one in operation.parameters if one["in"] == "query"}),
        ("body", resolved(operation.body.get("schema", {})).get("properties", {})),
    )
    for name, schema in schemas.items()
]


def tried(place: str, schema: dict) -> list[object]:
    """Return values of every type, and those at each limit of a schema and a step away from it. A query has texts only."""
    numbers = [schema[name] for name in ("minimum", "maximum") if name in schema]
    lengths = [schema[name] for name in ("minLength", "maxLength") if name in schema]
    if counted := re.fullmatch(r"\^\[[^]]+\]\{(\d+),(\d+)\}\$", schema.get("pattern", "")):
        lengths += map(int, counted.groups())
    begin = "https://example.com/" if "://" in schema.get("pattern", "") else ""
    texts = [begin + "x" * (length + step - len(begin)) for length in lengths for step in (-1, 0, 1)]
    of_every_type = [None, True, 0, 1.5, "", "text", [], {}] if place == "body" else []
    return [*(number + step for number in numbers for step in (-1, 0, 1)), *texts, *schema.get("enum", []), *of_every_type]


@pytest.mark.parametrize(
    ("operation", "place", "name", "schema"), [pytest.param(*one, id=f"{one[0].anchor} {one[2]}") for one in SENT]
)
def test_the_server_takes_what_the_contract_allows_and_nothing_else(operation, place, name, schema):
    for value in tried(place, schema):
        api, body = Api(Application()), operation.example_body
        body, query = (body | {name: value}, {}) if place == "body" else (body or None, {name: value})
        answer = api(operation.method, operation.example_path, body, params=query)
        allowed = validator(json.dumps(schema, sort_keys=True)).is_valid(value)
        assert answer.is_success == allowed, (
            f"{name}: the contract {'allows' if allowed else 'refuses'} {value!r:.30} ({len(str(value))} characters), and the "
            f"server answers {answer.status_code}. Change mock_server/openapi.yaml or mock_server/api/."
        )


def test_every_tag_and_every_operation_is_described():
    assert [tag["name"] for tag in openapi()["tags"] if not tag.get("description")] == []
    nodes = [openapi()["paths"][path][method.lower()] for method, path in operations()]
    assert [node["operationId"] for node in nodes if not node.get("description")] == []


def test_the_contract_is_valid_openapi():
    from openapi_spec_validator import validate

    validate(openapi())
