"""``/s/<slug>``: where a short link leads, when it leads nowhere, and which opening counts."""

import time

import pytest

from mock_server import short_links
from tools.running import PATIENCE


def make(client, **values):
    return client.post("/v1/links", json={"url": "https://example.com/a", "slug": "mine", **values}).json()["data"]


def clicks(client, link):
    return client.get(f"/v1/links/{link['id']}").json()["data"]["clicks"]


def test_it_redirects_with_its_utm_parameters(client):
    make(client, url="https://example.com/a?x=1#top", utmSource="a b", utmMedium="mail", utmCampaign="&c")
    answer = client.get("/s/mine")
    expected = "https://example.com/a?x=1&utm_source=a+b&utm_medium=mail&utm_campaign=%26c#top"
    assert (answer.status_code, answer.headers["Location"]) == (302, expected)
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_is_not_there_before_it_starts(application, client):
    link = make(client, startsAt="2027-01-15T09:00:00Z")
    assert client.get("/s/mine").status_code == 404
    application.clock.time += 3600
    assert client.get("/s/mine").status_code == 302
    assert clicks(client, link) == 1


@pytest.mark.parametrize("url", [None, "https://example.com/over"])
def test_it_ends_when_it_expires(application, client, url):
    link = make(client, expiresAt="2027-01-15T09:00:00Z", expirationUrl=url)
    assert client.get("/s/mine").headers["Location"] == "https://example.com/a"
    application.clock.time += 3600
    answer = client.get("/s/mine")
    assert answer.headers.get("Location") == url
    if url is None:
        assert answer.status_code == 404 and "This link has expired" in answer.text
    assert clicks(client, link) == 1


def test_it_ends_at_its_click_limit(client):
    link = make(client, clickLimit=2, expirationUrl="https://example.com/a")
    assert [client.get("/s/mine").headers["Location"] for _ in range(3)] == ["https://example.com/a"] * 3
    assert clicks(client, link) == 2


def test_a_look_ahead_counts_nothing(client):
    link = make(client)
    assert client.head("/s/mine").status_code == 302
    assert clicks(client, link) == 0


def test_a_delay_is_waited_for(client, monkeypatch):
    monkeypatch.setattr(short_links, "REDIRECT_DELAY", 0.2)
    make(client, redirectDelayEnabled=True)
    started = time.monotonic()
    assert client.get("/s/mine").status_code == 302
    assert time.monotonic() - started >= 0.2


def test_the_documented_delay_is_five_seconds():
    assert short_links.REDIRECT_DELAY == 5


def test_a_slug_of_several_accounts_needs_to_know_whose(application, client):
    application.account("other@example.com")
    stranger = application.client(follow_redirects=False)
    answer = stranger.get("/s/jobs")
    assert answer.status_code == 404 and "Log in first" in answer.text
    assert client.get("/s/jobs").status_code == 302
    make(client)
    assert stranger.get("/s/mine").status_code == 302


def test_an_unknown_token_is_not_taken_for_nobody(client):
    assert client.get("/s/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_page_session_says_whose_link_is_meant(server, page):
    answer = page.session.get(f"{server.origin}/s/jobs", allow_redirects=False, timeout=PATIENCE)
    assert answer.headers["Location"] == "https://example.com/about/jobs"


def test_a_profile_opens_as_a_page_and_counts_a_view(client):
    client.patch("/v1/profiles/prof_123456", json={"bio": "<script>alert(1)</script>"})
    client.post("/v1/profiles/prof_123456/blocks", json={"title": '"><img src=x>', "url": "https://example.com/?a=1&b='\""})
    answer = client.get("/s/cafe-example")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text and "<img src=x" not in answer.text and "&#39;&#34;" in answer.text
    assert client.get("/v1/profiles/prof_123456").json()["data"]["views"] == 2311


def test_links_and_profiles_share_their_slugs(client):
    taken = client.post("/v1/profiles", json={"displayName": "x", "slug": "jobs"})
    assert "slug: one of your links or profiles already has this one" in taken.json()["error"]["message"]
    assert client.post("/v1/links", json={"url": "https://example.com", "slug": "cafe-example"}).status_code == 400
    client.delete("/v1/profiles/prof_123456")
    assert client.post("/v1/links", json={"url": "https://example.com", "slug": "cafe-example"}).status_code == 201


def test_a_renamed_link_leaves_its_slug_free(client):
    link = make(client)
    client.patch(f"/v1/links/{link['id']}", json={"slug": "renamed"})
    assert client.get("/s/mine").status_code == 404
    assert client.get("/s/renamed").status_code == 302
    assert make(client)["slug"] == "mine"


def test_one_address_opens_only_so_many_in_a_minute(application, monkeypatch):
    monkeypatch.setattr(short_links, "MOST_OPENINGS", 3)
    monkeypatch.setattr(short_links.time, "monotonic", lambda: 100.0)
    headers = application.account()
    answers = [application.client(follow_redirects=False).get("/s/jobs", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert answers[-1].headers["Retry-After"] == "20"
    assert application.client(client=("192.0.2.7", 1), follow_redirects=False).get("/s/jobs", headers=headers).status_code == 302
