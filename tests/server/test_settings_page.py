"""Settings > API: the page, and the page object that presses its buttons."""

import re
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from urllib.parse import urlsplit

import pytest
import requests

from mock_server import settings_page
from mock_server.dot_env import Explained
from mock_server.settings_page import ClickYourself, PageError, SettingsPage
from mock_server.tokens import digest
from mock_server.web import routes
from mock_server.web.sessions import form_token as form_token_of
from tools.debian import need
from tools.running import PATIENCE, MockServer


def test_generate_use_and_revoke(page, call):
    token = page.generate_token(name="Script", lifetime="30 days")
    assert call(token).status_code == 200
    (listed,) = page.tokens()
    assert (listed.name, listed.state) == ("Script", "active")
    assert listed.last_used != "never" and listed.expires != "never"
    page.revoke("Script")
    assert page.tokens()[0].state == "revoked"
    assert call(token).json()["error"]["code"] == "INVALID_TOKEN"


@pytest.mark.parametrize(("lifetime", "days"), [("1 hour", 1 / 24), ("30 days", 30), ("90 days", 90)])
def test_a_lifetime_ends_when_it_says(server, page, call, lifetime, days):
    token = page.generate_token(name="Short", lifetime=lifetime)
    seconds = round(days * 24 * 3600)
    for advance, status in ((seconds - 10, 200), (10, 401)):
        page.session.post(f"{server.origin}/_mock/clock", json={"advance": advance}, timeout=PATIENCE).raise_for_status()
        assert call(token).status_code == status
    assert page.tokens()[0].state == "expired"


def test_a_token_is_shown_once(server, page):
    token = page.generate_token(name="Once")
    for _ in range(2):
        again = page.session.get(f"{server.origin}/settings/api", timeout=PATIENCE)
        assert token not in again.text
        assert "no-store" in again.headers["Cache-Control"]


def test_a_look_ahead_does_not_use_up_the_one_time(server, page):
    address = f"{server.origin}/settings/api"
    form = {"form_token": form_token(page), "name": "Once", "lifetime": "never"}
    page.session.post(f"{address}/tokens", data=form, allow_redirects=False, timeout=PATIENCE)
    page.session.head(address, timeout=PATIENCE)
    for purpose in ("empty", "image", "iframe"):  # a page of another port is of the same site: its requests have our cookie
        of_a_page = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": purpose}
        assert "lis_mock_" not in page.session.get(address, headers=of_a_page, timeout=PATIENCE).text
    assert "lis_mock_" in page.session.get(address, timeout=PATIENCE).text


def test_tokens_that_nobody_looks_at_do_not_fill_the_memory(application, monkeypatch):
    monkeypatch.setattr(routes, "MOST_UNSEEN", 2)
    application.account("owner@example.com")
    browsers = [application.client(follow_redirects=False) for _ in range(3)]
    for number, browser in enumerate(browsers):
        application.store.add_session(digest(f"cookie {number}"), application.store.accounts[1])
        browser.headers["Cookie"] = f"mock_session_8787=cookie {number}"
        form = {"name": "x", "lifetime": "never", "form_token": form_token_of(f"cookie {number}")}
        browser.post("/settings/api/tokens", data=form)
    assert ["lis_mock_" in browser.get("/settings/api").text for browser in browsers] == [False, True, True]


def test_log_out_and_in_again(server, page):
    page.generate_token(name="Mine")
    page.session.post(f"{server.origin}/logout", data={"form_token": form_token(page)}, timeout=PATIENCE)
    assert page.session.get(f"{server.origin}/settings/api", timeout=PATIENCE).url.endswith("/login")
    back = SettingsPage(server.base_url)
    back.log_in(page.email, page.password)
    assert [token.name for token in back.tokens()] == ["Mine"]


def test_accounts_do_not_see_each_other(server, page):
    page.generate_token(name="Mine")
    stranger = SettingsPage(server.base_url)
    stranger.sign_up()
    assert stranger.tokens() == []
    form = {"form_token": form_token(stranger)}
    assert stranger.session.post(f"{server.origin}/settings/api/tokens/1/revoke", data=form, timeout=PATIENCE).status_code == 404
    assert page.tokens()[0].state == "active"


def test_a_form_without_its_token_or_from_elsewhere_does_nothing(server, page):
    address = f"{server.origin}/settings/api/tokens"
    form = {"name": "x", "lifetime": "never", "form_token": form_token(page)}
    for data, headers in [
        ({**form, "form_token": ""}, {}),
        ({**form, "form_token": "0" * 64}, {}),
        (form, {"Sec-Fetch-Site": "cross-site"}),
        (form, {"Origin": "https://evil.example"}),
    ]:
        assert page.session.post(address, data=data, headers=headers, timeout=PATIENCE).status_code == 403
    assert page.tokens() == []


