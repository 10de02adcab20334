"""``python -m mock_server``: start, stop, restart, and what keeps it from starting."""

import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from argparse import ArgumentTypeError
from contextlib import closing
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import requests

from mock_server.__main__ import TokenFileError, keep_token, limit, origin, parser, ready_lines
from mock_server.clock import Clock
from mock_server.database import Database, DatabaseError
from mock_server.settings_page import PageError, SettingsPage
from mock_server.store import Store
from mock_server.tokens import digest
from tools.running import PATIENCE, ROOT, MockServer, free_port, is_answered, wait_until


def refused_start(*arguments):
    """Start a mock server that cannot start; return what it prints."""
    command = [sys.executable, "-m", "mock_server", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def status(base_url, token):
    return requests.get(f"{base_url}/links", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE).status_code


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a program without asking it")
@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGHUP"])  # of Docker, and of a terminal that was closed
def test_whoever_ends_it_gets_the_same_order_as_with_ctrl_c(tmp_path, signal_name):
    server = MockServer(database=str(tmp_path / "mock.db"))
    server.process.send_signal(getattr(signal, signal_name))
    server.process.wait(PATIENCE)
    assert server.stop() == 0
    assert "Mock server stopped." in server.log()
    assert [path.name for path in tmp_path.iterdir()] == ["mock.db"]


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


def test_a_token_is_in_the_file_that_only_its_owner_reads_and_nowhere_else(tmp_path, application):
    file = tmp_path / "token"
    with MockServer("--token-file", str(file)) as server:
        token = file.read_text().strip()
        assert status(server.base_url, token) == 200
    assert str(file) in server.log() and "lis_mock_" not in server.log()
    assert sys.platform == "win32" or file.stat().st_mode & 0o777 == 0o600
    keep_token(application.store, str(file))  # another server, which doesn't know it
    kept = file.read_text().strip()
    keep_token(application.store, str(file))
    assert kept == file.read_text().strip() != token
    application.store.revoke_token(application.store.find_token(digest(kept)))
    keep_token(application.store, str(file))
    assert file.read_text().strip() != kept
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", [b"my notes\n", b"\xff\xfe"])
def test_a_file_with_something_else_is_not_overwritten_with_a_token(tmp_path, application, content):
    (tmp_path / "mine").write_bytes(content)
    for path in (tmp_path / "mine", tmp_path / "no" / "token"):
        with pytest.raises(TokenFileError, match="Name another file after --token-file"):
            keep_token(application.store, str(path))
    assert (tmp_path / "mine").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_taken_port_is_told_with_another_one(server):
    port = server.origin.rpartition(":")[2]
    message = refused_start("--port", port, "--database", ":memory:")
    assert f"Port {port} is taken" in message and f"--port {int(port) + 1}" in message
    message = refused_start("--port", port, "--database", ":memory:", "--class", "blue-whale")
    assert "Stop that one" in message and str(int(port) + 1) not in message  # another port is not the one on the wall


def test_a_database_in_use_is_told(tmp_path):
    database = str(tmp_path / "mock.db")
    with MockServer(database=database):
        assert "Another mock server is using the database" in refused_start("--port", "0", "--database", database)


@pytest.mark.long
def test_what_was_answered_survives_a_kill_in_the_middle_of_writing(tmp_path):
    database = str(tmp_path / "mock.db")
    with MockServer(database=database) as server:
        page = SettingsPage(server.base_url)
        page.sign_up()
        page.change_plan("Business")
        headers = {"Authorization": f"Bearer {page.generate_token(name='writer')}"}
    answered: set[str] = set()
    for number in range(20):
        server = MockServer("--quiet", database=database)
        writers = [Thread(target=write_until_it_dies, args=(server.base_url, headers, answered)) for _ in range(4)]
        for writer in writers:
            writer.start()
        enough = len(answered) + 10 + 7 * number
        wait_until(lambda enough=enough: len(answered) > enough)
        server.kill()
        for writer in writers:
            writer.join()
    with MockServer(database=database) as server:
        kept, address = set(), f"{server.base_url}/links?limit=100"
        while address:
            listed = requests.get(address, headers=headers, timeout=PATIENCE)
            kept |= {link["id"] for link in listed.json()["data"]}
            address = listed.links.get("next", {}).get("url")
    assert answered <= kept
    assert len(answered) > 500


def write_until_it_dies(base_url, headers, answered):
    """Make link after link, and note each that was answered."""
    with requests.Session() as session:
        session.headers.update(headers)
        try:
            while (answer := session.post(f"{base_url}/links", json={"url": "https://example.com"}, timeout=PATIENCE)).ok:
                answered.add(answer.json()["data"]["id"])
        except requests.RequestException:
            pass  # killed


def test_a_quiet_server_prints_no_requests():
    with MockServer("--quiet") as server:
        requests.get(f"{server.base_url}/links", timeout=PATIENCE)
    assert "GET" not in server.log()


def test_a_line_tells_of_each_request_and_no_secret(server, page, call):
    token = page.generate_token()
    call(token, path=f"/links/{token}?token={token}")
    line = r"(?m)^\d\d:\d\d:\d\d  400  GET    /v1/links/lis_mock_\[hidden\]  \d+\.\d ms$"
    wait_until(lambda: re.search(line, server.log()), server.log)


@pytest.mark.parametrize(
    ("options", "alone"),
    [("", True), ("--host localhost", True), ("--host ::1", True), ("--host 192.0.2.2", False), ("--host 0.0.0.0", False),
     ("--host-name *", False), ("--class blue-whale", False)],
)  # fmt: skip
def test_who_is_alone_with_the_server_needs_no_instructor_code(options, alone):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        lines = ready_lines(parser().parse_args(options.split()), listener, "the code")
    assert any(line.endswith(": the code") for line in lines) != alone


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "many"], "a port is a number from 0 to 65535"),
        (["--port", "99999"], "a port is a number from 0 to 65535"),
        (["--cors", "localhost:3000"], "an origin is a scheme, a host and perhaps a port"),
        (["--cors", "http://Example.com"], "an origin is a scheme, a host and perhaps a port"),
        (["--limit", "cats=9"], "a limit is a name, = and a number"),
        (["--class", "abc"], "a class code has 4 to 60 characters"),
        (["--host", "256.0.0.1"], "Choose others with --host and --port"),
    ],
)
def test_a_wrong_option_is_told(arguments, words):
    command = [sys.executable, "-m", "mock_server", "--database", ":memory:", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE)
    assert result.returncode in (1, 2)
    assert words in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("check", "good", "wrong"),
    [
        (
            origin,
            ["http://localhost:3000", "https://example.com", "http://[::1]:3000", "http://xn--mnchen-3ya.example"],
            ["https://example.com/path", "http://example.com/", "http://EXAMPLE.com", "http://example.com:80", "http://me@example.com",
             "http://[::1", "http://münchen.example", "http://example.com:99999", "null", "*"],
        ),
        (limit, ["accounts=1", "links=999999"], ["accounts", "links=0", "links=-1", "links=1e3", "=5"]),
    ],
)  # fmt: skip
def test_an_option_that_would_do_nothing_is_refused(check, good, wrong):
    for text in good:
        check(text)
    for text in wrong:
        with pytest.raises(ArgumentTypeError):
            check(text)


