"""``/_mock/…``: what a lesson does to an account touches nobody else."""

import time
from email.utils import parsedate_to_datetime

import pytest
import requests

from mock_server.app import Settings, create_app
from mock_server.rate_limit import PLANS
from tools.leaks import assert_without
from tools.running import PATIENCE

FREE = PLANS["Free"].per_minute


def test_a_token_moves_the_clock_of_its_own_account(application):
    mine, other, client = (
        application.account(lifetime=3600),
        application.account("other@example.com", lifetime=3600),
        application.client(),
    )
    answer = client.post("/_mock/clock", headers=mine, json={"advance": 3600}).json()
    assert answer["data"] == {"account": "learner@example.com", "now": "2027-01-15T09:00:00Z"}
    assert client.get("/v1/links", headers=mine).json()["error"]["code"] == "TOKEN_EXPIRED"
    assert client.get("/v1/links", headers=other).status_code == 200
    # An expired token still says whose clock it is.
    assert client.post("/_mock/clock", headers=mine, json={"advance": -3600}).status_code == 200
    assert client.get("/v1/links", headers=mine).status_code == 200


def test_what_is_made_carries_the_time_of_the_account(application):
    headers, client = application.account(), application.client()
    client.post("/_mock/clock", headers=headers, json={"set": "2030-05-01T12:00:00Z"})
    link = client.post("/v1/links", headers=headers, json={"url": "https://example.com"}).json()["data"]
    assert link["createdAt"] == "2030-05-01T12:00:00Z"


@pytest.mark.parametrize("own", [True, False])
def test_nothing_of_the_demo_data_is_younger_than_its_clicks(application, own):
    headers, client = application.account(), application.client()
    client.patch("/v1/links/clx1234567890", headers=headers, json={"title": "Mine"})
    made = client.post("/v1/links", headers=headers, json={"url": "https://example.com"}).json()["data"]
    client.post("/_mock/clock", headers=headers if own else {}, json={"set": "2026-01-01T12:00:00Z"})
    later = application.account("later@example.com")  # it opens while the clock of all is there, or is not
    for one in (headers, *([] if own else [later])):
        links = client.get("/v1/links", headers=one).json()["data"]
        begin = {link["createdAt"] for link in links if link["id"] != made["id"]}
        assert begin == {"2025-10-03T00:00:00Z"}
        assert client.get("/v1/profiles/prof_123456/blocks", headers=one).json()["data"][0]["createdAt"] in begin
        everything = client.get("/v1/links/clx1234567890/stats?start=2025-10-03", headers=one).json()["data"]
        assert everything["totalClicks"] == 1284
    assert client.get("/v1/links/clx1234567890", headers=headers).json()["data"]["title"] == "Mine"
    assert client.get(f"/v1/links/{made['id']}", headers=headers).json()["data"] == made


def test_without_an_account_the_clock_moves_for_all(application):
    one, two, client = (
        application.account(lifetime=3600),
        application.account("two@example.com", lifetime=3600),
        application.client(),
    )
    client.post("/_mock/clock", headers=one, json={"advance": -1800})
    assert client.post("/_mock/clock", json={"set": "2027-01-15T09:00:00Z"}).json()["data"]["account"] == "all"
    for headers in (one, two):
        assert client.get("/v1/links", headers=headers).json()["error"]["code"] == "TOKEN_EXPIRED"


def test_reset_puts_links_and_clock_back_and_keeps_the_token(application):
    mine, other, client = application.account(), application.account("other@example.com"), application.client()
    before = client.get("/v1/links", headers=mine).json()
    for headers in (mine, other):
        client.post("/v1/links", headers=headers, json={"url": "https://example.com"})
    client.post("/_mock/clock", headers=mine, json={"advance": 99})
    assert client.post("/_mock/reset", headers=mine).json()["data"] == {"account": "learner@example.com"}
    assert client.get("/v1/links", headers=mine).json() == before
    assert application.store.now(application.store.accounts[1]) == application.clock.time
    assert len(client.get("/v1/links", headers=other).json()["data"]) == 6
    assert client.post("/_mock/reset").json()["data"] == {"account": "all"}
    assert client.get("/v1/links", headers=other).json() == before


