"""Rate limits: counted for each account, by its own clock."""

import pytest

from mock_server.envelope import RateLimitExceeded
from mock_server.rate_limit import PLANS, Meter, Plan

FREE = PLANS["Free"].per_minute


def remaining(answer):
    return int(answer.headers["X-RateLimit-Remaining"])


def test_calls_are_counted_down_and_the_minute_brings_them_back(application, client):
    assert [remaining(client.get("/v1/links")) for _ in range(FREE)] == list(reversed(range(FREE)))
    assert [client.get("/v1/links").status_code for _ in range(3)] == [429] * 3
    application.clock.time += 59
    over = client.get("/v1/links")
    assert over.json()["error"]["retryAfter"] == 1
    application.clock.time += over.json()["error"]["retryAfter"]
    assert remaining(client.get("/v1/links")) == FREE - 1


def test_a_refused_token_is_not_counted(client):
    for _ in range(70):
        answer = client.get("/v1/links", headers={"Authorization": "Bearer wrong"})
        assert (answer.status_code, remaining(answer)) == (401, FREE)
    assert remaining(client.get("/v1/links")) == FREE - 1


def test_the_day_ends_what_the_minutes_would_allow():
    plan, meter, midnight = PLANS["Free"], Meter(), 20_000 * 86_400
    for call in range(1_000):
        headers = dict(meter.take(plan, midnight + call // 60 * 60))
    assert headers == {
        b"x-ratelimit-limit": b"1000",
        b"x-ratelimit-remaining": b"0",
        b"x-ratelimit-reset": b"%d" % (midnight + 86_400),
    }
    with pytest.raises(RateLimitExceeded) as over:
        meter.take(plan, midnight + 7200)
    assert over.value.retry_after == 86_400 - 7200
    meter.take(plan, midnight + 86_400)


def test_the_headers_tell_of_the_window_that_is_nearer_to_its_end():
    meter, midnight, plan = Meter(), 20_000 * 86_400, Plan("Any", 60, 1_000)
    for minute in range(16):
        for _ in range(60):
            headers = dict(meter.take(plan, midnight + minute * 60))
        assert headers[b"x-ratelimit-limit"] == b"60"
    headers = dict(meter.take(plan, midnight + 16 * 60))  # the 961st call of the day: 39 are left of 1,000
    assert (headers[b"x-ratelimit-limit"], headers[b"x-ratelimit-remaining"]) == (b"1000", b"39")


def test_a_better_plan_helps_at_once(client, application):
    for _ in range(FREE):
        client.get("/v1/links")
    client.post("/_mock/plan", json={"plan": "Pro"})
    assert remaining(client.get("/v1/links")) == PLANS["Pro"].per_minute - FREE - 1


def test_the_plan_is_switched_on_the_page(page, call):
    token = page.generate_token()
    assert call(token).headers["X-RateLimit-Limit"] == str(FREE)
    page.change_plan("Business")
    assert call(token).headers["X-RateLimit-Limit"] == "1000"
