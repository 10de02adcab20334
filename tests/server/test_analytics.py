"""Clicks: how they are counted, over time and by visitor; and the 90 days that demo links come with."""

import pytest

from mock_server import demo_data
from mock_server.clock import DAY, iso
from mock_server.content import MOST_VALUES

LINK = "/v1/links/clx1234567890"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19 Mobile/15E Safari/604.1"
LAPTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537 Chrome/150.0 Safari/537 Edg/150.0"


def stats(client, path=LINK, **query):
    answer = client.get(f"{path}/stats", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_the_demo_clicks_lie_in_the_90_days_before_the_account_was_opened(application, client):
    midnight = application.clock.now() // DAY * DAY
    everything = stats(client, start=iso(midnight - 90 * DAY), end=iso(midnight - 1))
    assert everything["totalClicks"] == 1284
    days = [entry["clicks"] for entry in everything["clicksOverTime"]]
    assert len(days) == 90 and min(days) > 0
    assert stats(client, start=iso(midnight))["totalClicks"] == 0


def test_the_demo_clicks_are_the_same_for_everybody_and_at_every_start(application, client):
    other = application.client()
    other.headers.update(application.account("other@example.com"))
    assert stats(client) == stats(other)
    before = stats(client)
    demo_data.history.cache_clear()
    assert stats(client) == before


def test_the_demo_clicks_move_with_a_clock_that_is_set_and_stay_when_it_is_advanced(client):
    client.post("/_mock/clock", json={"set": "2026-06-01T12:00:00Z"})
    first = stats(client)
    assert first["clicksOverTime"][-1] == {"date": "2026-06-01", "clicks": 0}
    assert first["clicksOverTime"][-2]["clicks"] > 0
    client.post("/_mock/clock", json={"advance": 3 * DAY})
    later = {entry["date"]: entry["clicks"] for entry in stats(client)["clicksOverTime"]}
    assert later["2026-06-03"] == 0
    assert later["2026-05-31"] == first["clicksOverTime"][-2]["clicks"]


def test_a_click_is_counted_with_what_the_visitor_shows(client):
    address = "/v1/links/" + client.post("/v1/links", json={"url": "https://example.com", "slug": "mine"}).json()["data"]["id"]
    for agent, referrer in [(PHONE, "https://instagram.com/p/1"), (PHONE, ""), (LAPTOP, "nonsense"), (LAPTOP, "https://[")]:
        client.get("/s/mine", headers={"User-Agent": agent, "Referer": referrer})
    counted = stats(client, address)
    assert (counted["totalClicks"], counted["uniqueVisitors"]) == (4, 2)
    assert counted["devices"] == [{"device": "desktop", "clicks": 2}, {"device": "mobile", "clicks": 2}]
    assert counted["browsers"] == [{"browser": "Edge", "clicks": 2}, {"browser": "Safari", "clicks": 2}]
    assert counted["operatingSystems"] == [{"os": "Windows", "clicks": 2}, {"os": "iOS", "clicks": 2}]
    assert counted["referrers"] == [{"referrer": "Direct", "clicks": 3}, {"referrer": "instagram.com", "clicks": 1}]
    assert counted["countries"] == [{"country": "Unknown", "code": "ZZ", "clicks": 4}]
    assert client.get(address).json()["data"]["clicks"] == 4


@pytest.mark.parametrize(
    ("interval", "start", "end", "dates"),
    [
        ("hour", "2027-01-14T22:30:00Z", "2027-01-15T00:00:00Z", ["2027-01-14T22:00:00Z", "2027-01-14T23:00:00Z", "2027-01-15T00:00:00Z"]),
        ("day", "2027-02-27", "2027-03-01", ["2027-02-27", "2027-02-28", "2027-03-01"]),
        ("week", "2026-12-31", "2027-01-11", ["2026-12-28", "2027-01-04", "2027-01-11"]),  # Mondays
        ("month", "2026-11-30", "2027-01-01", ["2026-11-01", "2026-12-01", "2027-01-01"]),
    ],
)  # fmt: skip
def test_every_interval_is_listed(client, interval, start, end, dates):
    assert [entry["date"] for entry in stats(client, interval=interval, start=start, end=end)["clicksOverTime"]] == dates


def test_the_intervals_agree_with_each_other(client):
    whole = {"start": "2026-10-01", "end": "2027-01-15"}
    for interval in ("day", "week", "month"):
        counted = stats(client, interval=interval, **whole)
        assert sum(entry["clicks"] for entry in counted["clicksOverTime"]) == counted["totalClicks"] == 1284


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"start": "2027-01-02", "end": "2027-01-01"}, "end: must not be earlier than start"),
        ({"end": "2020-01-01"}, "end: must not be earlier than start"),
        ({"start": "2000-01-01", "end": "2099-12-31", "interval": "hour"}, "interval: the time from start to end has more than 1000"),
        ({"interval": "year"}, "interval: must be one of hour, day, week, month"),
        ({"start": "yesterday"}, "start: must be a time in ISO 8601"),
        ({"begin": "2027-01-01"}, "begin: is not a query parameter here. These are: start, end, interval"),
        ([("start", "2027-01-01"), ("start", "2027-01-02")], "start: stands in the query more than once"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_told(client, query, words):
    answer = client.get(f"{LINK}/stats", params=query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert words in answer.json()["error"]["message"]


def test_the_longest_time_in_the_shortest_interval_is_refused_at_once(client):
    assert len(stats(client, start="2027-01-01T00:00:00Z", end="2027-02-11T15:00:00Z", interval="hour")["clicksOverTime"]) == 1000
    assert (
        client.get(f"{LINK}/stats", params={"start": "2027-01-01", "end": "2027-02-11T16:00:00Z", "interval": "hour"}).status_code
        == 400
    )


def test_clicks_go_with_their_link(application, client):
    client.get("/s/spring-menu")
    client.delete(LINK)
    assert client.get(f"{LINK}/stats").status_code == 404
    assert application.store.database.connection.execute("SELECT count(*) FROM clicks").fetchone() == (0,)


def test_many_clicks_take_the_room_of_few(application, client):
    """Clicks in an hour take no more rows, and who looks different each time only as many as are told apart."""
    store, content = application.store, application.store.content(application.store.accounts[1])
    visitor = {"country": "Unknown", "code": "ZZ", "city": "Unknown", "device": "mobile", "browser": "Other", "os": "iOS"}
    for number in range(3 * MOST_VALUES):
        visitor |= {"visitor": str(number), "referrer": f"{number}.example"}
        content.count_click(content.find_slug("jobs"), visitor)
    (rows,) = store.database.connection.execute("SELECT count(*) FROM clicks").fetchone()
    assert rows < 3 * MOST_VALUES
    for again in (client, application.restarted().client(headers=client.headers)):
        counted = stats(again, "/v1/links/" + content.find_slug("jobs").id, start=iso(application.clock.now()))
        assert (counted["totalClicks"], counted["uniqueVisitors"]) == (3 * MOST_VALUES, MOST_VALUES + 1)
        assert counted["referrers"][0] == {"referrer": "Other", "clicks": 2 * MOST_VALUES}
        assert counted["clicksOverTime"] == [{"date": "2027-01-15", "clicks": 3 * MOST_VALUES}]


def test_a_date_at_the_end_means_the_whole_day(application, client):
    client.post("/_mock/clock", json={"set": "2026-06-16T12:00:00Z"})
    client.get("/s/spring-menu")
    day = stats(client, start="2026-06-16", end="2026-06-16")
    assert day["clicksOverTime"] == [{"date": "2026-06-16", "clicks": 1}]
    assert stats(client, start="2026-06-16", end="2026-06-16T00:00:00Z")["totalClicks"] == 0


def test_a_click_has_the_time_at_which_it_came_also_after_the_clock_was_set_back(application, client):
    for moment in ("2026-06-16T12:00:00Z", "2026-06-10T12:00:00Z", "2026-06-13T12:00:00Z"):
        client.post("/_mock/clock", json={"set": moment})
        client.get("/s/jobs")
    for one in (client, application.restarted().client(headers=dict(client.headers))):
        one.post("/_mock/clock", json={"set": "2026-04-01"})
        for day in ("10", "13", "16"):
            clicks = stats(one, "/v1/links/clx4197533851", start=f"2026-06-{day}", end=f"2026-06-{day}")["totalClicks"]
            assert clicks == 1, day


def test_a_plus_that_became_a_space_is_named(client):
    answer = client.get(f"{LINK}/stats?end=2026-06-16T12:00:00+02:00")
    assert answer.status_code == 400 and "write %2B" in answer.json()["error"]["message"]
    assert "%2B" not in client.get(f"{LINK}/stats?end=at%20noon").json()["error"]["message"]
    assert client.get(f"{LINK}/stats?end=2026-06-16T12:00:00%2B02:00&start=2026-06-16").status_code == 200
