"""What an attacker would try, from the network or from a page in a learner's browser.

Elsewhere: forms sent by another site, planted cookies, guessed passwords and show-once in ``test_settings_page.py``;
the back button in ``test_browser.py``; foreign host names and controls from elsewhere in ``test_controls.py``; tokens in
outputs, log and database while the notebooks run in ``test_notebooks.py``.
"""

import asyncio
import http.client
import os
import re
import socket
import struct
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx2
import pytest
import requests

from mock_server import tokens
from mock_server.app import Settings, create_app
from mock_server.settings_page import SettingsPage
from mock_server.web import passwords
from mock_server.web.passwords import FREE_TRIES, MOST_GUESSERS, Brake
from publish.operations import operations
from tools.leaks import assert_without
from tools.running import PATIENCE, ROOT, MockServer, run_async, wait_until

HOSTILE = [
    "'; DROP TABLE links; --",
    '" OR 1=1 --',
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}${7*7}",
    "../../../etc/passwd",
    "\u202egnp.exe",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_kept_to_the_letter_and_do_nothing(application, client, text):
    fields = ("title", "utmSource", "utmMedium", "utmCampaign")
    link = client.post("/v1/links", json={"url": "https://example.com", **dict.fromkeys(fields, text)}).json()["data"]
    assert [link[name] for name in fields] == [text] * 4
    profile = client.patch("/v1/profiles/prof_123456", json={"displayName": text, "bio": text}).json()["data"]
    block = client.post("/v1/profiles/prof_123456/blocks", json={"title": text}).json()["data"]
    assert (profile["displayName"], profile["bio"], block["title"]) == (text, text, text)
    client.get(f"/s/{link['slug']}", headers={"User-Agent": ascii(text), "Referer": ascii(text)})
    # All of it is in the database as well, and nothing else changed there.
    again = application.restarted().client(headers=client.headers)
    assert again.get(f"/v1/links/{link['id']}").json()["data"] == {**link, "clicks": 1}
    assert len(again.get("/v1/links").json()["data"]) == 6
    page = client.get("/s/cafe-example").text
    assert "<script>alert" not in page and "<img src=x" not in page and "49" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_in_ids_queries_and_headers_find_nothing(client, text):
    assert client.get(f"/v1/links/{text}").status_code == 404
    assert client.get(f"/s/{text}").status_code == 404
    assert client.get("/v1/links", params={"cursor": text}).status_code == 400
    assert client.get("/v1/links", params={text: "1"}).status_code == 400
    assert client.get("/v1/links", headers={"Authorization": f"Bearer {text!a}"}).status_code == 401
    assert client.get("/settings/api", headers={"Cookie": f"mock_session_8787={text!a}"}).headers["Location"] == "../login"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://e.com", "https://", "\thttps://e.com",
                                     "https://e.com\r\nSet-Cookie: a=b", "https://e.com/\nx", "https://user@e.com", "https://e.com\\@x"])  # fmt: skip
def test_nothing_leads_anywhere_but_to_a_web_address(client, address):
    for method, path, body in [
        ("POST", "/v1/links", {"url": address}),
        ("PATCH", "/v1/links/clx1234567890", {"url": address}),
        ("PATCH", "/v1/links/clx1234567890", {"expirationUrl": address}),
        ("PATCH", "/v1/profiles/prof_123456", {"avatar": address}),
        ("POST", "/v1/profiles/prof_123456/blocks", {"title": "x", "url": address}),
    ]:
        answer = client.request(method, path, json=body)
        assert answer.status_code == 400 and "must be a web address" in answer.json()["error"]["message"]
    assert client.get("/s/spring-menu").headers["Location"] == "https://example.com/menu/spring"


def test_the_login_sends_nobody_elsewhere(client):
    for path in (
        "/login?next=https://evil.example",
        "/?url=//evil.example",
        "//evil.example/settings/api",
        "/settings/api?return=//evil",
    ):
        location = client.get(path).headers.get("Location", "./")
        assert location.startswith(".") and "//" not in location and "evil" not in location


def test_no_operation_reaches_into_another_account(application, client):
    """Each operation on a thing is tried by a stranger, whose own demo things are gone, so that the ids name only ours."""
    theirs = application.client()
    theirs.headers.update(application.account("stranger@example.com"))
    for path in ("/v1/links/clx1234567890", "/v1/profiles/prof_123456"):
        theirs.delete(path)
    ours = [client.get(path).json() for path in ("/v1/links", "/v1/profiles", "/v1/profiles/prof_123456/blocks")]
    on_things = [one for one in operations() if one.path.startswith("/v1") and "{" in one.path]
    for one in on_things:
        answer = theirs.request(one.method, one.example_path, params=one.example_query, json=one.example_body or None)
        assert answer.status_code == 404, (one.method, one.path)
    assert on_things
    assert ours == [client.get(path).json() for path in ("/v1/links", "/v1/profiles", "/v1/profiles/prof_123456/blocks")]