def test_the_controls_refuse_what_another_site_sends(application):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://example.com"}):
        assert application.client().post("/_mock/reset", headers=headers).status_code == 403


def test_an_unknown_token_or_session_is_not_taken_for_everybody(application):
    client = application.client()
    assert client.post("/_mock/reset", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert client.post("/_mock/reset", headers={"Cookie": "mock_session_8787=ended"}).status_code == 403


# Each control that acts on an account.
ON_AN_ACCOUNT = [
    ("POST", "/_mock/reset", None),
    ("POST", "/_mock/clock", {"advance": 1}),
    ("POST", "/_mock/faults", {"fault": "500"}),
    ("POST", "/_mock/plan", {"plan": "Pro"}),
    ("POST", "/_mock/limiter", {"enabled": False}),
    ("DELETE", "/_mock/requests", None),
    ("POST", "/_mock/scenario", {"scenario": "token-expires"}),
    ("GET", "/_mock/requests", None),
]


@pytest.mark.parametrize(("method", "path", "body"), [*ON_AN_ACCOUNT, ("GET", "/s/spring-menu", None)])
def test_a_revoked_token_changes_nothing(application, method, path, body):
    headers, client = application.account(), application.client(follow_redirects=False)
    store = application.store
    store.content(store.accounts[1]).add_link({"url": "https://example.com"})
    store.revoke_token(store.token(store.accounts[1], 1))
    before = list(store.database.connection.iterdump())
    answer = client.request(method, path, headers=headers, json=body)
    assert (answer.status_code, list(store.database.connection.iterdump())) == (401, before)
    assert application.client().get("/_mock/requests").json()["data"]["requests"] == []


def test_a_name_that_is_not_ours_is_refused(application):
    for host, status in {
        "evil.example": 403,
        "localhost:1": 200,
        "127.0.0.1": 200,
        "[::1]:8787": 200,
        "": 403,
        "[localhost]evil.example": 403,
        "[localhost]": 403,
        "127.0.0.1]": 403,
        "localhost:x": 403,
    }.items():
        assert application.client().get("/_mock/health", headers={"Host": host}).status_code == status


# Clocks that stand still


def test_a_frozen_clock_stands_until_it_is_moved_or_let_go(application):
    headers, client = application.account(), application.client(headers=application.account("other@example.com"))

    def clock(body):
        return client.post("/_mock/clock", json=body).json()["data"]["now"]

    assert clock({"freeze": True}) == "2027-01-15T08:00:00Z"
    application.clock.time += 500
    assert clock({"advance": 60}) == "2027-01-15T08:01:00Z"
    assert clock({"set": "2027-06-01"}) == "2027-06-01T00:00:00Z"
    application.clock.time += 500
    assert clock({"freeze": False}) == "2027-06-01T00:00:00Z"
    application.clock.time += 5
    assert clock({"advance": 0}) == "2027-06-01T00:00:05Z"
    assert client.post("/_mock/clock", headers=headers, json={"advance": 0}).json()["data"]["now"] == "2027-01-15T08:16:45Z"


def test_the_clock_of_all_stands_still_too_and_is_kept(application):
    application.account()
    client = application.client()
    client.post("/_mock/clock", json={"freeze": True})
    application.clock.time += 500
    assert client.post("/_mock/clock", json={"advance": 10}).json()["data"]["now"] == "2027-01-15T08:00:10Z"
    assert application.restarted().store.clock.now() == 1_800_000_010
    assert client.post("/_mock/clock", json={"freeze": False}).json()["data"]["now"] == "2027-01-15T08:00:10Z"
    application.clock.time += 1
    assert application.store.now(application.store.accounts[1]) == 1_800_000_011


# Faults


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("500", 500, "INTERNAL_ERROR"), ("503", 503, "SERVICE_UNAVAILABLE"), ("429", 429, "RATE_LIMIT_EXCEEDED")],
)
def test_the_next_calls_fail_as_wanted_and_then_no_more(application, fault, status, code):
    mine, other, client = application.account(), application.account("other@example.com"), application.client()
    client.post("/_mock/faults", headers=mine, json={"fault": fault, "calls": 2, "seconds": 3})
    assert client.get("/v1/links", headers=other).status_code == 200
    for _ in range(2):
        answer = client.get("/v1/links", headers=mine)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert answer.headers.get("Retry-After") == (None if fault == "500" else "3")
    assert client.get("/v1/links", headers=mine).status_code == 200


