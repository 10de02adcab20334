"""The checks of the exercises: each says that an answer is right, or what is wrong with it and what to try next.

A check looks at what an answer does, not at how it is written. It never shows a token.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from dotenv import dotenv_values, set_key
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError
from urllib3.response import HTTPResponse
from urllib3.util import Retry

from mock_server.contract import openapi
from mock_server.settings_page import PageError, SettingsPage

VARIABLE = "LINKED_IS_API_TOKEN"
# Made up: no server has ever made tokens like these, and they look like nothing else.
SECRET = "Q7xZ9kW4" * 4 + "reBa"
MADE_UP = "lis_mock_" + SECRET


class NotYet(Exception):
    """What is not right yet, and what to try next. A notebook shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for this
        return [f"Not yet: {self}"]


def right(sentence: str) -> None:
    """Say that an answer is right."""
    print(f"Right: {sentence}")


def begun(answer: Any) -> Any:
    """Return an answer that is there. Raises NotYet for one that isn't."""
    if answer is ...:
        raise NotYet("there is no answer yet. Change the marked line, run its cell, then run this one again.")
    return answer


def run(function: Any, *arguments: Any) -> Any:
    """Call what the learner wrote, and return what it returns. Raises NotYet."""
    if not callable(begun(function)):
        raise NotYet("the check needs the function itself: its name, without parentheses behind it.")
    try:
        return begun(function(*arguments))
    except (NotYet, PageError):
        raise
    except Exception as error:  # its text may hold a token
        raise NotYet(f"your code stopped with {type(error).__name__}{line_of(error, function)}.") from None


def line_of(error: Exception, function: Any) -> str:
    """Say in which line of the learner's cell an error came up, if it was there."""
    line, step = None, error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == getattr(getattr(function, "__code__", None), "co_filename", None):
            line = step.tb_lineno
        step = step.tb_next
    return f", in line {line} of your cell" if line else ""


def answer_of(status: int, body: object, **headers: str) -> requests.Response:
    """Return an answer of the API that nobody sent."""
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(body).encode()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def refusal(status: int, code: str, message: str = "The words may change", **more: object) -> requests.Response:
    """Return an answer with an error."""
    return answer_of(status, {"success": False, "error": {"code": code, "message": message, **more}})


def practice_account(base_url: str, token_name: str = "Check") -> tuple[SettingsPage, str]:
    """Return the page of a new account, and a token. Raises PageError."""
    page = SettingsPage(base_url)
    page.sign_up()
    return page, page.generate_token(name=token_name)


# 01 Start here


def new_enough(function: Callable) -> None:
    """Check that a version is compared as a tuple."""
    try:
        run(function, (3, 11, 0))
    except NotYet as problem:
        if "TypeError" in str(problem):
            raise NotYet(f"{problem} A version is a tuple: compare it with a tuple, (3, 11).") from None
        raise
    if not (run(function, (3, 11, 0)) and run(function, (3, 11))):
        raise NotYet("it refuses Python 3.11, which is new enough. `>` leaves out the version itself, `>=` doesn't.")
    if not run(function, (4, 0, 0)):
        raise NotYet("it refuses Python 4.0. Compare the whole tuple, not its second number alone.")
    if run(function, (3, 9, 18)) or run(function, (2, 7, 18)):
        raise NotYet("it lets 3.9 or 2.7 pass. As text, 3.9 comes after 3.11. Compare the tuple with (3, 11).")
    if run(function, (3, 10, 14)) or not run(function, (3, 12, 1)):
        raise NotYet("it is wrong about 3.10 or 3.12. The limit is (3, 11).")
    right("it knows which Python is new enough.")


def first_error(code: object) -> None:
    """Check that the code was taken out of an error."""
    begun(code)
    if isinstance(code, requests.Response):
        raise NotYet("that's the whole answer. Read it with .json(), then go down to the code.")
    if isinstance(code, Mapping):
        raise NotYet("that's more than the code. Go one step further down: error, then code.")
    if str(code) == "401":
        raise NotYet("401 is the status. It is the same for all three errors; the code tells them apart.")
    if code == "Authorization header is required":
        raise NotYet("that's the message, which is for people. The code is beside it, for programs.")
    if code != "MISSING_TOKEN":
        raise NotYet("that isn't the code of this answer. Take it from the answer, letter by letter.")
    right("the code says that no token came along.")


# 02 Generate a token


def generated(token: object, settings_page: SettingsPage) -> None:
    """Check that a token named Exercise, which lives for 30 days, was generated and is kept."""
    begun(token)
    if not isinstance(token, str):
        raise NotYet("`token` holds no token. generate_token returns it: keep that.")
    rows = [row for row in settings_page.tokens() if row.name == "Exercise"]
    if not rows:
        raise NotYet("the page lists no token named Exercise. Its name goes into `name=`, with a capital E.")
    if rows[0].expires == "never":
        raise NotYet("your token never expires. Its lifetime goes into `lifetime=`.")
    if days_between(rows[0].created, rows[0].expires) != 30:
        raise NotYet('your token doesn\'t live for 30 days. Write the lifetime as the page does: "30 days".')
    if rows[0].state != "active":
        raise NotYet(f"your newest token named Exercise is {rows[0].state}. Generate another one.")
    if not token.isascii() or status_with(token, settings_page) != 200:
        raise NotYet("the API refuses what is in `token`. Keep what generate_token returns, as it is.")
    if next(row for row in settings_page.tokens() if row.name == "Exercise").last_used == "never":
        raise NotYet("`token` holds another token than the one named Exercise. Keep what generate_token returns.")
    right("it is active, has a name, and ends after 30 days.")


def days_between(start: str, end: str) -> int:
    """Return the days between two moments as the page spells them."""
    return (date.fromisoformat(end[:10]) - date.fromisoformat(start[:10])).days


def status_with(token: str, page: SettingsPage) -> int:
    """Call the API with a token; return the status."""
    headers = {"Authorization": f"Bearer {token}".encode()}
    return requests.get(f"{page.origin}/v1/links", headers=headers, timeout=10).status_code


