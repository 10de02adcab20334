"""``python -m mock_server``: start, stop, restart, and what keeps it from starting."""

import subprocess
import sys

import pytest
import requests

from mock_server.settings_page import SettingsPage
from tests.running import ROOT, MockServer


def refused_start(*arguments):
    """Start a mock server that cannot start; return what it prints."""
    command = [sys.executable, "-m", "mock_server", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=30)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def status(base_url, token):
    return requests.get(f"{base_url}/links", headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code


def test_it_says_where_it_is_and_ends_with_ctrl_c():
    with MockServer() as server:
        ready = server.log().splitlines()
        assert ready == [f"Mock server ready. API base URL: {server.origin}/v1  Settings page: {server.origin}/settings/api"]
    assert server.process.returncode == 0
    assert server.log().splitlines()[-1] == "Mock server stopped."


def test_a_token_of_yesterday_works_today(tmp_path):
    database = str(tmp_path / "mock.db")
    with MockServer(database=database) as first:
        page = SettingsPage(first.base_url)
        page.sign_up()
        kept, revoked = page.generate_token(name="kept"), page.generate_token(name="revoked")
        page.revoke("revoked")
    with MockServer(database=database) as second:
        assert status(second.base_url, kept) == 200
        assert status(second.base_url, revoked) == 401
        again = SettingsPage(second.base_url)
        again.log_in(page.email, page.password)
        assert [(token.name, token.state) for token in again.tokens()] == [("revoked", "revoked"), ("kept", "active")]


def test_a_taken_port_is_told_with_another_one(server):
    port = server.origin.rpartition(":")[2]
    message = refused_start("--port", port, "--database", ":memory:")
    assert f"Port {port} is taken" in message and f"--port {int(port) + 1}" in message


def test_a_database_in_use_is_told(tmp_path):
    database = str(tmp_path / "mock.db")
    with MockServer(database=database):
        assert "Another mock server is using the database" in refused_start("--port", "0", "--database", database)


def test_a_file_that_is_no_database_is_told_and_kept(tmp_path):
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear database, " * 100)
    assert "not a database" in refused_start("--port", "0", "--database", str(letter))
    assert letter.read_text() == "Dear database, " * 100


def test_a_missing_folder_is_told(tmp_path):
    assert "cannot be opened" in refused_start("--port", "0", "--database", str(tmp_path / "none" / "mock.db"))


@pytest.mark.long
def test_what_was_answered_survives_a_kill(tmp_path):
    database = str(tmp_path / "mock.db")
    with MockServer(database=database) as server:
        page = SettingsPage(server.base_url)
        page.sign_up()
        headers = {"Authorization": f"Bearer {page.generate_token(name='writer')}"}
    answered = set()
    for _ in range(20):
        server = MockServer(database=database)
        with requests.Session() as session:
            session.headers.update(headers)
            for number in range(50):
                link = session.post(f"{server.base_url}/links", json={"url": f"https://example.com/{number}"}, timeout=10)
                answered.add(link.json()["data"]["id"])
        server.kill()
    with MockServer(database=database) as server:
        links = requests.get(f"{server.base_url}/links", headers=headers, timeout=10).json()["data"]
    assert answered <= {link["id"] for link in links}
    assert len(answered) == 1000
