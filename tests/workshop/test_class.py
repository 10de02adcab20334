"""``--class``: sign-up with a code, and the instructor's board; and how much the mock server takes."""

import csv
import io
import json
import re

import pytest
import requests
from bs4 import BeautifulSoup
from starlette.requests import Request

from mock_server.__main__ import parser
from mock_server.classroom import Classroom, Person, course
from mock_server.clock import DAY
from mock_server.dot_env import WrongSetting
from mock_server.model import Account, Limits
from mock_server.settings_page import PageError, SettingsPage
from mock_server.traffic import NotedCall
from tools.running import NOTEBOOKS, PATIENCE, ROOT, MockServer
from tools.write_exercises import EXERCISES

CODE = "blue-whale"


@pytest.fixture(scope="module")
def class_server():
    with MockServer("--class", CODE) as server:
        yield server


@pytest.fixture
def learner(class_server, monkeypatch):
    """Return what makes the page object of a learner with this name, as a notebook makes it that has this path."""

    def learner(name, notebook="notebooks/04-call-the-api.ipynb", code=CODE):
        for setting, value in (("CLASS_CODE", code), ("LEARNER", name)):
            monkeypatch.setenv(f"LINKED_IS_{setting}", value)
        monkeypatch.setenv("JPY_SESSION_NAME", notebook)
        return SettingsPage(class_server.base_url)

    return learner


@pytest.fixture
def client_at():
    """Return what makes a request from a network address."""
    return lambda address: Request({"type": "http", "client": (address, 50000)})


def board(server, table="learners", **asked):
    """Return the rows of a table of the board by their first cell, each as a dictionary from label to text."""
    answer = requests.get(f"{server.origin}/_mock/class", params=asked, timeout=PATIENCE)
    assert answer.status_code == 200
    rows = BeautifulSoup(answer.text, "html.parser").select(f"#{table} tbody tr")
    cells = [{cell["data-label"]: cell.get_text(" ", strip=True) for cell in row.select("[data-label]")} for row in rows]
    return {next(iter(row.values())): row for row in cells}


def call(server, token, path="/links"):
    """Call the API, and return the status."""
    return requests.get(server.base_url + path, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE).status_code


def test_the_terminal_says_where_the_board_is_and_what_opens_it_from_elsewhere(class_server):
    assert f"Class board: {class_server.origin}/_mock/class" in class_server.log()
    passed_on = {"X-Forwarded-For": "192.0.2.7"}
    code = {"X-Mock-Instructor": re.search(r"Instructor code.*: (\S+)", class_server.log())[1]}
    for headers, status in ((passed_on, 403), (passed_on | code, 200)):
        assert requests.get(f"{class_server.origin}/_mock/class", headers=headers, timeout=PATIENCE).status_code == status


@pytest.mark.parametrize("code", ["red-whale", "blue-whale-2"])
def test_without_the_code_nobody_signs_up(class_server, learner, code):
    with pytest.raises(PageError, match="This is not the class code. Ask your instructor for it."):
        learner("Eve", code=code).sign_up()
    assert "Eve" not in board(class_server)


@pytest.mark.parametrize(("setting", "code", "name"), [("LINKED_IS_CLASS_CODE", "", "Eve"), ("LINKED_IS_LEARNER", CODE, " ")])
def test_a_setting_that_a_class_needs_is_named(learner, setting, code, name):
    with pytest.raises(WrongSetting, match=f"line {setting}="):
        learner(name, code=code).sign_up()


@pytest.mark.parametrize("name", ["x" * 41, "lis_mock_cutoff"])
def test_a_name_is_short_and_no_token(class_server, learner, name):
    with pytest.raises(PageError, match="name"):
        learner(name).sign_up()
    assert name not in board(class_server)


def test_the_settings_of_a_class_do_no_harm_without_one(learner):
    page = learner("Ada")
    with MockServer() as own:
        page = SettingsPage(own.base_url)
        page.sign_up()
        with pytest.raises(PageError, match="no class"):
            page.raise_hand()
        assert "--class" in requests.get(f"{own.origin}/_mock/class", timeout=PATIENCE).text


