"""``/_mock/…``: an account's clock and reset touch nobody else."""

import pytest


def test_a_token_moves_the_clock_of_its_own_account(bench):
    mine, other, client = bench.account(lifetime=3600), bench.account("other@example.com", lifetime=3600), bench.client()
    answer = client.post("/_mock/clock", headers=mine, json={"advance": 3600}).json()
    assert answer["data"] == {"account": "learner@example.com", "now": "2027-01-15T09:00:00Z"}
    assert client.get("/v1/links", headers=mine).json()["error"]["code"] == "TOKEN_EXPIRED"
    assert client.get("/v1/links", headers=other).status_code == 200
    # An expired token still says whose clock it is.
    assert client.post("/_mock/clock", headers=mine, json={"advance": -3600}).status_code == 200
    assert client.get("/v1/links", headers=mine).status_code == 200


def test_what_is_made_carries_the_time_of_the_account(bench):
    headers, client = bench.account(), bench.client()
    client.post("/_mock/clock", headers=headers, json={"set": "2030-05-01T12:00:00Z"})
    link = client.post("/v1/links", headers=headers, json={"url": "https://example.com"}).json()["data"]
    assert link["createdAt"] == "2030-05-01T12:00:00Z"


def test_without_an_account_the_clock_moves_for_all(bench):
    one, two, client = bench.account(lifetime=3600), bench.account("two@example.com", lifetime=3600), bench.client()
    client.post("/_mock/clock", headers=one, json={"advance": -1800})
    assert client.post("/_mock/clock", json={"set": "2027-01-15T09:00:00Z"}).json()["data"]["account"] == "all"
    for headers in (one, two):
        assert client.get("/v1/links", headers=headers).json()["error"]["code"] == "TOKEN_EXPIRED"


def test_reset_puts_links_and_clock_back_and_keeps_the_token(bench):
    mine, other, client = bench.account(), bench.account("other@example.com"), bench.client()
    before = client.get("/v1/links", headers=mine).json()
    for headers in (mine, other):
        client.post("/v1/links", headers=headers, json={"url": "https://example.com"})
    client.post("/_mock/clock", headers=mine, json={"advance": 99})
    assert client.post("/_mock/reset", headers=mine).json()["data"] == {"account": "learner@example.com"}
    assert client.get("/v1/links", headers=mine).json() == before
    assert bench.store.now(bench.store.accounts[1]) == bench.clock.time
    assert len(client.get("/v1/links", headers=other).json()["data"]) == 6
    assert client.post("/_mock/reset").json()["data"] == {"account": "all"}
    assert client.get("/v1/links", headers=other).json() == before


@pytest.mark.parametrize("body", [{}, {"advance": "1"}, {"advance": True}, {"advance": 1e300}, {"set": 5}, {"set": "1999-01-01"}, {"advance": 1, "set": "2030-01-01"}])
def test_a_clock_that_cannot_be_set_stays(bench, body):
    headers = bench.account()
    response = bench.client().post("/_mock/clock", headers=headers, json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert bench.store.now(bench.store.accounts[1]) == bench.clock.time


def test_the_controls_answer_to_this_computer_only(bench):
    far = bench.client(client=("192.0.2.7", 50000))
    assert far.post("/_mock/reset").status_code == 403


def test_the_controls_refuse_what_another_site_sends(bench):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://example.com"}):
        assert bench.client().post("/_mock/reset", headers=headers).status_code == 403


def test_an_unknown_token_or_session_is_not_taken_for_everybody(bench):
    client = bench.client()
    assert client.post("/_mock/reset", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert client.post("/_mock/reset", headers={"Cookie": "mock_session=ended"}).status_code == 403


def test_a_name_that_is_not_ours_is_refused(bench):
    for host, status in {"evil.example": 403, "localhost:1": 200, "127.0.0.1": 200, "[::1]:8787": 200, "": 403}.items():
        assert bench.client().get("/_mock/health", headers={"Host": host}).status_code == status
