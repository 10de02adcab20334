"""``--class``: sign-up with a code, and the instructor's board."""

import re

import pytest
import requests
from bs4 import BeautifulSoup

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