def test_the_board_shows_how_far_a_learner_is(class_server, learner):
    page = learner("Ada Ødegård")
    page.sign_up()
    token = page.generate_token(name="First")

    def tokens():
        row = board(class_server)["Ada Ødegård"]
        return row["Generated"], row["Used"], row["Revoked"], row["Last"]

    assert tokens() == ("1", "0", "0", "Generate New Token")
    call(class_server, token)
    assert tokens() == ("1", "1", "0", "GET /v1/links 200")
    page.revoke("First")
    call(class_server, token)
    assert tokens() == ("1", "1", "1", "GET /v1/links 401 INVALID_TOKEN")


def test_all_accounts_of_a_learner_are_one_row(class_server, learner):
    for name in ("Grace", "grace ", "Grace"):
        page = learner(name)
        page.sign_up()
        page.generate_token()
    found = [row for name, row in board(class_server).items() if name.casefold() == "grace"]
    assert [row["Generated"] for row in found] == ["3"]


def test_the_board_tells_planned_errors_from_others_and_knows_the_step(class_server, learner):
    page = learner("Joan")

    def seen():
        row = board(class_server)["Joan"]
        return row["State"].partition(" ")[0], row["Lesson and step"], row["Error"]

    assert seen() == ("last", "Call the API with your token", "none")
    page.sign_up()
    token = page.generate_token()
    call(class_server, token)
    assert seen() == ("last", "Call the API with your token Make the first call", "none")
    call(class_server, token, "/links/no-such-link")
    assert seen() == ("last", "Call the API with your token Check before you use it", "1 planned")
    call(class_server, token, "/link")
    call(class_server, token, "/links/no-such-link")  # what worked before is no way out
    assert seen() == ("stuck", "Call the API with your token Check before you use it", "NOT_FOUND 2 planned")
    assert "Joan" in board(class_server, show="help") and "Grace" not in board(class_server, show="help")
    learner("Joan", "C:/kit/notebooks/exercises/05-use-what-a-token-opens.ipynb")
    assert seen()[:2] == ("last", "Exercises: use all that a token opens")
    assert list(board(class_server, show="exercises/05-use-what-a-token-opens")) == ["Joan"]
    assert list(board(class_server, name="JO")) == ["Joan"]


def test_a_hand_is_raised_and_lowered(class_server, learner):
    page = learner("Mary")
    page.raise_hand("The cell is red")  # before the first account
    assert "hand up" in board(class_server)["Mary"]["State"] and "The cell is red" in board(class_server)["Mary"]["State"]
    page.lower_hand()
    assert "hand up" not in board(class_server)["Mary"]["State"]
    page.sign_up()
    page.raise_hand("lis_mock_cutoff")
    assert next(iter(board(class_server))) == "Mary"
    assert "cutoff" not in board(class_server)["Mary"]["State"]
    lower = f"{class_server.origin}/instructor/lower"
    for headers, is_up in (({"Sec-Fetch-Site": "cross-site"}, True), ({"X-Forwarded-For": "192.0.2.7"}, True), ({}, False)):
        requests.post(lower, data={"learner": "Mary"}, headers=headers, timeout=PATIENCE)
        assert ("hand up" in board(class_server)["Mary"]["State"]) == is_up


def test_nobody_joins_with_a_wrong_code_in_a_header(class_server):
    headers = {"X-Mock-Learner": "Mallory", "X-Mock-Class-Code": "red-whale"}
    assert requests.get(f"{class_server.origin}/_mock/health", headers=headers, timeout=PATIENCE).status_code == 200
    assert "Mallory" not in board(class_server)


def test_the_board_is_a_table_for_a_spreadsheet_too(class_server, learner):
    learner("=1+1").sign_up()
    answer = requests.get(f"{class_server.origin}/_mock/class", params={"as": "csv", "name": "=1"}, timeout=PATIENCE)
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["Learner"], row["State"], row["Did"], row["Accounts"]) == ("'=1+1", "last seen", "Sign up", "1")
    assert row["Lesson"] == "Call the API with your token"


def error(path="/v1/links", code="INVALID_REQUEST", address="192.0.2.9"):
    return NotedCall(1, 0, address, "GET", path, "", [], status=400, error=code)


