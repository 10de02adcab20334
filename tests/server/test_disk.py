"""The disk: full, full halfway through a change, read-only. What was refused never happened; what was answered stays."""

import asyncio
import ctypes
import os
import sqlite3
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import count

import httpx2
import pytest
import requests

from mock_server.clock import Clock
from mock_server.database import TABLES, Database, DatabaseError
from mock_server.settings_page import PageError, SettingsPage
from mock_server.store import Store
from tools.running import PATIENCE, ROOT, MockServer, run_async

FULL = "The disk is full, or the database cannot be written. Free some space, then try again."

# Every kind of write: method, path and body. FORM is a button of the page, ALL a control without an account.
CHANGES = {
    "make a link": ("POST", "/v1/links", {"url": "https://example.com/new"}),
    "change a link": ("PATCH", "/v1/links/clx1234567890", {"title": "Changed"}),
    "delete a link with clicks": ("DELETE", "/v1/links/clx1234567890", None),
    "make a profile": ("POST", "/v1/profiles", {"displayName": "New", "slug": "new"}),
    "change a profile": ("PATCH", "/v1/profiles/prof_123456", {"bio": "Changed"}),
    "delete a profile with blocks": ("DELETE", "/v1/profiles/prof_123456", None),
    "make a block": ("POST", "/v1/profiles/prof_123456/blocks", {"title": "New"}),
    "delete a block": ("DELETE", "/v1/profiles/prof_123456/blocks/blk_246813", None),
    "reset": ("POST", "/_mock/reset", None),
    "change the plan": ("POST", "/_mock/plan", {"plan": "Pro"}),
    "move the clock": ("POST", "/_mock/clock", {"advance": 99}),
    "set the clock": ("POST", "/_mock/clock", {"set": "2030-05-01"}),
    "stop the clock": ("POST", "/_mock/clock", {"freeze": True}),
    "let the tokens expire": ("POST", "/_mock/scenario", {"scenario": "expired-in-a-pause"}),
    "generate a token": ("FORM", "/settings/api/tokens", {"name": "new", "lifetime": "never"}),
    "revoke a token": ("FORM", "/settings/api/tokens/1/revoke", {}),
    "change the plan on the page": ("FORM", "/settings/plan", {"plan": "Pro"}),
    "log in again": ("FORM", "/login", {"email": "person@example.com", "password": "password"}),
    "log out": ("FORM", "/logout", {}),
    "sign up": ("FORM", "/signup", {"email": "new@example.com", "password": "password"}),
    "reset all": ("ALL", "/_mock/reset", None),
    "change the plan of all": ("ALL", "/_mock/plan", {"plan": "Pro"}),
    "move the clock of all": ("ALL", "/_mock/clock", {"advance": 99}),
    "set the clock of all": ("ALL", "/_mock/clock", {"set": "2030-05-01"}),
    "stop the clock of all": ("ALL", "/_mock/clock", {"freeze": True}),
}


class Disk:
    """A disk that can fill up: SQLite itself refuses more pages, and every write, a deletion too, asks for some."""

    def __init__(self, database):
        self.connection = database.connection
        self.connection.execute("CREATE TABLE ballast (bytes)")
        for table in ("server_clock", *(table for table, _ in TABLES.values())):
            for change in ("INSERT", "UPDATE", "DELETE"):
                self.connection.execute(
                    f"CREATE TEMP TRIGGER {change}_{table} AFTER {change} ON {table} "
                    "BEGIN INSERT INTO ballast VALUES (zeroblob(40000)); END"
                )

    def leave_room_for(self, writes):
        """Let so many writes through, then none."""
        (pages,) = self.connection.execute("PRAGMA main.page_count").fetchone()
        self.connection.execute(f"PRAGMA main.max_page_count = {pages + 10 * writes}")  # ten of 4 KiB hold one ballast