def test_a_planted_cookie_is_worth_nothing_after_login(server, page):
    victim = SettingsPage(server.base_url)
    name = page.session.cookies.keys()[0]
    victim.session.cookies.set(name, "planted", domain="127.0.0.1", path="/")
    victim.log_in(page.email, page.password)
    answer = requests.get(f"{server.origin}/settings/api", cookies={name: "planted"}, timeout=PATIENCE)
    assert answer.url.endswith("/login")


def test_two_servers_in_one_browser_leave_each_other_logged_in(server, page):
    page.generate_token(name="First")
    with MockServer() as other:
        second = SettingsPage(other.base_url)
        second.session = page.session  # one set of cookies, as a browser has
        second.sign_up()
        assert second.tokens() == []
        assert [token.name for token in page.tokens()] == ["First"]


def test_the_cookie_and_the_page_are_locked_down(server):
    answer = requests.get(f"{server.origin}/login", timeout=PATIENCE)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_on_https_the_cookie_is_bound_to_the_host(application):
    cookie = application.client(base_url="https://127.0.0.1:8787").get("/login").headers["Set-Cookie"]
    assert cookie.startswith("__Host-mock_session_8787=") and "Secure" in cookie


def test_names_are_shown_as_text(server, page):
    name = "<script>alert(1)</script>&\"'"
    page.generate_token(name=name)
    assert page.tokens()[0].name == name
    assert "<script>alert" not in page.session.get(f"{server.origin}/settings/api", timeout=PATIENCE).text


@pytest.mark.parametrize(
    ("press", "words"),
    [
        (lambda page: page.generate_token(name=" "), "Give the token a name"),
        (lambda page: page.generate_token(name="x" * 61), "Give the token a name"),
        (lambda page: page.generate_token(lifetime="2 days"), "not among the choices"),
        (lambda page: page.revoke("Nobody"), "0 active tokens named"),
        (lambda page: page.log_in(page.email, "wrong password"), "No account has this"),
    ],
)
def test_a_wrong_input_is_told(page, press, words):
    with pytest.raises(PageError, match=words):
        press(page)
    assert page.tokens() == []


def test_linked_is_itself_is_left_to_the_person():
    page = SettingsPage("https://api.linked.is/v1")
    assert "the real service" in str(page)
    for press in (page.sign_up, page.tokens, lambda: page.generate_token(name="x"), lambda: page.revoke("x")):
        with pytest.raises(ClickYourself, match="Settings > API"):
            press()


# Where no mock server answers, or not to the token


@contextmanager
def listening(answer=None, *, tls=False, reset=False):
    """Listen on a port of the loopback that answers so to each connection, for what it's worth. Yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if tls:
            with tempfile.TemporaryDirectory() as folder:
                key, certificate = f"{folder}/key", f"{folder}/certificate"
                words = f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout {key} -out {certificate}"
                need("openssl")
                subprocess.run(words.split(), check=True, capture_output=True)
                context.load_cert_chain(certificate, key)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with suppress(OSError), connection:
                    if tls:
                        context.wrap_socket(connection, server_side=True)
                    connection.recv(65536)
                    if reset:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    else:
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def too_busy_to_take_a_call(address="127.0.0.1"):
    """Listen on a port where as many wait as may wait. Yield the port."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind((address, 0))
        listener.listen(0)
        for _ in range(4):
            waiting.enter_context(one := socket.socket()).setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_connection_that_the_server_is_about_to_close_is_not_used_again():
    """A server closes idle connections, and may do so while the next request is on its way."""

    def serve(connection):
        with suppress(OSError), connection:
            last = b"connection: close" in connection.recv(65536).lower()
            connection.sendall(http('{"success": true, "data": {}}', "200 OK" + "\r\nConnection: close" * last))
            if not last:
                connection.recv(65536)  # and no answer to that

    def accept():
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        page = SettingsPage(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        assert page.tokens() == []


def told(base_url):
    """Return what the page object says instead of answering. Only a command has lines of its own."""
    with pytest.raises(Explained) as stopped:
        SettingsPage(base_url)
    assert "\n" not in str(stopped.value).partition("terminal:")[0]
    return str(stopped.value)


def from_a_container(monkeypatch):
    """Let the name by which a container knows its computer lead here."""
    find = socket.getaddrinfo
    name = "host.docker.internal"
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: find("127.0.0.1" if host == name else host, *rest, **more)
    )