def header(headers: object, token: str) -> None:
    """Check the header that authenticates a call."""
    begun(headers)
    if not isinstance(headers, Mapping):
        raise NotYet("`headers` is no dictionary. Write {name: value}.")
    names = {str(name).lower(): value for name, value in headers.items()}
    if "authorization" not in names:
        raise NotYet("there is no header named Authorization. Mind the spelling: with a z, and no colon in the name.")
    check_value(names["authorization"], token)
    right("the header has the right name, and the value is Bearer, a space, the token.")


def check_value(value: object, token: str) -> None:
    """Check a value of the header Authorization. Raises NotYet."""
    value = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise NotYet("the value of the header is no text. Write it as one: Bearer, a space, the token.")
    if value.lower().startswith("bearer bearer"):
        raise NotYet("the header reads `Bearer Bearer …`: the prefix is already in .env. Keep only one of the two.")
    if value.strip() == token:
        raise NotYet("the header holds the token alone. Put the word Bearer and a space before it.")
    if "{" in value:
        raise NotYet("the header holds the name of the variable, not its value. Put an f before the quotation mark.")
    if not value.lower().startswith("bearer"):
        raise NotYet("the value doesn't begin with the word Bearer.")
    if value[6:7] != " ":
        raise NotYet("between Bearer and the token there is something else than a space. Put one space there.")
    if value != value.strip():
        raise NotYet("there is white space around the value. strip() takes it off the token.")
    if value[7:].strip() != token:
        raise NotYet("behind Bearer there is something else than the token. Put `token` there, as it is.")


def describe(function: Callable) -> None:
    """Check that a token is described without a piece of its secret part."""
    for token in (f"lis_mock_{'Q7xZ9kW4' * 4}Q7xZ", f"lis_mock_{'Q7xZ9kW4' * 5}"):  # no piece of them is in a word
        text = run(function, token)
        if text is None:
            raise NotYet("the function returns nothing. Return the text; the caller prints it.")
        text = str(text)
        if token in text:
            raise NotYet("your text shows the whole token. Anybody who reads the log can use it.")
        if any(piece in text for piece in {token[9:][at : at + 2] for at in range(len(token) - 10)}):
            raise NotYet("your text shows a piece of the secret part. Only the first nine characters are no secret.")
        if f"lis_mock_{token[9]}" in text:
            raise NotYet("your text shows the first character of the secret part. The prefix is nine characters long.")
        if "lis_mock_" not in text:
            raise NotYet("your text leaves out the prefix. It tells what kind of token this is.")
        if not re.search(rf"(?<!\d){len(token)}(?!\d)", text):
            raise NotYet("your text leaves out the length. `len(token)` counts the characters.")
    right("it tells the kind and the length, and nothing that helps a thief.")


# 03 Load it from .env


def env_line(function: Callable) -> None:
    """Check a line for .env by reading it as python-dotenv does."""
    line = run(function, MADE_UP)
    if not isinstance(line, str):
        raise NotYet("the function returns no text. Return the line.")
    values = {name: value for name, value in dotenv_values(stream=io.StringIO(line)).items() if value is not None}
    if not values:
        raise NotYet("python-dotenv finds no value in your line. It reads NAME=value.")
    if VARIABLE not in values:
        raise NotYet(f"your line sets another name. The course reads {VARIABLE}.")
    value = values[VARIABLE]
    if value.lower().startswith("bearer"):
        raise NotYet("your line has the word Bearer in it. Keep the token alone there: the code adds the word.")
    if value.strip("“”‘’") != value:
        raise NotYet("your line has curly quotation marks. They become a part of the value: leave them out.")
    if "{" in value:
        raise NotYet("your line holds the name of the variable, not its value. Put an f before the quotation mark.")
    if value != MADE_UP:
        raise NotYet("python-dotenv reads another value than the token. Put the token right behind the = sign.")
    right("python-dotenv reads the token from it.")


def authorization(function: Callable) -> None:
    """Check a function that makes a header's value of what somebody pasted."""
    for token in (MADE_UP, "reB" + SECRET):  # what linked.is's own tokens begin with, nobody says
        for pasted in (token, f"  {token}\n", f"Bearer {token}", f" Bearer {token} "):
            value = run(function, pasted)
            if isinstance(value, str) and value.startswith("Bearer ") and value[7:] in token[1:] + token[:-1]:
                raise NotYet("the token has lost characters. strip takes characters away, not a word: see removeprefix.")
            check_value(value, token)
    right("it makes one good header of each.")


def loaded(env_file: Path) -> None:
    """Check that the environment holds what the file says."""
    wanted, held = dotenv_values(env_file)[VARIABLE], os.environ.get(VARIABLE)
    if not held:
        raise NotYet("there is no token in the environment. Load the file that `practice` names.")
    if held.lower().startswith("bearer"):
        raise NotYet("the environment holds the word Bearer, too. Keep the token alone there.")
    if held != wanted:
        raise NotYet("the environment still holds another token than the file. load_dotenv leaves alone what is set, "
                     "unless you tell it to override.")  # fmt: skip
    right("the environment holds the new token.")


# 04 Call the API


class Sent:
    """A request as it left: its address and headers, and the timeout."""

    def __init__(self, request: requests.PreparedRequest, timeout: object) -> None:
        self.url, self.headers, self.timeout = request.url or "", request.headers.copy(), timeout

    def holds(self, token: str) -> bool:
        """Tell whether the token is in a header."""
        return any(token in (value.decode("latin-1") if isinstance(value, bytes) else value) for value in self.headers.values())


@contextmanager
def watched(base_url: str) -> Iterator[list[Sent]]:
    """Note each request that requests sends. What goes to another address than the mock server's goes nowhere."""
    seen: list[Sent] = []
    really_send, home = HTTPAdapter.send, urlsplit(base_url).netloc

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        seen.append(Sent(request, options.get("timeout")))
        if urlsplit(seen[-1].url).netloc == home:
            return really_send(adapter, request, *arguments, **options)
        response = answer_of(200, {"success": True, "data": []})
        response.url, response.request, response.raw = seen[-1].url, request, io.BytesIO()
        return response

    with patch.object(HTTPAdapter, "send", send):
        yield seen