@pytest.mark.parametrize("fault", ["429", "503"])
def test_the_header_says_how_long_to_wait_as_a_date_or_not_at_all(application, fault, monkeypatch):
    headers, client = application.account(), application.client()
    answers = {}
    monkeypatch.setattr("mock_server.gate.time.time", lambda: 1_800_000_000.4)
    for form in ("date", "none"):
        client.post("/_mock/faults", headers=headers, json={"fault": fault, "seconds": 43_120, "header": form})
        answers[form] = client.get("/v1/links", headers=headers)
        assert answers[form].json()["error"].get("retryAfter") == (43_120 if fault == "429" else None)
    assert "Retry-After" not in answers["none"].headers
    date = parsedate_to_datetime(answers["date"].headers["Retry-After"]).timestamp()
    assert date == 1_800_000_001 + 43_120  # A header has no part of a second, and nobody may come too early.


def test_a_429_never_asks_to_come_at_once(application):
    headers, client = application.account(), application.client()
    for seconds in (0, 0.2):
        client.post("/_mock/faults", headers=headers, json={"fault": "429", "seconds": seconds})
        answer = client.get("/v1/links", headers=headers)
        assert (answer.json()["error"]["retryAfter"], answer.headers["Retry-After"]) == (1, "1")


def test_a_fault_is_taken_back(application):
    headers, client = application.account(), application.client()
    client.post("/_mock/faults", headers=headers, json={"fault": "500", "calls": 1000})
    client.post("/_mock/faults", headers=headers, json={"fault": "none"})
    assert client.get("/v1/links", headers=headers).status_code == 200


def statuses_of(client, headers, *calls):
    """Return the status of each call, a method and a path below the base URL."""
    return [client.request(method, f"/v1{path}", headers=headers).status_code for method, path in calls]


def test_a_fault_waits_for_the_calls_of_its_method_and_path(application):
    headers, client = application.account(), application.client()
    client.post("/_mock/faults", headers=headers, json={"fault": "503", "method": "GET", "path": "/v1/links/*"})
    calls = [("GET", "/links"), ("GET", "/links/clx1234567890/stats"), ("DELETE", "/links/clx0"), ("GET", "/links/clx1234567890")]
    assert statuses_of(client, headers, *calls, calls[-1]) == [200, 200, 404, 503, 200]


def test_faults_come_one_after_the_other_and_each_where_it_is_meant(application):
    headers, client = application.account(), application.client()
    client.post("/_mock/faults", headers=headers, json={"fault": "500", "calls": 9})
    for number, order in enumerate(({"fault": "503"}, {"fault": "429", "path": "/v1/profiles"}, {"fault": "500"})):
        client.post("/_mock/faults", headers=headers, json={**order, "add": number > 0})
    calls = [("GET", "/links"), ("GET", "/links"), ("GET", "/links"), ("GET", "/profiles"), ("GET", "/profiles")]
    assert statuses_of(client, headers, *calls) == [503, 500, 200, 429, 200]


def test_no_more_faults_wait_than_somebody_needs(application):
    headers, client = application.account(), application.client()
    for _ in range(100):
        client.post("/_mock/faults", headers=headers, json={"fault": "500", "add": True})
    answer = client.post("/_mock/faults", headers=headers, json={"fault": "500", "add": True})
    assert (answer.status_code, "100 faults wait" in answer.json()["error"]["message"]) == (400, True)
    client.post("/_mock/faults", headers=headers, json={"fault": "none"})
    assert client.get("/v1/links", headers=headers).status_code == 200


def test_a_failed_call_has_done_nothing(application):
    headers, client = application.account(), application.client()
    client.post("/_mock/faults", headers=headers, json={"fault": "503"})
    client.post("/v1/links", headers=headers, json={"url": "https://example.com"})
    assert len(client.get("/v1/links", headers=headers).json()["data"]) == 5