class Person:
    """Somebody with an account that holds a bit of everything, with the page open and a token in use; and a neighbour."""

    def __init__(self, application):
        application.account("neighbour@example.com")
        application.store.content(application.store.accounts[1]).add_link({"url": "https://example.com/theirs"})
        application.store.advance_clock(None, 9)
        self.program, self.browser, self.anybody = application.client(), application.client(), application.client()
        self.submit("/signup", {"email": "person@example.com", "password": "password"})
        token = application.store.generate_token(application.store.find_account("person@example.com"), "test", None)
        self.program.headers["Authorization"] = f"Bearer {token}"
        self.program.post("/v1/links", json={"url": "https://example.com/mine"})
        self.program.get("/s/spring-menu", follow_redirects=False)
        self.disk = Disk(application.store.database)

    def make(self, change):
        """Make one of CHANGES and return the answer."""
        method, path, body = CHANGES[change]
        if method == "FORM":
            return self.submit(path, body)
        client, method = (self.anybody, "POST") if method == "ALL" else (self.program, method)
        return client.request(method, path, json=body, follow_redirects=False)

    def submit(self, path, fields):
        """Press a button of the page."""
        page = self.browser.get("/settings/api").text
        hidden = page.split('name="form_token" value="')[1].split('"')[0]
        return self.browser.post(path, data={**fields, "form_token": hidden}, follow_redirects=False)


@pytest.fixture
def person(application):
    return Person(application)


def held(store):
    """Return a copy of all that the store holds, but for the last use of a token: that is noted when it can be."""
    records = list(store._sessions.values())
    for account in store.accounts.values():
        content = store.content(account)
        records += [account, *store.tokens(account), *content.links, *content.profiles]
        records += [block for profile in content.profiles for block in content.blocks(profile)]
        records += [count for link in content.links for count in content._counts(link.number)]
    return [store.clock.offset, store.clock.frozen_at] + [{**asdict(record), "last_used_at": None} for record in records]


def restarted(application):
    """Return a store as a restart would read it from the database."""
    return Store(application.store.database, Clock(application.clock.real_time))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_the_disk_cuts_off_has_not_begun(application, person, change):
    before = held(application.store)
    for writes in range(100):
        person.disk.leave_room_for(writes)
        answer = person.make(change)
        if answer.status_code < 400:
            break
        assert answer.status_code == 500 and FULL in answer.text
        if answer.headers["Content-Type"] == "application/json":
            assert answer.json() == {"success": False, "error": {"code": "INTERNAL_ERROR", "message": FULL}}
        assert held(application.store) == before, f"memory has changed, though only {writes} writes went through"
        assert held(restarted(application)) == before, f"the database has changed, though only {writes} writes went through"
    assert writes > 0
    assert held(restarted(application)) == held(application.store) != before


class Failing:
    """A connection whose statement with this number fails, once, as on a disk that can't be read or written there."""

    def __init__(self, connection, number):
        self.connection, self.left = connection, number

    def execute(self, *statement):
        self.left -= 1
        if self.left == 0:
            raise sqlite3.OperationalError("disk I/O error")
        return self.connection.execute(*statement)

    def __getattr__(self, name):
        return getattr(self.connection, name)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_which_one_statement_fails_has_not_begun(application, person, change):
    before, database = held(application.store), application.store.database
    connection = database.connection
    for number in range(1, 300):
        database.connection = Failing(connection, number)
        answer = person.make(change)
        missed, database.connection = database.connection.left > 0, connection
        if missed or answer.status_code < 400:  # that a token was used may go unnoted
            break
        assert answer.status_code == 500 and FULL in answer.text
        assert held(application.store) == held(restarted(application)) == before, (
            f"something has changed, though statement {number} failed"
        )
    assert number > 1


def test_each_statement_of_a_start_may_fail(tmp_path, monkeypatch):
    path, connect, number = str(tmp_path / "mock.db"), sqlite3.connect, 0
    store = Store(Database(path), Clock())
    store.add_account("person@example.com", "$")
    before = held(store)
    store.database.close()
    for start in (path, ":memory:"):
        for number in count(1):
            failing = []
            monkeypatch.setattr(
                sqlite3, "connect", lambda *a, n=number, f=failing, **k: f.append(Failing(connect(*a, **k), n)) or f[0]
            )
            with suppress(DatabaseError):
                Store(Database(start), Clock())
            failing[0].close()
            if failing[0].left > 0:
                break
        assert number > 10
    monkeypatch.undo()
    assert held(Store(Database(path), Clock())) == before