def lists_links(function: Callable, base_url: str) -> None:
    """Check a call: its address, its header, its timeout."""
    _, token = practice_account(base_url)
    with watched(base_url) as seen:
        response = run(function, token)
    if not seen:
        raise NotYet("your function calls nobody. Call the API with requests.get.")
    if any(token in sent.url for sent in seen):
        raise NotYet("the token is in the address, and addresses end up in logs. Send it in the header Authorization.")
    if "Authorization" not in seen[0].headers:
        raise NotYet("no header named Authorization was sent. Hand it to requests with headers=.")
    check_value(seen[0].headers["Authorization"], token)
    if seen[0].timeout is None:
        raise NotYet("your call has no timeout: if the server hangs, your program hangs with it. Add timeout=10.")
    if not isinstance(response, requests.Response):
        raise NotYet("your function returns something else than the answer. Return what requests.get returns.")
    if response.status_code != 200 or not isinstance(response.json().get("data"), list):
        raise NotYet(f"the answer is no list of links: status {response.status_code}. The address is {base_url}/links.")
    right("the token went along in the header, and the call can't hang for ever.")


def data_of(function: Callable) -> None:
    """Check a function that opens the envelope."""
    for status, data in ((200, [{"slug": "jobs"}]), (201, {"slug": "new"}), (200, []), (200, None)):
        got = run(function, answer_of(status, {"success": True, "data": data}))
        if isinstance(got, Mapping) and "success" in got:
            raise NotYet("your function returns the whole envelope. Return what is in it, under data.")
        if got != data:
            raise NotYet(f"for status {status} with data {data}, your function returns something else. "
                         "`success` says whether there is data.")  # fmt: skip
    for status, code in ((404, "NOT_FOUND"), (401, "TOKEN_EXPIRED")):
        try:
            with redirect_stdout(io.StringIO()):
                function(refusal(status, code))
        except Exception as error:
            if isinstance(error, (KeyError, TypeError, AttributeError)):
                raise NotYet(f"for an answer with an error it stops with {type(error).__name__}, which tells nobody what "
                             "went wrong. Look at `success` first.") from None  # fmt: skip
            if code not in str(error):
                raise NotYet(f"it raises {type(error).__name__}, but the text lacks the code {code}. "
                             "Put the code from the answer into it.") from None  # fmt: skip
        else:
            raise NotYet(f"for {status} {code} it raises nothing, so the program would go on without data.")
    right("it returns the data, and raises with the code where there is none.")


def may_have_token(function: Callable) -> None:
    """Check a function that tells which address the token may go to."""
    base = "https://api.linked.is/v1"
    for url in (f"{base}/links", f"{base}/links?limit=2", f"{base}/profiles/prof_123456/blocks"):
        if not run(function, url, base):
            raise NotYet(f"it refuses {url}, which belongs to the API.")
    for url, why in {
        "https://example.com/": "which is somebody else's",
        "https://example.com/?from=https://api.linked.is/v1/": "where the base URL only stands in the query",
        "https://api.linked.is.example.com/v1/links": "whose host only begins like the API's",
        "https://api.linked.is@example.com/v1/links": "where everything before the @ is a user name, not the host",
        "http://api.linked.is/v1/links": "which is not encrypted: anybody on the way can read it",
    }.items():
        if run(function, url, base):
            raise NotYet(f"it would send the token to {url}, {why}.")
    if run(function, "https://api.linked.is/v10/links", base):
        raise NotYet("it would send the token to https://api.linked.is/v10/links. End the base URL with a slash.")
    right("the token goes to the API and to nobody else.")


# 05 Use what a token opens


def winter_link(link: object, session: requests.Session, base_url: str) -> None:
    """Check that a link was made."""
    begun(link)
    link = link.json() if isinstance(link, requests.Response) else link
    if isinstance(link, Mapping) and "error" in link:
        raise NotYet(f"the API answers {link['error']['code']}: {link['error']['message']}")
    link = link.get("data", link) if isinstance(link, Mapping) else link
    if isinstance(link, list):
        raise NotYet("that's a list of links: you asked with GET. POST makes a new one.")
    if not isinstance(link, Mapping) or "id" not in link:
        raise NotYet("`link` holds no link. Keep the data of the answer.")
    stored = session.get(f"{base_url}/links/{link['id']}", timeout=10).json().get("data")
    if not stored:
        raise NotYet("the server knows no link with this id. Make it with POST, and leave it there.")
    if stored["url"].rstrip("/") != "https://example.com/winter":
        raise NotYet("your link leads to another address. Its url is https://example.com/winter.")
    if stored["title"] != "Winter menu":
        raise NotYet("your link has another title, or none. Its title is Winter menu.")
    right("the link is there, with its title.")