def test_a_slow_call_is_slow_and_answers(server, page, call):
    token = page.generate_token()
    set_fault(server, token, fault="slow", seconds=0.4)
    started = time.monotonic()
    assert call(token).status_code == 200
    assert time.monotonic() - started >= 0.4


def test_a_call_that_times_out_gets_no_answer_in_time(server, page, call):
    token = page.generate_token()
    set_fault(server, token, fault="timeout", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{server.base_url}/links", headers={"Authorization": f"Bearer {token}"}, timeout=0.3)
    assert call(token).status_code == 200


def test_a_dropped_connection_is_no_answer(server, page, call):
    token = page.generate_token()
    set_fault(server, token, fault="drop")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        call(token)
    assert call(token).status_code == 200
    assert "Traceback" not in server.log()


@pytest.mark.parametrize(("fault", "links"), [("no-answer", 5), ("lost-answer", 6)])
def test_a_line_drops_before_the_status_and_the_call_is_carried_out_or_not(server, page, call, fault, links):
    token = page.generate_token()
    set_fault(server, token, fault=fault, method="POST")
    with pytest.raises(requests.ConnectionError):
        call(token, "POST", json={"url": "https://example.com/once"})
    assert len(call(token).json()["data"]) == links
    noted = page.session.get(f"{server.origin}/_mock/requests?method=POST", timeout=PATIENCE).json()["data"]["requests"]
    assert [(one["status"], one["body"]) for one in noted] == [
        (201 if links == 6 else None, '{"url": "https://example.com/once"}')
    ]
    assert "ASGI" not in server.log()


def set_fault(server, token, **fault):
    requests.post(
        f"{server.origin}/_mock/faults", headers={"Authorization": f"Bearer {token}"}, json=fault, timeout=PATIENCE
    ).raise_for_status()


# The account's own calls


def test_an_account_sees_its_own_calls_without_its_token(application):
    mine, other, client = application.account(), application.account("other@example.com"), application.client()
    token = mine["Authorization"].split()[1]
    client.post(
        f"/v1/links?key={token}", headers={**mine, "X-Key": token, "Cookie": "mock_session_8787=of-the-page"}, json={"url": 1}
    )
    client.get("/v1/links", headers=other)
    calls = client.get("/_mock/requests", headers=mine).json()["data"]["requests"]
    (call,) = calls
    assert (call["method"], call["status"], call["error"]) == ("POST", 400, "INVALID_REQUEST")
    assert call["path"] == "/v1/links?key=lis_mock_[hidden]"
    assert call["headers"]["authorization"] == "Bearer [test]"
    assert "of-the-page" not in str(calls)
    assert_without(token, str(calls))


def test_a_call_with_a_dead_token_is_in_its_accounts_list_and_one_without_in_nobodys(application):
    headers, client = application.account(lifetime=60), application.client()
    application.clock.time += 60
    client.get("/v1/links", headers=headers)
    client.get("/v1/links", headers={"Authorization": "Bearer my password"})
    client.get("/v1/links")
    mine = client.get("/_mock/requests", headers=headers).json()["data"]["requests"]
    assert [call["error"] for call in mine] == ["TOKEN_EXPIRED"]
    everybodys = client.get("/_mock/requests").json()["data"]["requests"]
    assert [call["error"] for call in everybodys] == ["MISSING_TOKEN", "INVALID_TOKEN", "TOKEN_EXPIRED"]
    assert "my password" not in str(everybodys)


def test_only_the_last_fifty_calls_are_kept(application):
    headers, client = application.account(), application.client()
    client.post("/_mock/plan", headers=headers, json={"plan": "Pro"})
    for number in range(60):
        client.get(f"/v1/links/clx{number}", headers=headers)
    calls = client.get("/_mock/requests", headers=headers).json()["data"]["requests"]
    assert [call["path"] for call in calls] == [f"/v1/links/clx{number}" for number in range(59, 9, -1)]


def noted(client, headers, query=""):
    return client.get(f"/_mock/requests{query}", headers=headers).json()["data"]["requests"]


def test_the_body_is_kept_even_of_a_call_that_failed_and_no_token_is_in_it(application):
    headers, client = application.account(), application.client()
    token = headers["Authorization"].split()[1]
    client.post("/_mock/faults", headers=headers, json={"fault": "503"})
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in token)
    sent = f'{{"url": "https://example.com/{token}", "title": "{escaped}", "bio": "\\u0022"}}'
    client.post("/v1/links", headers={**headers, "Content-Type": "application/json"}, content=sent)
    (call,) = noted(client, headers)
    hidden = "lis_mock_[hidden]"
    shown = f'{{"url": "https://example.com/{hidden}", "title": "{hidden}", "bio": "\\u0022"}}'
    assert (call["status"], call["body"]) == (503, shown)
    client.post("/v1/links", headers=headers, json={"title": "x" * 100_000})
    assert len(noted(client, headers)[0]["body"]) == 4_000
    client.post("/v1/links", json={"title": "a stranger's"})
    assert "a stranger's" not in str(noted(client, {}))