def test_help_says_the_default_of_each_option_that_has_one():
    silent = [
        one.dest for one in parser()._actions if one.nargs != 0 and one.default not in (None, []) and "default: " not in one.help
    ]
    assert silent == []


def test_pages_of_a_named_origin_may_call_the_api_and_no_others():
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    with MockServer("--cors", "http://localhost:3000") as server:
        for origin, allowed in {"http://localhost:3000": "http://localhost:3000", "https://evil.example": None}.items():
            asked = requests.options(f"{server.base_url}/links", headers={"Origin": origin, **asks}, timeout=PATIENCE)
            called = requests.get(f"{server.base_url}/links", headers={"Origin": origin}, timeout=PATIENCE)
            assert (
                called.headers.get("Access-Control-Allow-Origin") == asked.headers.get("Access-Control-Allow-Origin") == allowed
            )
            assert called.status_code == 401
            assert "Access-Control-Allow-Credentials" not in called.headers
        assert "X-RateLimit-Remaining" in called.headers["Access-Control-Expose-Headers"]
        elsewhere = requests.get(f"{server.origin}/settings/api", headers={"Origin": "http://localhost:3000"}, timeout=PATIENCE)
        assert "Access-Control-Allow-Origin" not in elsewhere.headers


def test_without_being_told_no_page_of_another_origin_may_read(server):
    answer = requests.get(f"{server.base_url}/links", headers={"Origin": "http://localhost:3000"}, timeout=PATIENCE)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_named_host_is_answered_to():
    for name, other in {"Workshop.local": 403, "*": 200}.items():
        with MockServer("--host-name", name) as server:
            for host, status in {"workshop.local": 200, "other.local": other}.items():
                answer = requests.get(f"{server.origin}/_mock/health", headers={"Host": host}, timeout=PATIENCE)
                assert answer.status_code == status and (answer.ok or "--host-name" in answer.text), (name, host)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A database that a server has left behind, with a bit of everything in it."""
    path = tmp_path_factory.mktemp("filled") / "mock.db"
    with MockServer(database=str(path)) as server:
        page = SettingsPage(server.base_url)
        page.sign_up()
        page.generate_token()
        page.generate_token()
        page.session.get(f"{server.origin}/s/jobs", allow_redirects=False, timeout=PATIENCE)
    return path


def in_sql(*statements):
    def damage(path):
        with sqlite3.connect(path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return damage


def in_pages(path):
    content = path.read_bytes()
    path.write_bytes(content[:5_000] + b"\xa5" * (len(content) - 9_000) + content[-4_000:])


DAMAGE = {
    "garbage in pages": in_pages,
    "a file that ends too soon": lambda path: path.write_bytes(path.read_bytes()[:5_000]),
    "no UTF-8": in_sql("UPDATE links SET url = CAST(x'ff61' AS TEXT)"),
    "a text for a number": in_sql("UPDATE accounts SET created_at = 'yesterday'"),
    "nothing for a text": in_sql("UPDATE links SET slug = NULL"),
    "a text for a moment": in_sql("INSERT INTO server_clock VALUES ('now', NULL)"),
    "a table less": in_sql("DROP TABLE sessions"),
    **{f"{table} of nobody": in_sql(f"UPDATE {table} SET account_id = 9") for table in ("sessions", "tokens", "links", "clicks", "blocks")},
    "clicks of no link": in_sql("UPDATE clicks SET link_number = 99"),
    "blocks of no profile": in_sql("UPDATE blocks SET profile_number = 99"),
    "a token less": in_sql("DELETE FROM tokens WHERE id = 1"),
    "an account less": in_sql("DELETE FROM accounts", "DELETE FROM sessions", "DELETE FROM tokens"),
    "another version": in_sql("PRAGMA user_version = 99"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_database_is_told_and_kept(filled, tmp_path, damage):
    """In one sentence, with a way on: in this process, for a start takes half a second."""
    path = tmp_path / "mock.db"
    shutil.copy(filled, path)
    DAMAGE[damage](path)
    before = path.read_bytes()
    refused = pytest.raises(DatabaseError, match="Choose another file with --database, or delete this one")
    with refused, closing(Database(str(path))) as database:
        Store(database, Clock())
    assert path.read_bytes() == before


def of_another_program(version):
    make = in_sql("CREATE TABLE links (address)", f"PRAGMA user_version = {version}")
    return lambda path: (path.unlink(), make(path))


REFUSED = {
    "a letter": (lambda path: path.write_text("Dear database, " * 100), "not a database"),
    "no folder": (lambda path: shutil.rmtree(path.parent), "cannot be opened"),
    "a damaged database": (DAMAGE["no UTF-8"], "The database is damaged"),
    **{f"another program's {version}": (of_another_program(version), "database of another program") for version in (0, 2, 3)},
}


@pytest.mark.parametrize("file", REFUSED)
def test_what_is_no_database_of_ours_ends_the_start_and_is_kept(filled, tmp_path, file):
    path = tmp_path / "folder" / "mock.db"
    path.parent.mkdir()
    shutil.copy(filled, path)
    damage, words = REFUSED[file]
    damage(path)
    before = path.exists() and path.read_bytes()
    assert words in refused_start("--port", "0", "--database", str(path))
    assert (path.exists() and path.read_bytes()) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no open file, and has other permissions")
@pytest.mark.parametrize("replace", [False, True])
def test_a_file_that_is_deleted_under_the_server_is_noticed(tmp_path, replace):
    path = tmp_path / "mock.db"
    with MockServer(database=str(path)) as server:
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
        page = SettingsPage(server.base_url)
        page.sign_up()
        path.unlink()
        if replace:
            path.touch()
        with pytest.raises(PageError, match="The database file was deleted or replaced"):
            page.generate_token()
        assert page.tokens() == []
    assert "was deleted or replaced" in server.log().splitlines()[-1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_can_not_be_written_stops_nothing(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "mock_server", "--port", str(port), "--database", ":memory:"]
    with open("/dev/full", "w") as full:
        process = subprocess.Popen(command, stdout=full, stderr=subprocess.PIPE, cwd=ROOT)
    wait_until(lambda: is_answered(port))
    with requests.Session() as session:
        assert [session.get(f"http://127.0.0.1:{port}/v1/links", timeout=PATIENCE).status_code for _ in range(5)] == [401] * 5
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    assert b"Traceback" not in process.stderr.read()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pipe has one size")
def test_a_log_that_nobody_reads_stops_nothing():
    import fcntl

    port = free_port()
    command = [sys.executable, "-m", "mock_server", "--port", str(port), "--database", ":memory:"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert b"Mock server ready." in process.stdout.readline()
    for pipe in (process.stdout, process.stderr):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)  # the smallest one is full soonest
    for request, status in [(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"303"), (b"nonsense\r\n\r\n", b"400")] * 200:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(request)  # a line on the one stream, or on the other
            assert connection.recv(12) == b"HTTP/1.1 " + status
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    process.communicate()


def test_a_client_that_hangs_up_is_no_mistake_of_the_server():
    with MockServer() as server:
        page = SettingsPage(server.base_url)
        page.sign_up()
        fields = f"Authorization: Bearer {page.generate_token()}\r\nContent-Type: application/json\r\n"
        address = urlsplit(server.origin)
        for path in ("/v1/links", "/login"):
            with socket.create_connection((address.hostname, address.port)) as connection:
                connection.sendall(
                    f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\n{fields}Content-Length: 9\r\n\r\n{{".encode()
                )
        wait_until(lambda: server.log().count("---") == 2, server.log)
    assert "Traceback" not in server.log()
    assert re.findall(r"  (\S+)  POST   (/v1/links|/login)  ", server.log()) == [("---", "/v1/links"), ("---", "/login")]