class SmallPages(HTTPAdapter):
    """Ask for two entries a page, whatever the learner asks for, and not for ever."""

    asked = 0

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Send the request with another limit. Raises NotYet after twelve pages."""
        self.asked += 1
        if self.asked > 12:
            raise NotYet("it asks for pages without end. Take the next address from each answer; stop if there is none.")
        parts = urlsplit(request.url or "")
        query = {**dict(parse_qsl(parts.query)), "limit": "2"}
        request.url = urlunsplit(parts._replace(query=urlencode(query)))
        return super().send(request, *arguments, **options)


def all_slugs(function: Callable, base_url: str) -> None:
    """Check a function that walks through all pages."""
    _, token = practice_account(base_url)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    wanted = [link["slug"] for link in session.get(f"{base_url}/links", timeout=10).json()["data"]]
    session.mount(base_url, SmallPages())
    slugs = run(function, session, f"{base_url}/links")
    if not isinstance(slugs, (list, tuple, set)) or not all(isinstance(slug, str) for slug in slugs):
        raise NotYet('it returns something else than a list of slugs. A slug is a text: link["slug"].')
    if sorted(slugs) == sorted(wanted[:2]):
        raise NotYet("it returns the first page only. `response.links` says where the next one is.")
    if sorted(slugs) == sorted(wanted[-1:]):
        raise NotYet("it returns the last page only. Add each page to the list before you go on.")
    if len(slugs) != len(set(slugs)):
        raise NotYet("it returns a link twice. Go on at the next address, not at the first one again.")
    if sorted(slugs) != sorted(wanted):
        raise NotYet(f"it returns {len(slugs)} of {len(wanted)} links. Take what is on every page, the last one too.")
    right("it walks through all pages, and stops.")


def busiest_country(answer: object, stats: Mapping[str, Any]) -> None:
    """Check which country has the most clicks."""
    begun(answer)
    clicks = {entry["country"]: entry["clicks"] for entry in stats["countries"]}
    best = max(clicks, key=lambda country: clicks[country])
    if isinstance(answer, Mapping):
        raise NotYet("that's the whole entry. Take its country.")
    if isinstance(answer, (int, float)):
        raise NotYet("that's a number of clicks. The question is in which country they happened.")
    if answer in stats:
        raise NotYet("that's the name of a field, not of a country.")
    if answer not in clicks:
        raise NotYet('the statistics have no such country. Take the name from stats["countries"].')
    if answer == max(clicks) != best:
        raise NotYet("max compared the names, by the alphabet. Tell it with key= to compare the clicks.")
    if answer != best:
        raise NotYet(f"{answer} has {clicks[answer]} clicks, and another country has more.")
    right(f"most clicks come from {best}.")


# 06 Read authentication errors

CAUSES = {
    "The header was not sent": "MISSING_TOKEN",
    "The token was revoked": "INVALID_TOKEN",
    "The token is older than its lifetime": "TOKEN_EXPIRED",
    "The token was cut off when it was copied": "INVALID_TOKEN",
}


def causes(answer: object) -> None:
    """Check which code belongs to which cause."""
    begun(answer)
    if not isinstance(answer, Mapping) or set(answer) != set(CAUSES):
        raise NotYet("keep the dictionary with its four causes, and change the values only.")
    for cause, code in CAUSES.items():
        given = begun(answer[cause])
        if str(given) == "401":
            raise NotYet("401 is the status of all of them. Write the code.")
        if given not in CAUSES.values():
            raise NotYet(f"“{cause}”: the API has three codes for a 401, and this is none of them. "
                         "A revoked token has no code of its own.")  # fmt: skip
        if given == "TOKEN_EXPIRED":
            why = "expired is only what outlived its lifetime. A person who revokes a token ends it before"
        elif given == "MISSING_TOKEN":
            why = "missing means that no token came at all"
        else:
            why = "invalid means that something came which the API doesn't know, or no longer"
        if given != code:
            raise NotYet(f"“{cause}”: {given} is not what the API says here, for {why}.")
    right("each cause has its code.")


def worth_retrying(function: Callable) -> None:
    """Check which status is worth another try."""
    if run(function, 401):
        raise NotYet("it tries a 401 again. A token that was refused is refused each time, until a person acts.")
    for status in (200, 201):
        if run(function, status):
            raise NotYet(f"it tries {status} again, although all went well: a link would be made twice.")
    for status in (400, 403, 404):
        if run(function, status):
            raise NotYet(f"it tries {status} again. The same request gets the same answer: change the request.")
    for status, why in ((429, "too many calls just now, but not for long"), (503, "unavailable just now")):
        if not run(function, status):
            raise NotYet(f"it gives up at {status}, which means: {why}. It's worth another try.")
    right("it tries again what may pass, and nothing else.")


def expired(function: Callable) -> None:
    """Check that an expired token is told by its code."""
    if run(function, answer_of(200, {"success": True, "data": []})):
        raise NotYet("it takes a good answer for an expired token.")
    if not run(function, refusal(401, "TOKEN_EXPIRED", "Ce jeton a expiré")):
        raise NotYet("it misses an expired token whose message has other words. Compare the code: words may change.")
    if run(function, refusal(401, "INVALID_TOKEN", "Invalid, or the API token has expired")):
        raise NotYet("it takes INVALID_TOKEN for an expired token. All three errors have status 401: compare the code.")
    if run(function, refusal(401, "MISSING_TOKEN")) or run(function, refusal(404, "NOT_FOUND")):
        raise NotYet("it takes another error for an expired token. Compare the code with TOKEN_EXPIRED.")
    right("it tells an expired token by its code.")


# 07 Rotate without downtime


def letters(answer: object) -> str:
    """Return an order as letters, however it was written: "dbca", ["D", "B", …]. Raises NotYet."""
    begun(answer)
    order = "".join(str(part) for part in answer) if isinstance(answer, (list, tuple)) else str(answer)
    order = re.sub(r"[^A-Z]", "", order.upper())
    if sorted(order) != list("ABCD"):
        raise NotYet("write each of the letters A, B, C and D once, in the order of the steps.")
    return order


def rotation_order(answer: object) -> None:
    """Check the order: generate (C), put it everywhere (A), look (D), revoke (B)."""
    order = letters(answer)
    if order[0] == "B":
        raise NotYet("you revoke first. That's right after a leak; here every call fails until the new token is in place.")
    if order.index("A") < order.index("C"):
        raise NotYet("you put a token everywhere that isn't there yet. Generate it before.")
    if order.index("B") < order.index("A"):
        raise NotYet("you revoke the old token while programs still use it.")
    if order.index("D") > order.index("B"):
        raise NotYet("you look whether the old token is in use after you revoked it. Then it's too late.")
    if order != "CADB":
        raise NotYet("you look whether the old token is in use before anybody has the new one. Of course it is.")
    right("new, everywhere, look, old.")


def reload(function: Callable) -> None:
    """Check that a program takes the token from the file, also the second time."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {VARIABLE: "the-first-one"}):
        env_file = Path(folder) / ".env"
        session = requests.Session()
        for token in ("the-first-one", MADE_UP):
            set_key(env_file, VARIABLE, token)
            returned = run_for_effect(function, session, env_file)
            if "Authorization" not in session.headers:
                elsewhere = isinstance(returned, requests.Session)
                raise NotYet("the session has no header Authorization. "
                             + ("The program keeps its session: change that one." if elsewhere
                                else 'Set session.headers["Authorization"].'))  # fmt: skip
            value = session.headers["Authorization"]
            if token == MADE_UP and "the-first-one" in value:
                raise NotYet("after a change of the file, the session still sends the old token. "
                             "load_dotenv leaves alone what is set; dotenv_values reads the file.")  # fmt: skip
            check_value(value, token)
    right("the running program takes the new token.")