def http(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


START = r"Start the mock server in a terminal:\n\ncd .*\n.*python.* -m mock_server --port \d+\n\nThen run this cell again\.$"
GONE = rf"^No answer from \S+ \(ConnectionError\)\. {START}"
BROKEN = rf"The connection broke off\. Run this cell again\. .* another program may have port \d+: stop that\. {START}"
LATE = rf"It is there, but slow\. Wait a minute, then run this cell again\. .*: stop it\. {START}"
LATE_ELSEWHERE = r"It is there, but slow\. (?!.*terminal).*tell who runs it"
SILENT = r"^(?!.*terminal)(?!.*slow).*Nothing comes back from there.*firewall"
ANOTHER = r"is neither linked\.is nor a mock server\. Check LINKED_IS_BASE_URL"
ASK = r"^(?!.*terminal)(?!.*slow).*lets nobody in.*Ask who runs the mock server"
PASS = r"A proxy is set for this address, by {}\. Let the address pass: put the line no_proxy=127\.0\.0\.1 into \.env"
NO_API = "the mock server with --host-name and this name"
# fmt: off
CAUSES = {
    # cause: what listens, the base URL with its port, what is said, variables
    "no listener":                     (None, "http://127.0.0.1:9/v1", GONE, {}),
    "no listener, by name":            (None, "http://localhost:9/v1", GONE, {}),
    "no listener, another computer":   (None, "http://127.0.0.2:9/v1", ASK, {}),  # stands for another computer
    "no listener, a place's own way":  (None, "http://127.0.0.1:9/v1", r"^(?!.*terminal).* Do as here\.$", {"LINKED_IS_NO_ANSWER": "Do as here."}),
    "a listener of another service":   (lambda: listening(b"220 mail.example.com ESMTP\r\n"), "http://127.0.0.1:{}/v1", BROKEN, {}),
    "the end of the connection":       (lambda: listening(b""), "http://127.0.0.1:{}/v1", BROKEN, {}),
    "a reset":                         (lambda: listening(reset=True), "http://127.0.0.1:{}/v1", BROKEN, {}),
    "no answer in time":               (lambda: socket.create_server(("127.0.0.1", 0)), "http://127.0.0.1:{}/v1", LATE, {}),
    "no answer in time, elsewhere":    (lambda: socket.create_server(("127.0.0.2", 0)), "http://127.0.0.2:{}/v1", LATE_ELSEWHERE, {}),
    "nothing comes back":              (lambda: too_busy_to_take_a_call("127.0.0.2"), "http://127.0.0.2:{}/v1", SILENT, {}),
    "too busy to take the call":       (too_busy_to_take_a_call, "http://127.0.0.1:{}/v1", LATE, {}),
    "TLS where plain":                 (MockServer, "https://127.0.0.1:{}/v1", r"It speaks http: .* must read http://127\.0\.0\.1:\d+/v1\.", {}),
    "plain where TLS":                 (lambda: listening(tls=True), "http://127.0.0.1:{}/v1", r"It speaks https: .* must read https://127\.0\.0\.1:\d+/v1\.", {}),
    "no scheme":                       (MockServer, "127.0.0.1:{}/v1", r"LINKED_IS_BASE_URL must read http://127\.0\.0\.1:\d+/v1\.", {}),
    "no path":                         (MockServer, "http://127.0.0.1:{}", r"LINKED_IS_BASE_URL must read http://127\.0\.0\.1:\d+/v1\.", {}),
    "a wrong path":                    (MockServer, "http://127.0.0.1:{}/v1/links", r"LINKED_IS_BASE_URL must read http://127\.0\.0\.1:\d+/v1\.", {}),
    "a dead proxy":                    (MockServer, "http://127.0.0.1:{}/v1", PASS.format("http_proxy"), {"http_proxy": "http://127.0.0.1:9"}),
    "a dead proxy, in capitals":       (MockServer, "http://127.0.0.1:{}/v1", PASS.format("HTTP_PROXY"), {"HTTP_PROXY": "http://127.0.0.1:9"}),
    "a dead proxy for all":            (MockServer, "http://127.0.0.1:{}/v1", PASS.format("all_proxy"), {"all_proxy": "http://127.0.0.1:9"}),
    "a proxy that is no address":      (MockServer, "http://127.0.0.1:{}/v1", PASS.format("http_proxy"), {"http_proxy": "proxy:port"}),
    "a proxy on the way to linked.is": (None, "https://api.linked.is/v1", r"by https_proxy\. Ask who runs the proxy", {"https_proxy": "http://127.0.0.1:9"}),
    "a proxy that can't reach it":     (None, "http://127.0.0.1:9/v1", PASS.format("http_proxy"), {"http_proxy": "{page}"}),
    "no such name":                    (None, "http://no-such-name.invalid:8787/v1", r"knows no computer named no-such-name\.invalid\. Check LINKED_IS_BASE_URL", {}),
    "a page of another program":       (lambda: listening(http("<p>")), "http://127.0.0.1:{}/v1", ANOTHER, {}),
    "JSON of another program":         (lambda: listening(http("[1]")), "http://127.0.0.1:{}/v1", ANOTHER, {}),
    "half an answer":                  (lambda: listening(http('{"success":false')), "http://127.0.0.1:{}/v1", ANOTHER, {}),
    "503":                             (lambda: listening(http("", "503 Service Unavailable")), "http://127.0.0.1:{}/v1", ANOTHER, {}),
    "403 of another program":          (lambda: listening(http("<p>", "403 Forbidden")), "http://127.0.0.1:{}/v1", ANOTHER, {}),
    "a call from a container":         (MockServer, "http://host.docker.internal:{}/v1", NO_API, {}),
}
# fmt: on


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_of_no_answer_has_its_sentence(cause, monkeypatch):
    listener, base_url, says, variables = CAUSES[cause]
    monkeypatch.setattr(settings_page, "TIMEOUT", 0.5 if says in (LATE, LATE_ELSEWHERE, SILENT) else PATIENCE)
    from_a_container(monkeypatch)
    with listener() if listener else nullcontext() as server, listening(http("<p>", "502 Bad Gateway")) as page:
        for name, value in variables.items():
            monkeypatch.setenv(name, value.replace("{page}", f"http://127.0.0.1:{page}"))
        port = (
            urlsplit(server.origin).port
            if isinstance(server, MockServer)
            else getattr(server, "getsockname", lambda: (0, server))()[1]
        )
        said = told(base_url.format(port)) if not base_url.startswith("https://api") else told_by(SettingsPage(base_url))
    assert re.search(says, said), said
    assert (says in (GONE, BROKEN, LATE)) == ("Start the mock server in" in said)


def test_who_is_told_to_wait_waits_and_signs_up(server, monkeypatch):
    page = SettingsPage(server.base_url)
    waited, send = [], page.session.request
    monkeypatch.setattr(settings_page.time, "sleep", waited.append)

    def request(method, *rest, **more):
        is_sent = method != "POST" or len(waited) == 2
        answer = send(method, *rest, **more) if is_sent else requests.Response()
        if not is_sent:
            answer.status_code, answer.headers["Retry-After"] = 503, "10"
        return answer

    monkeypatch.setattr(page.session, "request", request)
    page.sign_up()
    assert waited == [10, 10] and page.tokens() == []


def told_by(page):
    """Return what the page object says of linked.is, which it doesn't ask by itself."""
    return str(page._no_answer(requests.exceptions.ProxyError()))


def test_a_proxy_is_passed_where_its_line_says_so(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert SettingsPage(server.base_url).is_mock


def test_a_netrc_file_would_replace_the_token(server, page, call, monkeypatch, tmp_path):
    token = page.generate_token()
    monkeypatch.setenv("HOME", str(tmp_path))
    for entry in ("default", "machine 127.0.0.1"):
        (tmp_path / ".netrc").write_text(f"{entry} login me password Zq7XkP2m\n")
        assert "Put the line NETRC=none into .env" in told(server.base_url)
        refused = call(token)
        assert refused.json()["error"]["code"] == "MISSING_TOKEN"
        assert re.search(r"Basic.*\.netrc", refused.headers["X-Mock-Hint"])
    for there in ("_netrc", "mine"):  # the name on Windows, and one of the learner's own
        (tmp_path / ".netrc").unlink(missing_ok=True)
        (tmp_path / there).write_text("default login me password Zq7XkP2m\n")
        monkeypatch.setenv("NETRC", str(tmp_path / there)) if there == "mine" else None
        assert "Put the line NETRC=none into .env" in told(server.base_url)
        (tmp_path / there).unlink()
    monkeypatch.delenv("NETRC")
    (tmp_path / ".netrc").write_text("machine example.com login me password Zq7XkP2m\n")
    assert SettingsPage(server.base_url).is_mock
    (tmp_path / ".netrc").write_text("default login me password Zq7XkP2m\n")
    monkeypatch.setenv("NETRC", "none")
    assert SettingsPage(server.base_url).is_mock and call(token).ok


def form_token(page):
    """Read the hidden field of the account's page."""
    text = page.session.get(f"{page.origin}/settings/api", timeout=PATIENCE).text
    return re.search('name="form_token" value="(.*?)"', text)[1]
