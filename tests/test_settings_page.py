"""Settings > API: the page, and the page object that presses its buttons."""

import re
import socket
import threading
from contextlib import contextmanager, suppress

import pytest
import requests

from mock_server import settings_page
from mock_server.dot_env import Explained
from mock_server.page.sessions import FREE_TRIES
from mock_server.settings_page import ClickYourself, PageError, SettingsPage
from tests.running import PATIENCE, MockServer


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
    assert "lis_mock_" in page.session.get(address, timeout=PATIENCE).text


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


def test_on_https_the_cookie_is_bound_to_the_host(bench):
    cookie = bench.client(base_url="https://127.0.0.1:8787").get("/login").headers["Set-Cookie"]
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


def test_guessing_a_password_is_slowed_down(bench):
    client = bench.client()
    form = {"email": "learner@example.com", "password": "wrong"}
    form["form_token"] = re.search('name="form_token" value="(.*?)"', client.get("/login").text)[1]
    statuses = [client.post("/login", data=form).status_code for _ in range(FREE_TRIES + 1)]
    assert statuses == [400] * FREE_TRIES + [429]


def test_linked_is_itself_is_left_to_the_person():
    page = SettingsPage("https://api.linked.is/v1")
    assert "the real service" in str(page)
    for press in (page.sign_up, page.tokens, lambda: page.generate_token(name="x"), lambda: page.revoke("x")):
        with pytest.raises(ClickYourself, match="Settings > API"):
            press()


# Where no mock server answers, or not to the token


@contextmanager
def listening(answer):
    """Listen on a port of the loopback that answers so to each connection, for what it's worth. Yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def told(base_url):
    """Return what the page object says instead of answering. Only a command has lines of its own."""
    with pytest.raises(Explained) as stopped:
        SettingsPage(base_url)
    assert "\n" not in str(stopped.value).partition("terminal:")[0]
    return str(stopped.value)


START = r"Start the mock server in a terminal:\n\ncd .*\n.*python.* -m mock_server --port"
ANOTHER = "is neither linked.is nor a mock server. Check LINKED_IS_BASE_URL"


def test_nobody_listens():
    assert re.search(f"{START} 9\n\nThen run this cell again.$", told("http://127.0.0.1:9/v1"))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<p>\n", ANOTHER),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"success":false', ANOTHER),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", ANOTHER),
        (b"220 mail.example.com ESMTP\r\n", START),
        (b"", START),
    ],
    ids=["a page", "half an answer", "503", "no HTTP", "nothing"],
)
def test_another_program_answers(answer, says):
    with listening(answer) as port:
        assert re.search(says, told(f"http://127.0.0.1:{port}/v1"))


def test_the_server_does_not_answer_in_time(monkeypatch):
    monkeypatch.setattr(settings_page, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "It didn't answer in time" in told(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")


def test_https_where_the_mock_server_speaks_http(server):
    assert f"LINKED_IS_BASE_URL in .env must read {server.base_url}." in told(server.base_url.replace("http:", "https:"))


def test_a_proxy_is_on_the_way(server, monkeypatch):
    pass_it = "put the line no_proxy=127.0.0.1 into .env"
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        with monkeypatch.context() as environment:
            environment.setenv(variable, "http://127.0.0.1:9")
            assert pass_it in told(server.base_url) and "Start the mock server" not in told(server.base_url)
            environment.setenv("no_proxy", "127.0.0.1")
            assert SettingsPage(server.base_url).is_mock
    with listening(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\n<p>\n") as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert pass_it in told(server.base_url)


def test_a_netrc_file_would_replace_the_token(server, page, call, monkeypatch, tmp_path):
    token = page.generate_token()
    monkeypatch.setenv("HOME", str(tmp_path))
    for entry in ("default", "machine 127.0.0.1"):
        (tmp_path / ".netrc").write_text(f"{entry} login me password Zq7XkP2m\n")
        assert "Put the line NETRC=none into .env" in told(server.base_url)
        refused = call(token)
        assert refused.json()["error"]["code"] == "MISSING_TOKEN"
        assert re.search(r"Basic.*\.netrc", refused.headers["X-Mock-Hint"])
    (tmp_path / ".netrc").write_text("machine example.com login me password Zq7XkP2m\n")
    assert SettingsPage(server.base_url).is_mock
    (tmp_path / ".netrc").write_text("default login me password Zq7XkP2m\n")
    monkeypatch.setenv("NETRC", "none")
    assert SettingsPage(server.base_url).is_mock and call(token).ok


def test_where_the_mock_server_is_started_in_another_way_the_next_step_is_another(monkeypatch):
    for elsewhere in ("http://127.0.0.2:9/v1", "http://no-such-name.invalid:8787/v1"):  # the first stands for another computer
        assert re.search(r"^(?!.*terminal).*ask who runs the mock server there", told(elsewhere))
    monkeypatch.setenv("LINKED_IS_NO_ANSWER", "Do as they do here.")
    assert re.search(r"^(?!.*terminal).* Do as they do here\.$", told("http://127.0.0.1:9/v1"))


def form_token(page):
    """Read the hidden field of the account's page."""
    text = page.session.get(f"{page.origin}/settings/api", timeout=PATIENCE).text
    return re.search('name="form_token" value="(.*?)"', text)[1]