def run_for_effect(function: Callable, *arguments: Any) -> Any:
    """Call what changes something; a function that only returns ``...`` is not written yet. Raises NotYet."""
    try:
        return run(function, *arguments)
    except PageError as problem:
        raise NotYet(f"the page says: {problem}") from None


def rotate(function: Callable, base_url: str) -> None:
    """Check a rotation: a program calls after each step, and no call may fail."""
    page, token = practice_account(base_url, "Old")
    session, failed, loads = requests.Session(), [], []
    with tempfile.TemporaryDirectory() as folder:
        env_file = Path(folder) / ".env"
        set_key(env_file, VARIABLE, token)

        def load() -> None:
            session.headers["Authorization"] = f"Bearer {dotenv_values(env_file)[VARIABLE]}"
            loads.append(dotenv_values(env_file)[VARIABLE])

        def call() -> None:
            if not session.get(f"{base_url}/links", timeout=10).ok:
                failed.append(1)

        load()
        press = page._submit

        def press_and_call(*arguments: Any, **fields: Any) -> Any:
            shown = press(*arguments, **fields)
            call()
            return shown

        page._submit = press_and_call  # type: ignore[method-assign]
        run_for_effect(function, page, env_file, load)
        page._submit = press  # type: ignore[method-assign]
        call()
        kept = dotenv_values(env_file).get(VARIABLE)
    states = {row.name: row.state for row in page.tokens()}
    if list(states) == ["Old"] and states["Old"] == "active":
        raise NotYet("there is no new token. Generate one.")
    if not [state for name, state in states.items() if state == "active"]:
        raise NotYet("there is no active token left. Revoke the old one only.")
    if kept == token:
        raise NotYet("the file still holds the old token. Write the new one into it with set_key.")
    if len(loads) == 1:
        raise NotYet("the program still uses the old token. A changed file changes no running program: call reload().")
    if loads[-1] == token:
        raise NotYet("reload() came before the file was changed, so the program took the old token again.")
    if failed:
        raise NotYet("a call failed in between: the old token was revoked while the program still used it.")
    if states["Old"] == "active":
        raise NotYet("the old token is still active. Revoke it, as the last step.")
    right("the program called after each step, and no call failed.")


# 08 Revoke and react to a leak


def leak_order(answer: object) -> None:
    """Check the order after a leak: revoke (D), replace (B), look (A), clean up (C)."""
    order = letters(answer)
    if order[0] == "C":
        raise NotYet("you clean the history first. Meanwhile the token works, and every copy of the repository has it.")
    if order[0] == "B":
        raise NotYet("you replace first, as in a rotation. But here somebody else has the token: end it first.")
    if order[0] == "A":
        raise NotYet("you look first. While you look, the thief goes on: end the token first.")
    if order != "DBAC":
        raise NotYet("the first step is right. Then bring your programs back, then look, and clean up last.")
    right("revoke, replace, look, clean up.")


def revoked(settings_page: SettingsPage) -> None:
    """Check that the leaked token is revoked and nothing else."""
    states = {row.name: row.state for row in reversed(settings_page.tokens())}
    if states.get("Server") == "revoked":
        raise NotYet("you revoked the token of the server, which did not leak. Run the cell above again for a new start.")
    if states.get("Report script") != "revoked":
        raise NotYet("the leaked token is still active. Press Revoke for the one named Report script.")
    right("the leaked token is dead, and the server works on.")


def token_pattern(pattern: object) -> None:
    """Check a regular expression that finds tokens in files."""
    begun(pattern)
    try:
        expression = re.compile(pattern.pattern if isinstance(pattern, re.Pattern) else pattern)  # type: ignore[arg-type]
    except (re.error, TypeError):
        raise NotYet('this is no regular expression. Write it as a text: r"…".') from None
    if not expression.search(MADE_UP):
        raise NotYet("it doesn't find a token. Behind the prefix there are 36 letters and digits, large and small.")
    for text in (f"TOKEN={MADE_UP}", f'headers = {{"Authorization": "Bearer {MADE_UP}"}}', f"# old: {MADE_UP}, see mail"):
        if not expression.search(text):
            raise NotYet("it finds a token only where it stands alone. Leave out ^, $ and what fits only there.")
    for harmless, what in {
        "Tokens of the mock server begin with lis_mock_.": "the prefix alone, in a sentence",
        "lis_mock_ is the prefix of every token that the mock server makes": "the prefix with a sentence behind it",
        "lis_mock_cut": "something that is too short for a token",
        "a" * 64: "any long word, such as a checksum",
    }.items():
        if expression.search(harmless):
            raise NotYet(f"it takes this for a token: {what}. A scanner that cries wolf is switched off soon.")
    right("it finds tokens, and nothing else.")


# 09 Respect rate limits


def seconds_to_wait(function: Callable) -> None:
    """Check how many seconds an answer asks to wait."""
    limits = {"X_RateLimit_Reset": "1780315260", "X_RateLimit_Remaining": "0", "X_RateLimit_Limit": "60"}
    body, none = {"retryAfter": 40}, {}
    for status, more, header, seconds, where in (
        (429, body, none, 40, "in its body only. linked.is documents that: read it first"),
        (503, none, {"Retry_After": "7"}, 7, "in the header Retry-After only. Read that second"),
        (429, body, {"Retry_After": "7"}, 40, "in its body, and for 7 in the header. Read the body first"),
    ):
        response = refusal(status, "A_CODE", **more)
        response.headers.update({name.replace("_", "-"): value for name, value in {**limits, **header}.items()})
        got = run(function, response)
        if isinstance(got, str):
            raise NotYet("it returns a text. A header is a text, too: make a number of it with int().")
        if got in (1780315260, 60):
            raise NotYet("that's another header. X-RateLimit-Reset is a time, not a number of seconds to wait.")
        if isinstance(got, bool) or got != seconds:
            raise NotYet(f"a {status} asks for {seconds} seconds {where}. Your function returns something else.")
    for response in (answer_of(200, {"success": True, "data": []}, **limits), refusal(401, "INVALID_TOKEN")):
        if run(function, response) != 0:
            raise NotYet(f"status {response.status_code} asks for no waiting. Return 0.")
    right("it waits as long as it should, and no longer.")


