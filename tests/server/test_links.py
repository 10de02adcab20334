"""``/v1/links``: what it makes, changes and refuses."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from tools.leaks import assert_without
from tools.running import PATIENCE


def test_a_new_account_holds_the_same_demo_links_as_any_other(application, client):
    mine = client.get("/v1/links").json()
    others = application.client().get("/v1/links", headers=application.account("other@example.com")).json()
    assert mine == others
    assert [link["slug"] for link in mine["data"]] == ["newsletter", "jobs", "gift-cards", "book-a-table", "spring-menu"]


def test_a_time_is_kept_as_utc_and_a_text_in_any_script(client):
    sent = {
        "url": "https://example.com/b",
        "slug": "B-2_x",
        "title": "Grüße 👋",
        "startsAt": "2027-02-01T00:00:00+01:00",
        "expiresAt": "2027-03-01",
    }
    link = client.post("/v1/links", json=sent).json()["data"]
    assert {name: link[name] for name in sent} == {
        **sent,
        "startsAt": "2027-01-31T23:00:00Z",
        "expiresAt": "2027-03-01T00:00:00Z",
    }


@pytest.mark.parametrize("url", ["HTTPS://Example.COM", "http://127.0.0.1:65535?a=@:[", "https://a.example./#b"])
def test_a_web_address_may_be_spelled_in_another_way(client, url):
    link = client.post("/v1/links", json={"url": url, "slug": "spelled"}).json()["data"]
    assert link["url"] == url
    assert client.get("/s/spelled", follow_redirects=False).status_code == 302


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_offers_http_2_keeps_its_body_and_its_connection(server, page, chunked):
    """As ``curl --http2`` and Java's ``HttpClient`` do."""
    body = json.dumps({"url": "https://example.com/offered"}).encode()
    headers = {"Authorization": f"Bearer {page.generate_token()}", "Content-Type": "application/json"}
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    connection = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=PATIENCE)
    for _ in range(2):
        connection.request("POST", "/v1/links", iter([body]) if chunked else body, headers | offer, encode_chunked=chunked)
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["data"]["url"]) == (201, "https://example.com/offered")
        assert answer.getheader("Connection") is None
    connection.request("GET", "/v1/links", headers=headers | offer)
    assert len(json.load(connection.getresponse())["data"]) == 7
    connection.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "url: is required"),
        ({"url": None}, "url: must be a web address"),
        ({"url": "ftp://example.com"}, "url: must be a web address"),
        ({"url": "javascript:alert(1)"}, "url: must be a web address"),
        ({"url": "https://[::1]/"}, "url: must be a web address with a host name or an IPv4 address"),
        ({"url": "https://me@example.com/"}, "url: must be a web address without a user name"),
        ({"url": "https://me:secret@example.com/"}, "url: must be a web address without a user name"),
        ({"url": "https://bücher.example/"}, "xn--bcher-kva.example"),
        ({"url": "https://a..example/"}, "url: must be a web address with a host name"),
        ({"url": "https:///menu"}, "url: must be a web address with a host name"),
        ({"url": "https://example.com:99999/"}, "url: must be a web address with a port from 1 to 65535"),
        ({"url": "https://example.com:/"}, "url: must be a web address with a port from 1 to 65535"),
        ({"url": "https://example.com/a menu"}, "url: must be a web address without spaces"),
        ({"url": "https://example.com/" + "x" * 2048}, "url: must be a web address"),
        ({"url": "https://e.com", "slug": "a b"}, "slug: must be"),
        ({"url": "https://e.com", "title": "\ud800"}, "title: must be a text"),
        ({"url": "https://e.com", "title": "a\u0000b"}, "title: must be a text"),
        ({"url": "https://e.com", "clickLimit": 0}, "clickLimit: must be a whole number"),
        ({"url": "https://e.com", "clickLimit": True}, "clickLimit: must be a whole number"),
        ({"url": "https://e.com", "clickLimit": 10**30}, "clickLimit: must be a whole number"),
        ({"url": "https://e.com", "expiresAt": "soon"}, "expiresAt: must be a time in ISO 8601"),
        ({"url": "https://e.com", "expiresAt": "9999-12-31T23:59:59-23:59"}, "expiresAt: must be a time"),
        ({"url": "https://e.com", "startsAt": "2027-02-02", "expiresAt": "2027-02-01"}, "expiresAt: must be later"),
        ({"url": "https://e.com", "iosEnabled": "yes"}, "iosEnabled: must be true or false"),
        ({"url": "https://e.com", "clicks": 5}, "clicks: is not a field that can be set"),
        ({"url": "https://e.com", "titel": "x"}, "titel: is not a field that can be set. These can: url, slug"),
    ],
)
def test_a_wrong_body_is_refused_by_the_name_of_its_field(client, body, words):
    response = client.post("/v1/links", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "INVALID_REQUEST"
    assert words in response.json()["error"]["message"]
    assert len(client.get("/v1/links").json()["data"]) == 5


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"url": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(client, content):
    response = client.post("/v1/links", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")


def test_a_form_is_refused_with_the_way_on(client):
    response = client.post("/v1/links", data={"url": "https://example.com"})
    assert response.status_code == 400
    assert "json=" in response.json()["error"]["message"]


def test_a_wrong_method_lists_the_right_ones(client):
    response = client.put("/v1/links")
    assert (response.status_code, response.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_a_token_in_the_wrong_place_is_not_repeated(application, client):
    token = client.headers["Authorization"].split()[1]
    answers = [
        client.get(f"/v1/links/{token}"),
        client.post("/v1/links", json={token: 1}),
        client.post("/v1/links", json={"url": token}),
    ]
    for answer in answers:
        assert answer.status_code in (400, 404)
        assert_without(token, answer.text)
    assert_without(token, "\n".join(application.log))


def test_a_whole_number_may_be_written_with_a_point(client):
    link = client.post("/v1/links", json={"url": "https://example.com", "clickLimit": 5.0}).json()["data"]
    assert repr(link["clickLimit"]) == "5"
    assert client.patch(f"/v1/links/{link['id']}", json={"clickLimit": 5.5}).status_code == 400