def test_those_who_need_help_come_first_and_who_waits_for_longest_is_the_first_of_them(client_at):
    now = iter(range(1_000_000))
    room = Classroom(CODE, lambda: next(now))
    people = [room.join(name, client_at(f"192.0.2.{number}")) for number, name in enumerate("abcdef")]
    for person in (people[4], people[2]):
        room.called(error(address=next(iter(person.addresses))), None)
    room.called(error(address="192.0.2.4"), None)  # still stuck since the first
    for person in (people[5], people[3]):
        room.raise_hand(person, "")
    room.raise_hand(people[5], "again")
    assert "".join(person.name for person in room.people()) == "fdecab"


def test_a_call_of_an_account_without_a_name_is_of_the_one_learner_at_its_address(client_at):
    room = Classroom(CODE, lambda: 0)  # as after a restart
    person = room.join("Ada", client_at("192.0.2.9"))
    room.called(error(), Account(1, "ada@example.com", "", 0))
    assert person.needs_help


def test_two_learners_behind_one_address_are_not_mistaken_for_each_other(client_at):
    room = Classroom(CODE, lambda: 0)
    one, other = (room.join(name, client_at("192.0.2.9")) for name in ("One", "Other"))
    room.called(error(), None)
    assert not one.needs_help and not other.needs_help


def test_an_error_is_planned_only_where_a_lesson_has_it_and_success_is_a_way_out():
    person = Person("Ada", 0)
    person.began("06-read-authentication-errors")
    missing, expired = (error("/v1/links", code) for code in ("MISSING_TOKEN", "TOKEN_EXPIRED"))
    missing.status = expired.status = 401
    person.called(missing, 0)
    person.called(expired, 1)
    assert person.planned == 2 and not person.needs_help
    person.called(error("/v1/links/clx1234567890"), 2)
    person.called(missing, 3)  # from the top again
    dropped = error("/v1/links/clx1234567890")
    dropped.status, dropped.error = 0, None
    person.called(dropped, 3)  # no answer is no way out
    assert person.trouble.since == 2 and person.planned == 3
    solved = error("/v1/links/clx1234567890")
    solved.status, solved.error = 200, None
    person.called(solved, 4)
    assert not person.needs_help


def test_what_is_done_once_more_or_too_early_is_no_later_step():
    person = Person("Ada", 0)
    person.began("04-call-the-api")
    for what in ("Sign up", "Generate New Token", "GET /v1/links 200", "GET /v1/links 200"):
        person.did(what, 0)
    assert person.step_title == "Make the first call"  # a later step has this call too
    person.began("06-read-authentication-errors")
    expired = error(code="TOKEN_EXPIRED")
    expired.status = 401
    person.called(expired, 1)
    assert person.needs_help and person.step == -1


def test_what_the_board_knows_of_the_course_is_in_the_notebooks():
    notebooks = ROOT / "notebooks"
    assert set(course()) == {str(path.relative_to(notebooks).with_suffix("")) for path in [*NOTEBOOKS, *EXERCISES]}
    for name, lesson in course().items():
        text = (notebooks / f"{name}.ipynb").read_text(encoding="utf-8")
        assert all(json.dumps(step.heading, ensure_ascii=False)[1:-1] in text for step in lesson.steps), name
        assert lesson.title in text


def test_the_board_shows_what_strangers_did_wrong_and_no_token(class_server):
    for header in ({}, {"Authorization": "Bearer lis_mock_cutoff"}, {"Authorization": "Bearer <b>x</b>"}):
        requests.get(f"{class_server.base_url}/links", headers=header, timeout=PATIENCE)
    answer = requests.get(f"{class_server.origin}/_mock/class", timeout=PATIENCE)
    rows = BeautifulSoup(answer.text, "html.parser").select("#strangers tbody tr")
    strangers = [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in rows]
    assert [row[2] for row in strangers[:3]] == ["INVALID_TOKEN", "INVALID_TOKEN", "MISSING_TOKEN"]
    assert strangers[1][3].startswith("The token is cut off.")
    assert "cutoff" not in answer.text and "<b>x" not in answer.text


# How much there may be


@pytest.fixture
def small(application):
    """An application with an account, whose server takes two of everything."""
    application.store.limits = Limits(accounts=2, links=2, tokens=2, sessions=2)
    return application


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
