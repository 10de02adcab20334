"""What a learner does by hand, in a real browser: sign up, generate, copy, use, revoke, see 401."""

import pytest
import requests

from mock_server.settings_page import SettingsPage
from tools.judges import axe, judged
from tools.leaks import assert_without
from tools.running import PATIENCE, MockServer


@pytest.fixture(params=["with JavaScript", "without JavaScript", pytest.param("judged", marks=pytest.mark.long)])
def tab(request, browser, server):
    """A new tab, 390 px wide. It may not ask any other origin for anything. What is judged is judged at every width."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        java_script_enabled=request.param != "without JavaScript",
        permissions=["clipboard-read", "clipboard-write"],
        base_url=server.origin,
    )
    tab = context.new_page()
    requested = []
    context.on("request", lambda request: requested.append(request.url))
    yield tab
    assert requested and all(url.startswith(server.origin + "/") for url in requested)
    context.close()


def sign_up(tab, email):
    """Fill in the form for a new account and send it."""
    tab.get_by_label("E-mail address").fill(email)
    tab.get_by_label("Password").fill("a password for practice")
    tab.get_by_role("button", name="Sign up").click()


def test_a_learner_generates_uses_and_revokes_a_token(request, tab, call):
    kind = request.node.callspec.params["tab"]
    with_script = kind != "without JavaScript"

    def assert_well_made(role, name):
        assert kind != "judged" or judged(tab, tab.get_by_role(role, name=name)) == []

    tab.goto("/settings/api")
    assert_well_made("button", "Log in")
    tab.get_by_role("link", name="Sign up").click()
    assert_well_made("button", "Sign up")
    sign_up(tab, f"{kind.replace(' ', '.')}.is.a.name.longer.than.a.telephone.is.wide@example.com")

    tab.get_by_label("Name").fill("My notebook")
    tab.get_by_label("Expires after").select_option("30 days")
    tab.get_by_role("button", name="Generate New Token").click()
    token = tab.locator("#token").inner_text()
    assert "it won't be shown again" in tab.inner_text("#new-token")
    if with_script:
        tab.get_by_role("button", name="Copy").click()
        tab.get_by_role("button", name="Copied").wait_for()
        assert tab.evaluate("navigator.clipboard.readText()") == token
    else:
        assert not tab.get_by_role("button", name="Copy").is_visible()
    assert_well_made("button", "Generate New Token")
    assert call(token).status_code == 200

    if with_script:  # what a browser says before it keeps the page for its back button
        tab.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
        assert token not in tab.content()
    tab.reload()
    assert token not in tab.content()
    assert tab.get_by_role("row", name="My notebook").locator(".state").inner_text() == "active"
    assert_well_made("link", "Revoke My notebook")

    tab.get_by_role("link", name="Revoke My notebook").click()
    assert_well_made("button", "Revoke")
    tab.get_by_role("button", name="Revoke").click()
    assert tab.get_by_role("row", name="My notebook").locator(".state").inner_text() == "revoked"
    assert_well_made("row", "My notebook")
    assert call(token).json()["error"]["code"] == "INVALID_TOKEN"


def test_the_back_button_does_not_bring_a_token_back(tab):
    tab.goto("/signup")
    sign_up(tab, f"back-{id(tab)}@example.com")
    tab.get_by_label("Name").fill("Once")
    tab.get_by_role("button", name="Generate New Token").click()
    token = tab.locator("#token").inner_text()
    tab.goto("/static/icon.svg")
    tab.go_back()
    tab.get_by_role("heading", name="API tokens").wait_for()
    assert token not in tab.content()


def test_the_class_board_shows_what_is_new_and_keeps_your_place(browser, monkeypatch):
    monkeypatch.setenv("LINKED_IS_CLASS_CODE", "blue-whale")
    with MockServer("--class", "blue-whale") as server, browser.new_context() as context:
        learner = SettingsPage(server.base_url)
        tab = context.new_page()
        tab.clock.install()
        tab.goto(server.origin + "/_mock/class")
        pause = tab.locator("#pause")
        pause.focus()
        monkeypatch.setenv("LINKED_IS_LEARNER", "Ada")
        learner.sign_up()
        tab.clock.run_for(5000)
        tab.get_by_role("rowheader", name="Ada").wait_for()
        assert pause.evaluate("button => button === document.activeElement")

        pause.click()
        monkeypatch.setenv("LINKED_IS_LEARNER", "Grace")
        learner.raise_hand()
        asked = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.clock.run_for(20_000)
        assert asked == []
        pause.click()
        tab.clock.run_for(5000)
        tab.get_by_role("rowheader", name="Grace").wait_for()

        context.set_offline(True)
        tab.clock.run_for(5000)
        tab.get_by_role("alert").get_by_text("doesn't answer").wait_for()
        assert tab.locator("#learners tbody tr").count() == 2
        assert axe(tab) == []
        context.set_offline(False)
        tab.clock.run_for(5000)
        tab.get_by_role("alert").wait_for(state="detached")
        tab.get_by_role("button", name="Lower the hand of Grace").click()
        tab.get_by_role("button", name="Lower the hand of Grace").wait_for(state="detached")
        tab.get_by_label("Name").fill("gra")
        tab.get_by_role("button", name="Filter").click()
        tab.get_by_role("rowheader", name="Ada").wait_for(state="detached")


@pytest.mark.long
def test_the_other_pages_are_well_made(browser, monkeypatch):
    monkeypatch.setenv("LINKED_IS_CLASS_CODE", "blue-whale")
    monkeypatch.setenv("LINKED_IS_LEARNER", "Ada Lovelace-Byron")
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/08-revoke-and-react-to-a-leak.ipynb")
    with MockServer("--class", "blue-whale") as server, browser.new_context() as context:
        learner = SettingsPage(server.base_url)
        learner.sign_up()
        headers = {"Authorization": f"Bearer {learner.generate_token(name='Soon gone')}"}
        learner.revoke("Soon gone")
        for path in ("/links", "/profiles/no-such-profile"):
            requests.get(server.base_url + path, headers=headers, timeout=PATIENCE)
        learner.raise_hand("I can't copy")
        tab = context.new_page()
        for path, role, name in (
            ("/signup", "textbox", "Class code"),
            ("/login", "textbox", "Password"),
            ("/_mock/class", "rowheader", "Ada Lovelace-Byron"),
            ("/hand", "textbox", "Class code"),
            ("/s/cafe-example", "link", "Book a table"),
            ("/s/nowhere", "heading", "404"),
        ):
            tab.goto(server.origin + path)
            assert judged(tab, tab.get_by_role(role, name=name)) == [], path
        tab.goto(server.origin + "/docs")
        assert judged(tab, tab.get_by_role("button", name="Authorize").first, ours=False) == []


def read_the_overview(tab, token):
    """Call an operation on the page /docs, with a token."""
    tab.get_by_role("button", name="Authorize").first.click()
    tab.get_by_label("auth-bearer-value").fill(token)
    tab.get_by_role("button", name="Apply credentials").click()
    tab.get_by_role("button", name="Close", exact=True).click()
    tab.locator("#operations-Analytics-readOverview .opblock-summary-control").click()
    tab.get_by_role("button", name="Execute").click()


@pytest.mark.long
def test_the_docs_page_tries_a_call_and_keeps_the_token_off_the_screen(browser, server, page):
    token = page.generate_token()
    context = browser.new_context(base_url=server.origin)
    tab = context.new_page()
    requested, complaints = [], []
    context.on("request", lambda request: requested.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.goto("/docs")
    read_the_overview(tab, token)
    tab.get_by_text("totalLinks", exact=False).first.wait_for()
    tab.locator(".live-responses-table").wait_for()
    assert "3022" in tab.locator(".live-responses-table").inner_text()
    assert_without(token, tab.content())
    assert complaints == []
    assert all(url.startswith((server.origin + "/", "data:", "blob:")) for url in requested)
    context.close()


def test_a_failure_is_ordered_by_hand(tab):
    tab.goto("/signup")
    sign_up(tab, f"failure-{id(tab)}@example.com")
    tab.get_by_label("Name").fill("Old")
    tab.get_by_role("button", name="Generate New Token").click()
    tab.get_by_label("What goes wrong").select_option("expired-in-a-pause")
    tab.get_by_role("button", name="Begin").click()
    tab.get_by_role("status").get_by_text("It has begun").wait_for()
    assert tab.get_by_role("row", name="Old").locator(".state").inner_text() == "expired"


def test_the_plan_is_switched_by_hand(tab):
    tab.goto("/signup")
    sign_up(tab, f"plan-{id(tab)}@example.com")
    tab.get_by_label("Plan").select_option("Business")
    tab.get_by_role("button", name="Change plan").click()
    assert tab.get_by_label("Plan").input_value() == "Business"
