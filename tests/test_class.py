"""``--class``: sign-up with a code, and the instructor's board; and how much the mock server takes."""

import re

import pytest
import requests
from bs4 import BeautifulSoup

from mock_server.__main__ import parser
from mock_server.clock import DAY
from mock_server.model import Limits
from mock_server.settings_page import PageError, SettingsPage
from tests.running import PATIENCE, MockServer


@pytest.fixture(scope="module")
def class_server():
    with MockServer("--class", "blue-whale") as server:
        yield server


def board(server):
    """Return the rows of both tables, each as a list of its cells."""
    answer = requests.get(f"{server.origin}/_mock/class", timeout=PATIENCE)
    assert answer.status_code == 200
    page = BeautifulSoup(answer.text, "html.parser")
    return [[[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in page.select(f"{table} tbody tr")]
            for table in ("#learners", "#strangers")]  # fmt: skip


def test_the_terminal_says_where_the_board_is_and_what_opens_it_from_elsewhere(class_server):
    assert f"Class board: {class_server.origin}/_mock/class" in class_server.log()
    passed_on = {"X-Forwarded-For": "192.0.2.7"}
    code = {"X-Mock-Instructor": re.search(r"Instructor code.*: (\S+)", class_server.log())[1]}
    for headers, status in ((passed_on, 403), (passed_on | code, 200)):
        assert requests.get(f"{class_server.origin}/_mock/class", headers=headers, timeout=PATIENCE).status_code == status


@pytest.mark.parametrize("code", [None, "", "red-whale", "blue-whale-2"])
def test_without_the_code_nobody_signs_up(class_server, monkeypatch, code):
    monkeypatch.delenv("LINKED_IS_CLASS_CODE", raising=False)
    if code is not None:
        monkeypatch.setenv("LINKED_IS_CLASS_CODE", code)
    with pytest.raises(PageError, match="This is not the class code. Ask your instructor for it."):
        SettingsPage(class_server.base_url).sign_up()


def test_the_board_shows_how_far_a_learner_is(class_server, monkeypatch):
    monkeypatch.setenv("LINKED_IS_CLASS_CODE", "blue-whale")
    page = SettingsPage(class_server.base_url)
    page.sign_up()
    token = page.generate_token(name="First")
    assert board(class_server)[0][0] == [page.email, "1", "0", "0", "none", "none"]
    requests.get(f"{class_server.base_url}/links", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
    assert board(class_server)[0][0] == [page.email, "1", "1", "0", "GET /v1/links 200", "none"]
    page.revoke("First")
    requests.get(f"{class_server.base_url}/links", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
    row = board(class_server)[0][0]
    assert row[:5] == [page.email, "1", "1", "1", "GET /v1/links 401"]
    assert row[5].startswith("INVALID_TOKEN")


def test_the_board_shows_what_strangers_did_wrong_and_no_token(class_server):
    for header in ({}, {"Authorization": "Bearer lis_mock_cutoff"}, {"Authorization": "Bearer <b>x</b>"}):
        requests.get(f"{class_server.base_url}/links", headers=header, timeout=PATIENCE)
    strangers = board(class_server)[1]
    assert [row[2] for row in strangers[:3]] == ["INVALID_TOKEN", "INVALID_TOKEN", "MISSING_TOKEN"]
    assert strangers[1][3].startswith("The token is cut off.")
    text = requests.get(f"{class_server.origin}/_mock/class", timeout=PATIENCE).text
    assert "cutoff" not in text and "<b>x" not in text


def test_the_board_is_for_the_instructors_computer_only(bench):
    far = bench.client(client=("192.0.2.7", 50000))
    assert far.get("/_mock/class", headers=bench.account()).status_code == 403
    assert bench.client().get("/_mock/class", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


# How much there may be


@pytest.fixture
def small(bench):
    """A bench with an account, whose server takes two of everything."""
    bench.store.limits = Limits(accounts=2, links=2, tokens=2, sessions=2)
    return bench


def test_there_are_only_so_many_accounts_and_tokens(small):
    for email, said in {"1@example.com": "", "2@example.com": "", "3@example.com": "takes no more"}.items():
        page = small.client()
        submit(page, "/signup", email=email, password="a long password")
        assert said in page.answer.text and (said != "") == (page.answer.status_code == 400)
    page = small.client()
    submit(page, "/login", email="1@example.com", password="a long password")
    for said in ("lis_mock_", "lis_mock_", "You have made 2 tokens: this mock server takes no more."):
        submit(page, "/settings/api", "/settings/api/tokens", name="x", lifetime="never")
        assert said in page.answer.text


def test_there_are_only_so_many_links_profiles_and_blocks(small):
    client = small.client(headers=small.account())
    for path, thing in {
        "/v1/links": {"url": "https://example.com"},
        "/v1/profiles": {"displayName": "x", "slug": "x"},
        "/v1/profiles/prof_123456/blocks": {"title": "x"},
    }.items():
        while (answer := client.post(path, json=thing)).status_code == 201:
            pass
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
        assert "this mock server takes no more. Delete one first." in answer.json()["error"]["message"]
    links = client.get("/v1/links").json()["data"]
    for link in links[:-1]:
        client.delete(f"/v1/links/{link['id']}")
    assert client.post("/v1/links", json={"url": "https://example.com"}).status_code == 201


def test_only_so_many_browsers_stay_logged_in_and_for_a_month_only(small):
    account = small.store.add_account("1@example.com", "$")
    for digest in ("a", "b", "c"):
        small.store.add_session(digest, account)
    assert [small.store.find_session(digest) for digest in ("a", "b", "c")] == [None, account, account]
    assert small.restarted().store.find_session("c").email == account.email
    small.store.advance_clock(None, 90 * DAY)  # a lesson's clock logs nobody out
    assert small.store.find_session("c") is account
    small.clock.time += 30 * DAY
    assert small.store.find_session("c") is None


def submit(client, path, action=None, **fields):
    form_token = re.search('name="form_token" value="(.*?)"', client.get(path).text)[1]
    client.answer = client.post(action or path, data={"form_token": form_token, **fields})


def test_the_command_line_takes_limits():
    assert parser().parse_args(["--limit", "accounts=30", "--limit", "links=5"]).limit == [("accounts", 30), ("links", 5)]