@pytest.mark.parametrize(
    "path",
    ["/v1/../settings/api", "/v1/%2e%2e/settings/api", "/v1//links", "/v1/links/", "/static/../app.py", "/static/%2e%2e%2fapp.py", "/static/",
     "/static/page.css%00", "/s/..%2f..%2fetc%2fpasswd", "/s/%00", "/s/", "/v1/links/%0d%0aX:y", "/" + "a" * 60_000, "/%ff%fe", "/v1/links;x=1"],
)  # fmt: skip
def test_path_tricks_lead_nowhere(server, path):
    parts = urlsplit(server.origin)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    connection.putrequest("GET", path, skip_accept_encoding=True)  # as it is: requests would tidy it up
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in (400, 401, 404)
    assert b"create_app" not in body and b"root:" not in body and b"Traceback" not in body
    assert "X" not in dict(answer.getheaders())
    connection.close()


@pytest.mark.parametrize(
    "path", ["/v1/links%0A", "/v1/links/a%0Ab", "/v1/links/clx1234567890%0A", "/_mock/health%0A", "/login%0A", "/%0A"]
)
def test_a_line_break_belongs_to_the_path(client, path):
    assert client.get(path).status_code == 404
    if path.startswith("/v1"):
        refused = client.get(path, headers={"Authorization": ""})
        assert refused.status_code == 401 and "X-RateLimit-Limit" in refused.headers


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client):
    for path in ("/v1/links", "/_mock/plan"):
        answer = client.post(path, content=b" " * (1024 * 1024 + 1), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_every_page_forbids_frames_scripts_of_others_and_copies(client):
    for path in ("/login", "/signup", "/settings/api", "/docs", "/nothing", "/s/cafe-example", "/s/nothing", "/_mock/class"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src 'self';" in policy
        assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_a_traceback_shows_no_token(tmp_path):
    """A server whose handlers fail prints where, and nothing that was sent."""
    broken = tmp_path / "sitecustomize.py"
    broken.write_text("from mock_server.collection import Collection\nCollection.newest = None\n")
    with MockServer(environment={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}) as server:
        page = SettingsPage(server.base_url)
        page.sign_up()
        token = page.generate_token()
        answer = requests.get(
            f"{server.base_url}/links", headers={"Authorization": f"Bearer {token}", "X-Key": token}, timeout=PATIENCE
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
        assert "X-RateLimit-Limit" in answer.headers and "Traceback" not in answer.text
    assert "Traceback" in server.log()
    assert_without(token, server.log())


def test_no_secret_is_in_the_database_file(tmp_path):
    server = MockServer(database=str(tmp_path / "mock.db"))
    page = SettingsPage(server.base_url)
    page.sign_up()
    token = page.generate_token()
    session = page.session.cookies.values()[0]
    requests.get(f"{server.base_url}/links?key={token}", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
    server.kill()  # what is still in the write-ahead log counts too
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert page.email.encode() in files
    for secret in (token, session, page.password):
        assert_without(secret, files.decode("latin-1"))


def test_a_token_is_looked_up_by_its_hash_only(application, client):
    """So no comparison ends earlier for a better guess: memory holds no text of a token to compare with."""
    token = client.headers["Authorization"].split()[1]
    client.get("/v1/links")
    stored = application.store.find_token(tokens.digest(token))
    assert_without(token, repr(stored))
    assert re.fullmatch("[0-9a-f]{64}", stored.digest)


# Guesses


async def log_ins(app, tries):
    """Send log-ins or sign-ups, all at once; each is an address of the network, a path and fields. Return the answers."""

    async def send(client, path, fields):
        transport = httpx2.ASGITransport(app, client=(client, 50000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as browser:
            form_token = re.search('name="form_token" value="(.*?)"', (await browser.get(path)).text)[1]
            return await browser.post(path, data={"form_token": form_token, **fields})

    return await asyncio.gather(*(send(*one) for one in tries))


@pytest.fixture
def at_once(monkeypatch):
    """No second passes for the brake, however slow the computer is."""
    monkeypatch.setattr(passwords, "time", SimpleNamespace(monotonic=lambda: 0.0))


@pytest.mark.usefixtures("at_once")
def test_guesses_that_come_at_once_are_slowed_down_too_and_lock_nobody_else_out(application):
    owner = {"email": "owner@example.com", "password": "a long password"}
    run_async(log_ins(application.app, [("192.0.2.1", "/signup", owner)]))
    wrong = [("192.0.2.7", "/login", {**owner, "password": "wrong"})] * 40
    answers = run_async(log_ins(application.app, [*wrong, ("192.0.2.7", "/login", owner)]))
    assert Counter(answer.status_code for answer in answers) == {400: FREE_TRIES, 429: 41 - FREE_TRIES}
    (answer,) = run_async(log_ins(application.app, [("192.0.2.1", "/login", owner)]))
    assert answer.status_code == 303


@pytest.mark.usefixtures("at_once")
def test_a_class_code_is_hard_to_guess(application):
    app = create_app(application.store, Settings(class_code="blue-whale"))
    guesses = [("192.0.2.7", "/signup", {"class_code": f"guess-{number}"}) for number in range(20)]
    answers = run_async(log_ins(app, guesses))
    assert Counter(answer.status_code for answer in answers) == {400: FREE_TRIES, 429: 20 - FREE_TRIES}
    learner = {"email": "learner@example.com", "password": "a long password", "class_code": "blue-whale", "learner": "Ada"}
    (answer,) = run_async(log_ins(app, [("192.0.2.8", "/signup", learner)]))
    assert answer.status_code == 303


def test_a_crowd_of_one_address_keeps_nobody_else_waiting(application, monkeypatch):
    monkeypatch.setattr(passwords, "MOST_WAITING", 10)
    hashed = []
    app = create_app(application.store, Settings(hash_password=lambda password, salt: hashed.append(password) or b""))
    crowd = [("192.0.2.7", "/signup", {"email": f"{n}@example.com", "password": f"a password {n}"}) for n in range(30)]
    honest = ("192.0.2.1", "/signup", {"email": "honest@example.com", "password": "an honest one"})
    *crowded, answer = run_async(log_ins(app, [*crowd, honest]))
    assert answer.status_code == 303
    assert "an honest one" in hashed[:4]
    sent_away = [one for one in crowded if one.status_code == 503]
    assert len(sent_away) > 15 and all(int(one.headers["Retry-After"]) > 0 for one in sent_away)
    assert len(hashed) + len(sent_away) == 31


# Too much, or too slow


def sent_raw(server, *parts):
    """Send parts as they are, and return what is answered until the server hangs up."""
    answer = b""
    address = urlsplit(server.origin)
    with suppress(ConnectionError), socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
        for part in parts:  # who has heard enough may hang up
            connection.sendall(part)
        while part := connection.recv(65_536):
            answer += part
    return answer


def test_a_head_that_is_too_large_is_refused(server):
    line = b"X-Fill: " + b"a" * 1_000 + b"\r\n"
    for head in (line * 60, b"Connection: close\r\n" + line * 70, b"X-Fill: " + b"a" * 70_000 + b"\r\n"):
        answer = sent_raw(server, b"GET /v1/links HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + head + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 401" if len(head) < 65_000 else b"HTTP/1.1 431")
    assert sent_raw(server, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "begin",
    [
        b"GET / HTTP/1.1\r\nX-Fill: ",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Fill: ",
    ],
)
def test_a_head_or_a_trailer_without_an_end_is_cut_off(server, begin):
    assert b"HTTP/1.1 2" not in sent_raw(server, begin, *[b"a" * 65_536] * 40)


def test_who_waits_for_nothing_or_sends_half_a_request_is_hung_up_on(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("from mock_server import connection\nconnection.LONGEST_WAIT = 0.2\n")
    with MockServer(environment={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}) as server:
        head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
        for parts in ((), (head,), (head, b"\r\na"), (b"\r\n",)):
            assert sent_raw(server, *parts) == b""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere TCP tells its counts in another way")
def test_an_answer_is_one_packet_and_can_be_lost_only_once(server):
    address = urlsplit(server.origin)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
        for _ in range(20):
            connection.sendall(b"GET /v1/links HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}}"):
                answer += connection.recv(65_536)
        counts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
    data_segments_in = struct.unpack_from("I", counts, 152)[0]  # tcpi_data_segs_in of struct tcp_info, linux/tcp.h
    assert data_segments_in == 20


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit of a running program can't be changed")
def test_too_many_connections_are_told_and_forgotten():
    with MockServer() as server, ExitStack() as crowd:
        resource = pytest.importorskip("resource")
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (50, 50))
        address = urlsplit(server.origin)
        for _ in range(60):
            crowd.enter_context(socket.create_connection((address.hostname, address.port), PATIENCE))
        wait_until(lambda: "Too many connections" in server.log(), server.log)
        crowd.close()
        wait_until(lambda: is_well(server))


def is_well(server):
    """Tell whether a server answers."""
    with suppress(requests.ConnectionError):
        return requests.get(f"{server.origin}/_mock/health", timeout=PATIENCE).ok


def test_what_is_noted_of_a_call_is_short(application, client):
    headers = {f"X-{number}": "a" * 1_000 for number in range(200)}
    client.get(f"/v1/{'a' * 10_000}?{'b' * 10_000}", headers=headers)
    assert len(client.get("/_mock/requests").content) < 20_000


def test_a_form_has_few_fields(application):
    answer = application.client().post("/login", content="a=&" * 300_000)
    assert answer.status_code == 400 and "A form has at most" in answer.text


@pytest.mark.long
def test_a_guesser_cannot_fill_the_memory():
    brake = Brake()
    for number in range(MOST_GUESSERS + 100):
        brake.seconds_to_wait("192.0.2.7", f"guess-{number}@example.com")
    assert len(brake._tries) <= MOST_GUESSERS
    for _ in range(7):
        wait = brake.seconds_to_wait("192.0.2.7", "victim@example.com")
    assert wait > 0