def test_calls_are_found_by_method_path_and_status_and_forgotten(application):
    mine, other, client = application.account(), application.account("other@example.com"), application.client()
    for headers in (mine, other):
        statuses_of(client, headers, ("GET", "/links"), ("GET", "/links/clx1234567890"), ("DELETE", "/links/clx0"))
    for query, count in {
        "": 3,
        "?method=GET": 2,
        "?path=/v1/links/*": 2,
        "?status=404": 1,
        "?status=200&path=/v1/links": 1,
    }.items():
        assert len(noted(client, mine, query)) == count, query
    assert len(noted(client, {}, "?status=404")) == 2
    client.delete("/_mock/requests", headers=mine)
    assert (len(noted(client, mine)), len(noted(client, other))) == (0, 3)
    client.delete("/_mock/requests")
    assert noted(client, {}) == []


# Without limits, and without the page


def test_without_the_limiter_no_limit_holds_and_nothing_is_counted(application):
    mine, other, client = application.account(), application.account("other@example.com"), application.client()
    client.post("/_mock/limiter", headers=mine, json={"enabled": False})
    assert {client.get("/v1/links", headers=mine).headers["X-RateLimit-Remaining"] for _ in range(FREE + 10)} == {str(FREE)}
    assert client.get("/v1/links", headers=other).headers["X-RateLimit-Remaining"] == str(FREE - 1)
    client.post("/_mock/limiter", headers=mine, json={"enabled": True})
    assert client.get("/v1/links", headers=mine).headers["X-RateLimit-Remaining"] == str(FREE - 1)


def test_an_account_with_a_token_comes_in_one_call(application):
    application.account("account-2@example.com")
    client = application.client()
    for body, lifetime in ((None, None), ({}, None), ({"lifetime": 60}, 60)):
        answer = client.post("/_mock/accounts", **({} if body is None else {"json": body}))
        assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
        headers = {"Authorization": f"Bearer {answer.json()['data']['token']}"}
        assert len(client.get("/v1/links", headers=headers).json()["data"]) == 5
        application.clock.time += 60
        assert client.get("/v1/links", headers=headers).status_code == (401 if lifetime else 200)


# Who may act on everybody


FOR_ALL = [("POST", "/_mock/reset"), ("GET", "/_mock/requests"), ("GET", "/_mock/class"), ("POST", "/_mock/accounts")]


def statuses(client, **headers):
    """Return what the controls over everybody, and the board, answer to a client. A 201 counts as a 200."""
    found = {client.request(method, path, headers=headers).status_code for method, path in FOR_ALL}
    return {200 if status == 201 else status for status in found}


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via"])
def test_a_call_that_was_passed_on_is_not_from_this_computer(application, header):
    assert statuses(application.client()) == {200}
    assert statuses(application.client(), **{header: "192.0.2.7"}) == {403}


def test_behind_a_proxy_only_the_code_makes_an_instructor(application):
    application.app = create_app(application.store, Settings(host_names={"*"}, instructor_code="the code"))
    assert statuses(application.client()) == {403}
    assert statuses(application.client(), **{"X-Mock-Instructor": "no code"}) == {403}
    assert statuses(application.client(), **{"X-Mock-Instructor": "the code"}) == {200}
    assert statuses(application.client(), **{"X-Mock-Instructor": "the code", "Sec-Fetch-Site": "cross-site"}) == {403}


