"""Many at once: new connections, and logins while somebody else reads."""

from __future__ import annotations

import http.client
import re
import resource
import secrets
import threading
import time
from urllib.parse import urlencode

import requests

from bench.account import Accounts
from bench.client import burst, headers, message
from bench.document import LINKS
from bench.process import CannotMeasure, Server
from tools.running import PATIENCE

PACE = 0.005  # seconds from one paced request to the next
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def new_connections(server: Server, token: str, count: int) -> tuple[float, int]:
    """Open ``count`` connections at once, one GET each. Return ms to the last answer, and how many failed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Only for us: the servers have started, with the limit that a user has.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * count)), hard))
    try:
        answers = burst(server.port, [message("GET", LINKS, headers(token, None))] * count)
    except OSError as error:
        raise CannotMeasure(f"{count} connections at once: {error}. Raise the limit of open files.") from None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(answer.seconds for answer in answers) * 1e3, sum(answer.status != 200 for answer in answers)


def reads_during_logins(server: Server, accounts: Accounts, count: int) -> tuple[list[float], float]:
    """Log in to ``count`` accounts at once, which don't exist, while one client reads at a steady pace.

    Return the ms of each read, from when it was due, and the seconds until the last login was answered.
    """
    forms = [login_form(server) for _ in range(count)]
    is_over = threading.Event()
    times: list[float] = []
    reader = threading.Thread(target=read_at_a_pace, args=(server.port, accounts.reader, is_over, times))
    reader.start()
    try:
        answers = burst(server.port, forms)
    finally:
        is_over.set()
        reader.join()
    failed = sum(answer.status != 400 for answer in answers)
    if failed or not times:
        raise CannotMeasure(f"{failed} of {count} logins were not tried, and {len(times)} reads were answered meanwhile.")
    return times, max(answer.seconds for answer in answers)


def login_form(server: Server) -> bytes:
    """Return the filled in form of a new visitor. It costs as much as one for an account that is there."""
    page = requests.get(f"http://127.0.0.1:{server.port}/login", timeout=PATIENCE)
    form_token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    if not form_token:
        raise CannotMeasure("The login page has no form token where it should be.")
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    fields = {"form_token": form_token[1], "email": f"{secrets.token_hex(8)}@example.com", "password": "a long password"}
    host = f"127.0.0.1:{server.port}"  # The name of the cookie holds the port.
    return message("POST", "/login", {"Host": host, "Cookie": cookies, **FORM}, urlencode(fields))


def read_at_a_pace(port: int, token: str, is_over: threading.Event, times: list[float]) -> None:
    """Read until it is over. A late answer makes the next ones late too, and all of that counts."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    due = time.perf_counter()
    while not is_over.is_set():
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.request("GET", LINKS, headers=headers(token, None))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            times.clear()
            break
        times.append((time.perf_counter() - due) * 1e3)
        due += PACE
    connection.close()