def backoffs(retry: Retry, **what: Any) -> list[float]:
    """Return the seconds that a policy waits before each further try, if nobody says how long: of ten tries at most."""
    waits: list[float] = []
    with suppress(HTTPError):
        while len(waits) < 10:
            retry = retry.increment("GET", "/", **what)
            waits.append(retry.get_backoff_time())
    return waits


def policy(retry: object) -> None:
    """Check a retry policy by asking it what it would do."""
    begun(retry)
    if isinstance(retry, HTTPAdapter):
        retry = retry.max_retries
    if not isinstance(retry, Retry):
        raise NotYet("that's no Retry. Make one: Retry(total=…, status_forcelist=…).")
    if retry.is_retry("GET", 401) or retry.is_retry("GET", 401, has_retry_after=True):
        raise NotYet("it tries a 401 again. A token that was refused is refused each time.")
    if retry.is_retry("GET", 429):
        raise NotYet("it tries a 429 again, and can't read the body that says when. Leave 429 out of status_forcelist.")
    for status in (200, 201, 400, 403, 404):
        if retry.is_retry("GET", status):
            raise NotYet(f"it tries {status} again. The same request gets the same answer.")
    for status in (500, 503):
        if not retry.is_retry("GET", status):
            raise NotYet(f"it doesn't try {status} again. Put it into status_forcelist.")
    if retry.is_retry("POST", 503) or retry.is_retry("POST", 503, has_retry_after=True):
        raise NotYet("it repeats a POST, so a link could be made twice. Leave allowed_methods as it is.")
    drawn = [backoffs(retry, response=HTTPResponse(status=503)) for _ in range(50)]
    if len(drawn[0]) != 4:
        raise NotYet(f"it tries {len(drawn[0])} times again or more, not four times. Set `total`.")
    if len(backoffs(retry, error=ConnectTimeoutError())) > 4:
        raise NotYet("if nobody answers, it tries nearly without end. Set `total`: it holds for all kinds of trouble.")
    for number, seconds in ((1, 1), (2, 2), (3, 4)):
        column = [row[number] for row in drawn]
        if not 0.75 * seconds <= min(column) <= max(column) <= 2 * seconds:
            raise NotYet(f"before try {number + 1} it waits for {max(column):.1f} seconds, not about {seconds}. "
                         "Set `backoff_factor`, and let the jitter be at most as long.")  # fmt: skip
        if len(set(column)) == 1:
            raise NotYet("every client waits for the same time, so all come back at once. Set `backoff_jitter`.")
    if not retry.respect_retry_after_header or retry.parse_retry_after("60") < 60:
        raise NotYet("it comes back before the 60 seconds that Retry-After asks for.")
    if retry.parse_retry_after("86400") > 60:
        raise NotYet(f"if Retry-After asks for a day, it waits for {retry.parse_retry_after('86400')} seconds a try. "
                     "Set `retry_after_max`.")  # fmt: skip
    right("it tries 500 and 503 again, waits a little longer each time, and nothing else.")


def waits(function: Callable) -> None:
    """Check waits that double, have an upper limit and differ from client to client."""
    for count, longest in ((7, 20), (3, 3)):
        drawn = []
        for _ in range(300):
            got = run(function, count, longest)
            if not isinstance(got, (list, tuple)) or [isinstance(wait, (int, float)) for wait in got] != [True] * count:
                raise NotYet("it returns something else than a list with one number for each try.")
            drawn.append(list(got))
        for number, column in enumerate(zip(*drawn, strict=True)):
            step = min(2**number, longest)
            if max(column) > longest:
                raise NotYet("a wait is longer than the longest. min(longest, …) holds it down.")
            if step + 1 <= longest and max(column) - min(column) < 0.5:
                raise NotYet("clients wait for nearly the same time, so all come back at once. Add random.random().")
            if min(column) < min(step, longest - 1):
                raise NotYet(f"before try {number + 1} it may wait for only {min(column):.1f} seconds, not for {step}.")
            if max(column) > step + 1:
                raise NotYet(f"before try {number + 1} it waits up to {max(column):.1f} seconds, and the limit is {step + 1}.")
    right("each client waits longer and longer, and no two come back at once.")


# 10 Capstone: what a client must do, each as a sentence and a function that tries it

REQUIREMENTS: dict[str, Callable[[Trial], None]] = {}
MISSING = "clx0000000000"  # no account has a link with this id


def requirement(sentence: str) -> Callable:
    """Enter the function below in the table of requirements."""

    def enter(attempt: Callable[[Trial], None]) -> Callable[[Trial], None]:
        REQUIREMENTS[sentence] = attempt
        return attempt

    return enter


