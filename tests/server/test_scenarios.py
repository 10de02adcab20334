"""Each scenario stops a naive client, and the course's client goes on or says why it doesn't."""

import re
import runpy

import pytest
import requests

from mock_server.contract import openapi
from mock_server.scenarios import SCENARIOS
from mock_server.testing import linked_is as new_linked_is
from tools.running import ROOT
from tools.write_exercises import SOLUTIONS, defined_in

RETRY_AFTER = ROOT / "docs" / "samples" / "retry_after.py"
WITHOUT_AN_ANSWER = {"slow-answer", "dropped-connection"}
TIMEOUT = 10  # seconds: the course's
COURSE = defined_in(SOLUTIONS[-1])


@pytest.fixture
def waits(monkeypatch):
    """The seconds that somebody waited; nobody does."""
    waits = []
    monkeypatch.setattr("time.sleep", lambda seconds: waits.append(seconds) if seconds else None)
    return waits


@pytest.fixture
def linked_is(waits):
    with new_linked_is(in_process=True) as linked_is:
        yield linked_is


class Naive:
    """A client as one writes it first."""

    def __init__(self, token, base_url):
        self.token, self.base_url = token, base_url

    def call(self, method, path, **options):
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, self.base_url + path, headers=headers, **options).json()["data"]  # noqa: S113


def make_links(client_type, linked_is, error_type):
    """Make four links, as a program does that may be told by its client that it needs another token."""
    client = client_type(linked_is.token, linked_is.base_url)
    for number in range(4):
        link = {"url": f"https://example.com/{number}"}
        try:
            client.call("POST", "/links", json=link)
        except error_type as error:
            if error.code not in ("TOKEN_EXPIRED", "INVALID_TOKEN"):
                raise
            client = client_type(linked_is.settings_page.generate_token(name="New"), linked_is.base_url)
            client.call("POST", "/links", json=link)


def begin(linked_is, scenario):
    linked_is.scenario(scenario)
    if scenario == "token-expires":
        linked_is.clock.advance(60)


ANSWERED = pytest.mark.parametrize("scenario", sorted(SCENARIOS.keys() - WITHOUT_AN_ANSWER))


@ANSWERED
def test_an_error_ends_a_naive_client(linked_is, scenario):
    begin(linked_is, scenario)
    with pytest.raises(KeyError):
        make_links(Naive, linked_is, COURSE["LinkedIsError"])


@ANSWERED
def test_after_an_error_the_course_goes_on(linked_is, waits, scenario):
    begin(linked_is, scenario)
    make_links(COURSE["LinkedIsClient"], linked_is, COURSE["LinkedIsError"])
    statuses = [call["status"] for call in linked_is.requests]
    assert (statuses.count(201), len(statuses)) == (4, 5)  # each link once, and one call that failed
    assert bool(waits) == scenario.startswith("rate-limited")


@pytest.mark.parametrize("scenario", sorted(WITHOUT_AN_ANSWER))
def test_where_no_answer_comes_the_course_says_so_soon(linked_is, waits, scenario):
    linked_is.scenario(scenario)
    if scenario == "slow-answer":
        Naive(linked_is.token, linked_is.base_url).call("GET", "/links")
        assert max(waits) > TIMEOUT
    else:
        with pytest.raises(requests.RequestException):
            Naive(linked_is.token, linked_is.base_url).call("GET", "/links")
    waits.clear()
    linked_is.scenario(scenario)
    with pytest.raises(SystemExit, match="No answer from"):
        runpy.run_path(str(RETRY_AFTER))
    assert max(waits, default=0) <= TIMEOUT


def test_a_scenario_takes_its_number_and_no_other(linked_is):
    call = Naive(linked_is.token, linked_is.base_url).call
    assert linked_is.control("/scenario", {"scenario": "revoked-in-a-batch", "calls": 0})["calls"] == 0
    with pytest.raises(KeyError):
        call("GET", "/links")
    with pytest.raises(ValueError, match="It takes seconds"):
        linked_is.scenario("slow-answer", calls=3)
    with pytest.raises(ValueError, match="must be one of"):
        linked_is.scenario("a-bad-day")


def test_only_what_works_ends_and_what_ends_sooner_stays(linked_is):
    page = linked_is.settings_page
    page.generate_token(name="Hour", lifetime="1 hour")
    page.generate_token(name="Old")
    page.revoke("Old")
    linked_is.scenario("token-expires", seconds=7_200)
    linked_is.clock.advance(3_601)
    assert {token.name: token.state for token in page.tokens()} == {"Old": "revoked", "Hour": "expired", "Test": "active"}
    linked_is.clock.advance(3_600)
    assert {token.name: token.state for token in page.tokens()} == {"Old": "revoked", "Hour": "expired", "Test": "expired"}


def test_the_contract_has_every_scenario():
    assert openapi()["components"]["schemas"]["ScenarioName"]["enum"] == list(SCENARIOS)


def test_the_reference_has_every_scenario_with_its_number():
    rows = (ROOT / "docs" / "reference" / "controls.md").read_text(encoding="utf-8").splitlines()
    for name, scenario in SCENARIOS.items():
        (row,) = [row for row in rows if row.startswith(f"| `{name}` |")]
        takes = re.search(r"`(seconds|calls)`[^|]*?, (\d+) by default", row)
        said = (takes[1], int(takes[2])) if takes else None
        assert said in ((scenario.number, scenario.default), None if name.endswith(("header", "connection")) else ()), name