def test_a_call_under_way_outlives_a_change_that_fails(application, person):
    async def a_reset_fails_during_a_call():
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def body():
            begun.set()
            await go_on.wait()
            yield b'{"url": "https://example.com/slow"}'

        transport = httpx2.ASGITransport(application.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
            headers = {**person.program.headers, "Content-Type": "application/json"}
            call = asyncio.create_task(client.post("/v1/links", headers=headers, content=body()))
            await begun.wait()
            person.disk.leave_room_for(1)
            assert (await client.post("/_mock/reset")).status_code == 500
            person.disk.leave_room_for(100)
            go_on.set()
            return (await call).json()["data"]

    link = run_async(a_reset_fails_during_a_call())
    assert person.program.get("/v1/links").json()["data"][0] == link
    assert held(restarted(application)) == held(application.store)


def test_reading_goes_on_when_the_disk_is_full(application, person):
    fresh = application.store.generate_token(application.store.find_account("person@example.com"), "fresh", None)
    person.disk.leave_room_for(0)
    person.program.headers["Authorization"] = f"Bearer {fresh}"  # its first use cannot be noted
    for path in ("/v1/links", "/v1/profiles/prof_123456/blocks", "/v1/links/clx1234567890/stats", "/_mock/requests"):
        assert person.program.get(path).status_code == 200
    assert person.browser.get("/settings/api").status_code == 200
    assert len(person.program.get("/v1/links").json()["data"]) == 6


@pytest.mark.parametrize(("slug", "status"), [("spring-menu", 302), ("cafe-example", 200)])
def test_a_visitor_gets_there_when_the_disk_is_full_and_is_not_counted(application, person, slug, status):
    before = held(application.store)
    for writes in range(100):
        person.disk.leave_room_for(writes)
        assert person.program.get(f"/s/{slug}", follow_redirects=False).status_code == status
        if held(application.store) != before:
            break
        assert held(restarted(application)) == before
    assert writes > 0
    assert held(restarted(application)) == held(application.store) != before


@pytest.mark.skipif(sys.platform == "win32", reason="SQLite tells a read-only file otherwise there")
def test_a_read_only_database_is_told(tmp_path):
    database = tmp_path / "mock.db"
    Database(str(database)).close()
    database.chmod(0o444)
    command = [sys.executable, "-m", "mock_server", "--port", "0", "--database", str(database)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE, preexec_fn=obey_permissions)
    except subprocess.SubprocessError:
        pytest.skip("READ-ONLY DATABASE NOT TESTED: root writes read-only files too, and cannot give that up here")
    assert result.returncode == 1
    assert "The database is read-only. Make the file writable" in result.stderr
    assert "Traceback" not in result.stderr


def obey_permissions():
    """Give up root's power to write what is read-only."""
    drop_from_bounding_set, dac_override = 24, 1  # of prctl(2) and capabilities(7)
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override, 0, 0, 0):
        raise PermissionError


@contextmanager
def small_disk(size):
    """Let no file of a server that is started in here grow beyond ``size`` bytes."""
    resource = pytest.importorskip("resource", reason="there is no such limit on Windows")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))  # Python ignores the signal, so that writing fails
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.long
def test_what_was_answered_before_the_disk_was_full_is_there_afterwards(tmp_path):
    database = str(tmp_path / "mock.db")
    with small_disk(1_000_000):
        server = MockServer(database=database)
    with server, requests.Session() as session, requests.Session() as fresh:
        page = SettingsPage(server.base_url)
        page.sign_up()
        session.headers["Authorization"] = f"Bearer {page.generate_token(name='writer')}"
        fresh.headers["Authorization"] = f"Bearer {page.generate_token(name='fresh')}"  # its first use comes too late
        session.post(f"{server.origin}/_mock/plan", json={"plan": "Business"}, timeout=PATIENCE)
        links = f"{server.base_url}/links"
        made, refused = [], 0
        while refused < 20:
            answer = session.post(links, json={"url": f"https://example.com/{len(made)}"}, timeout=PATIENCE)
            if answer.status_code == 201:
                made.append(answer.json()["data"])
            else:
                refused += 1
                assert (answer.status_code, answer.json()["error"]) == (500, {"code": "INTERNAL_ERROR", "message": FULL})
        for method in ("PATCH", "DELETE"):
            answer = session.request(method, f"{links}/{made[0]['id']}", json={"title": "Changed"}, timeout=PATIENCE)
            assert answer.status_code == 500
        with pytest.raises(PageError, match="The disk is full"):
            page.revoke("writer")
        listed = session.get(f"{links}?limit=100", timeout=PATIENCE).json()
        assert listed == fresh.get(f"{links}?limit=100", timeout=PATIENCE).json()
        assert listed["data"][: len(made)] == made[::-1][:100]
    assert "Traceback" not in server.log()
    with MockServer(database=database) as server:
        links = f"{server.base_url}/links"
        assert session.get(f"{links}?limit=100", timeout=PATIENCE).json() == listed
        assert fresh.post(links, json={"url": "https://example.com"}, timeout=PATIENCE).status_code == 201