class Trial:
    """A new account, a client for it, and all that can be seen of what the client does."""

    def __init__(self, client_class: Any, base_url: str) -> None:
        self.page, self.token = practice_account(base_url, "Capstone")
        self.page.change_plan("Business")
        self.base_url, self.sent, self.naps, self.slept, self.printed = base_url, [], [], 0.0, io.StringIO()
        self.module = sys.modules[client_class.__module__]
        self.client = self.watch(client_class, self.token, base_url)

    def watch(self, function: Callable, *arguments: Any, **options: Any) -> Any:
        """Call the learner's code. Waiting takes no time: what it slept is added up."""
        started, main = time.monotonic(), threading.current_thread()
        really_sleep = time.sleep

        def sleep(seconds: float) -> None:
            if threading.current_thread() is not main:
                really_sleep(seconds)
            else:
                self.naps += [seconds] if seconds else []  # in a browser tab, each call ends with a wait of 0 seconds
                self.slept += seconds

        imported = {name: sleep for name, value in vars(self.module).items() if value is really_sleep}
        with (
            watched(self.base_url) as sent,
            patch("time.sleep", sleep),
            patch.multiple(self.module, **imported) if imported else nullcontext(),
            redirect_stdout(self.printed),
        ):
            try:
                return function(*arguments, **options)
            finally:
                self.sent += sent
                self.slept += time.monotonic() - started

    def call(self, method: str = "GET", path: str = "/links", **options: Any) -> Any:
        """Let the client call, and return the data. Raises NotYet if it raises."""
        self.slept, self.naps = 0, []
        try:
            return self.watch(self.client.call, method, path, **options)
        except Exception as error:
            what = str(getattr(error, "code", type(error).__name__))
            raise NotYet(f"call({method!r}, {path!r}) ended in {what}, although the API was ready.") from None

    def failed(self, method: str = "GET", path: str = "/links", **options: Any) -> Exception:
        """Let the client call, and return what it raised. Raises NotYet if it raised nothing."""
        self.slept, self.naps = 0, []
        try:
            got = self.watch(self.client.call, method, path, **options)
        except Exception as error:
            return error
        raise NotYet(f"the API answered with an error, and call returned {type(got).__name__} instead of raising.")

    def fault(self, **values: object) -> None:
        """Make the next calls of this account fail."""
        answer = self.page.session.post(f"{self.page.origin}/_mock/faults", json=values, timeout=10)
        answer.raise_for_status()

    def statuses(self) -> list[int]:
        """Return the status of each call that reached the server, in order."""
        return [call["status"] for call in self.arrived()]

    def arrived(self) -> list[dict[str, Any]]:
        """Return the calls that reached the server, in order."""
        answer = self.page.session.get(f"{self.page.origin}/_mock/requests", timeout=10)
        return list(reversed(answer.json()["data"]["requests"]))


def must_be(error: Exception, code: str, message: str) -> None:
    """Check that an exception holds a code and a message. Raises NotYet."""
    name = type(error).__name__
    if getattr(error, "code", None) != code:
        if name in ("RetryError", "MaxRetryError"):
            raise NotYet(f"it ended in {name}, which holds no code. Retry(…, raise_on_status=False) hands you the answer.")
        raise NotYet(f"it raised {name} without the API's code. Its attribute `code` must be {code}.")
    if message not in str(getattr(error, "message", "")):
        raise NotYet(f"it raised {name} without the API's message. Put it into the attribute `message`.")


@requirement("sends the token, and returns the data")
def _(trial: Trial) -> None:
    data = trial.call()
    if not trial.sent:
        raise NotYet("nothing was sent with requests, and only that can be watched here.")
    if (isinstance(data, Mapping) and "data" in data) or isinstance(data, requests.Response):
        raise NotYet("call returns more than the data. Open the envelope.")
    if not isinstance(data, list) or len(data) != 5:
        raise NotYet("call('GET', '/links') doesn't return the five links of the account.")


@requirement("makes, changes and deletes, as the contract has it")
def _(trial: Trial) -> None:
    link = trial.call("POST", "/links", json={"url": "https://example.com", "title": "Made"})
    if not isinstance(link, Mapping) or link.get("title") != "Made":
        raise NotYet("call('POST', '/links', json=…) doesn't return the link. Pass json= on to requests.")
    path = f"/links/{link['id']}"
    if trial.call("PATCH", path, json={"title": "Changed"})["title"] != "Changed":
        raise NotYet("call('PATCH', …, json=…) doesn't change the link.")
    trial.call("DELETE", path)  # its data is null
    if len(trial.call("GET", "/links", params={"limit": 2})) != 2:
        raise NotYet("call(…, params={'limit': 2}) doesn't return two links. Pass params= on to requests.")
    for call in trial.arrived():
        known = [re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), call["path"].split("?")[0]) and item
                 for path, item in openapi()["paths"].items()]  # fmt: skip
        if not any(item and call["method"].lower() in item for item in known):
            raise NotYet(f"it asked for {call['method']} {call['path']}, which the contract doesn't have.")


@requirement("raises the API's code and message")
def _(trial: Trial) -> None:
    must_be(trial.failed("GET", f"/links/{MISSING}"), "NOT_FOUND", "no link with this id")
    must_be(trial.failed("POST", "/links", json={}), "INVALID_REQUEST", "url: is required")


@requirement("raises if nobody answers")
def _(trial: Trial) -> None:
    trial.fault(fault="drop", calls=20)
    error = trial.failed()
    if isinstance(error, (AttributeError, KeyError, NameError, TypeError)):
        raise NotYet(
            f"the line was cut, and it stopped with {type(error).__name__}: a slip of the code, not an error of the line."
        )


@requirement("never tries a 401 again")
def _(trial: Trial) -> None:
    trial.page.revoke("Capstone")
    error = trial.failed()
    tries = len(trial.statuses())
    if tries > 1:
        raise NotYet(f"it sent a revoked token {tries} times. A 401 stays a 401 until a person acts.")
    must_be(error, "INVALID_TOKEN", "The provided API token is invalid")


def wait_and_try_again(trial: Trial, status: int, header: str, where: str) -> None:
    """Let one call fail with a wait, and see when the client comes back."""
    for seconds in (2, 7 if header == "date" else 60):
        trial.fault(fault=str(status), calls=1, seconds=seconds, header=header)
        data = trial.call()
        if trial.slept < seconds - (header == "date"):  # a date leaves room for a part of a second
            came = int(10 * trial.slept) / 10  # Rounded, 1.96 would be as long as it was asked for.
            raise NotYet(f"a {status} asked for {seconds} seconds {where}, and it came back after {came}.")
        if trial.slept > seconds + 5:
            raise NotYet(f"a {status} asked for {seconds} seconds {where}, and it waited for {trial.slept:.1f}.")
        if trial.statuses()[-2:] != [status, 200] or not isinstance(data, list):
            raise NotYet(f"after a {status} it didn't come back with the data.")


@requirement("waits as long as the body of a 429 asks, and tries again")
def _(trial: Trial) -> None:
    wait_and_try_again(trial, 429, "none", "in its body only")