def test_an_instructor_logs_in_to_the_board_from_elsewhere(application):
    application.app = create_app(application.store, Settings(instructor_code="the code"))
    far = application.client(client=("192.0.2.7", 50000), follow_redirects=False)
    for path, status in {"/instructor": 200, "/_mock/class": 403}.items():
        answer = far.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == status and "Instructor code" in answer.text
    assert far.post("/instructor", data={"code": "no code"}).status_code == 400
    assert far.post("/instructor", data={"code": "the code"}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert statuses(far) == {403} == {far.get("/_mock/class", headers=application.account()).status_code}
    answer = far.post("/instructor", data={"code": "the code"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "./_mock/class")
    assert "the code" not in answer.headers["Set-Cookie"] and "HttpOnly" in answer.headers["Set-Cookie"]
    assert statuses(far) == {200}
    assert statuses(far, **{"Sec-Fetch-Site": "same-site"}) == {403}


@pytest.mark.parametrize(("method", "path", "body"), ON_AN_ACCOUNT)
def test_from_elsewhere_a_control_acts_on_ones_own_account_only(application, method, path, body):
    headers, other = application.account(), application.account("other@example.com")
    far = application.client(client=("192.0.2.7", 50000))
    assert far.request(method, path, json=body).status_code == 403
    answer = far.request(method, path, headers=headers, json=body)
    assert answer.json()["data"]["account"] == "learner@example.com"
    assert far.get("/v1/links", headers=other).headers["X-RateLimit-Remaining"] == str(FREE - 1)


def test_the_page_session_says_whose_account_is_meant(server, page):
    answer = page.session.post(f"{server.origin}/_mock/plan", json={"plan": "Pro"}, timeout=PATIENCE)
    assert answer.json()["data"]["account"] == page.email


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/_mock/faults", {}, "fault: is required"),
        (
            "/_mock/faults",
            {"fault": "418"},
            "fault: must be one of none, 500, 503, 429, slow, timeout, drop, no-answer, lost-answer",
        ),
        ("/_mock/faults", {"fault": "slow", "seconds": 86_401}, "seconds: must be a number from 0 to 86400"),
        ("/_mock/faults", {"fault": "429", "header": 1}, "header: must be one of seconds, date, none"),
        ("/_mock/faults", {"fault": "500", "calls": 0}, "calls: must be a whole number from 1 to 1000"),
        ("/_mock/faults", {"fault": "500", "method": "get"}, "method: must be one of GET"),
        ("/_mock/faults", {"fault": "500", "path": ""}, "path: must be a text of 1 to 2000 characters"),
        ("/_mock/limiter", {}, "enabled: is required"),
        ("/_mock/accounts", {"lifetime": 0}, "lifetime: must be a whole number from 1"),
        ("/_mock/plan", {}, "plan: is required"),
        ("/_mock/plan", {"plan": "Gold"}, "plan: must be one of Free, Pro, Business."),
        ("/_mock/clock", {}, "Send one of"),
        ("/_mock/clock", {"advance": "1"}, "advance: must be a whole number"),
        ("/_mock/clock", {"advance": True}, "advance: must be a whole number"),
        ("/_mock/clock", {"advance": 1e300}, "advance: must be a whole number"),
        ("/_mock/clock", {"advance": 0.5}, "advance: must be a whole number"),
        ("/_mock/clock", {"set": 5}, "set: must be a time"),
        ("/_mock/clock", {"set": "1999-01-01"}, "set: must be a time"),
        ("/_mock/clock", {"advance": 1, "set": "2030-01-01"}, "Send one of"),
        ("/_mock/clock", {"freeze": 1}, "freeze: must be true or false"),
        ("/_mock/clock", {"jump": 1}, "jump: is not a field that can be set. These can: set, advance, freeze"),
        ("/_mock/clock", {"advance": 3e9}, "The clock must stay within the years 2000 to 2099"),
        ("/_mock/reset?all=1", {}, "all: is not a query parameter here"),
    ],
)
def test_a_wrong_control_is_told_and_moves_no_clock(application, path, body, words):
    answer = application.client().post(path, headers=application.account(), json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert words in answer.json()["error"]["message"]
    assert application.store.now(application.store.accounts[1]) == application.clock.time
