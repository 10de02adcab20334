"""Settings > API: the page, and the page object that presses its buttons."""

import re

import pytest
import requests

from mock_server.page.sessions import FREE_TRIES
from mock_server.settings_page import ClickYourself, MockServerNotRunning, PageError, SettingsPage
from tests.running import PATIENCE


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
    victim.session.cookies.set("mock_session", "planted", domain="127.0.0.1", path="/")
    victim.log_in(page.email, page.password)
    answer = requests.get(f"{server.origin}/settings/api", cookies={"mock_session": "planted"}, timeout=PATIENCE)
    assert answer.url.endswith("/login")


def test_the_cookie_and_the_page_are_locked_down(server):
    answer = requests.get(f"{server.origin}/login", timeout=PATIENCE)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_on_https_the_cookie_is_bound_to_the_host(bench):
    cookie = bench.client(base_url="https://127.0.0.1:8787").get("/login").headers["Set-Cookie"]
    assert cookie.startswith("__Host-mock_session=") and "Secure" in cookie


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


def test_no_server_is_told_with_the_next_step():
    with pytest.raises(MockServerNotRunning, match="Start the mock server in a terminal: .*python.* -m mock_server --port 9"):
        SettingsPage("http://127.0.0.1:9/v1")


def test_where_the_mock_server_is_started_in_another_way_the_next_step_is_another(monkeypatch):
    with pytest.raises(MockServerNotRunning, match=r"^(?!.*terminal).*ask who runs the mock server there"):
        SettingsPage("http://127.0.0.2:9/v1")  # stands for another computer
    monkeypatch.setenv("LINKED_IS_NO_ANSWER", "Do as they do here.")
    with pytest.raises(MockServerNotRunning, match=r"^(?!.*terminal).* Do as they do here\.$"):
        SettingsPage("http://127.0.0.1:9/v1")


def form_token(page):
    """Read the hidden field of the account's page."""
    text = page.session.get(f"{page.origin}/settings/api", timeout=PATIENCE).text
    return re.search('name="form_token" value="(.*?)"', text)[1]