@requirement("waits as long as the header of a 503 asks, and tries again")
def _(trial: Trial) -> None:
    wait_and_try_again(trial, 503, "seconds", "in the header Retry-After")


@requirement("waits until a date, if the header has one")
def _(trial: Trial) -> None:
    wait_and_try_again(trial, 503, "date", "by a date in the header Retry-After")


@requirement("waits longer each time if nobody says how long")
def _(trial: Trial) -> None:
    for _ in range(8):  # by chance, one wait may be longer than the one before
        trial.fault(fault="503", calls=2, header="none")
        trial.call()
        first, second = (0, 0, *trial.naps)[-2:]  # a wait that is left out came first
        if first < 0.5:
            raise NotYet("nobody said how long, and its first retry came at once. A server in trouble needs a pause.")
        if second <= first:
            raise NotYet(
                f"nobody said how long, and it waited for {first:.1f}, then {second:.1f} seconds. Wait longer each time."
            )


@requirement("adds jitter to each wait")
def _(trial: Trial) -> None:
    for header in ("seconds", "none"):
        drawn = set()
        for _ in range(5):
            trial.fault(fault="503", calls=1, seconds=1, header=header)
            trial.call()
            drawn.add(tuple(trial.naps))
        if len(drawn) == 1:
            raise NotYet("it waits for the same time each time, so all clients come back at once. Add random.random().")


@requirement("raises instead of a long wait, and says when to come back")
def _(trial: Trial) -> None:
    for status, seconds, header, code in (
        (429, 61, "none", "RATE_LIMIT_EXCEEDED"),
        (503, 43_120, "seconds", "SERVICE_UNAVAILABLE"),
    ):
        trial.fault(fault=str(status), calls=20, seconds=seconds, header=header)
        error = trial.failed()
        if trial.slept > 5:
            raise NotYet(f"a {status} asked for {seconds} seconds, and it waited for {trial.slept:.0f}. Raise at once.")
        must_be(error, code, "")
        asked = getattr(error, "retry_after", None)
        if not isinstance(asked, (int, float)) or not seconds <= asked < seconds + 5:
            raise NotYet(f"the attribute `retry_after` of its exception must be {seconds}, as the {status} says.")


@requirement("never repeats a POST after a 503")
def _(trial: Trial) -> None:
    trial.fault(fault="503", calls=1, seconds=1)
    with suppress(NotYet):
        trial.failed("POST", "/links", json={"url": "https://example.com"})
    if len(trial.statuses()) != 1:
        raise NotYet("it sent a POST again after a 503. If the first one was done, there are two links now.")


@requirement("gives up after a few tries")
def _(trial: Trial) -> None:
    trial.fault(fault="429", calls=12, seconds=1)
    try:
        error = trial.failed()
    except NotYet:
        if 200 in trial.statuses():
            raise NotYet(f"it tried {len(trial.statuses())} times. An endless loop hides the problem: give up sooner.") from None
        raise
    must_be(error, "RATE_LIMIT_EXCEEDED", "Too many requests")


@requirement("gives every call a timeout")
def _(trial: Trial) -> None:
    trial.call()
    trial.call("POST", "/links", json={"url": "https://example.com"})
    trial.fault(fault="429", calls=3, seconds=1)
    with suppress(NotYet):
        trial.call()  # the last try, too
    if not trial.sent or any(sent.timeout is None for sent in trial.sent):
        raise NotYet("a call has no timeout: if the server hangs, the program hangs with it.")


@requirement("sends the token to its own base URL only")
def _(trial: Trial) -> None:
    trial.call()
    if not any(sent.holds(trial.token) for sent in trial.sent):
        raise NotYet("it sends the token to nobody.")
    for path in ("https://elsewhere.example/links", "//elsewhere.example/links", "@elsewhere.example/links"):
        with suppress(Exception):  # to refuse is right, too
            trial.watch(trial.client.call, "GET", path)
    home = urlsplit(trial.base_url).netloc
    if any(sent.holds(trial.token) and urlsplit(sent.url).netloc != home for sent in trial.sent):
        raise NotYet("it sent the token to another address, which call was asked for. Only the base URL may have it.")


@requirement("shows the token nowhere")
def _(trial: Trial) -> None:
    with suppress(Exception):
        trial.watch(trial.client.call, "GET", "/links")
    shown = {"repr(client)": repr(trial.client), "str(client)": str(trial.client)}
    error = trial.failed("GET", f"/links/{MISSING}")
    shown["the exception of a 404"] = f"{error} {error!r} {error.args} {vars(error)}"
    trial.page.revoke("Capstone")
    error = trial.failed()
    shown["the exception of a 401"] = f"{error} {error!r} {error.args} {vars(error)}"
    shown["the address"] = " ".join(sent.url for sent in trial.sent)
    shown["what it prints"] = trial.printed.getvalue()
    for where, text in shown.items():
        if trial.token in text or trial.token[9:21] in text or trial.token[-6:] in text:
            raise NotYet(f"the token is in {where}. From there it gets into logs.")


def attempt(sentence: str, client_class: Any, base_url: str) -> str | None:
    """Try one requirement; return what is wrong, ``None`` if it holds."""
    try:
        REQUIREMENTS[sentence](Trial(client_class, base_url))
    except NotYet as problem:
        return str(problem)
    except PageError:
        raise
    except Exception as error:  # its text may hold a token
        return f"it stopped with {type(error).__name__}{line_of(error, getattr(client_class, '__init__', None))}."
    return None


def capstone(client_class: Any, base_url: str) -> None:
    """Hold a client against every requirement, and print which hold."""
    if not isinstance(begun(client_class), type):
        raise NotYet("the check needs the class itself, LinkedIsClient, without parentheses behind it.")
    problems = {sentence: attempt(sentence, client_class, base_url) for sentence in REQUIREMENTS}
    for sentence, problem in problems.items():
        print("✗" if problem else "✓", sentence)
    for sentence, problem in problems.items():
        if problem:
            held = sum(problem is None for problem in problems.values())
            raise NotYet(f"{held} of {len(problems)} hold. Begin with “{sentence}”: {problem}")
    right("your client does all that it must.")
