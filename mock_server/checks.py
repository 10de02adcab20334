"""The checks of the exercises: each says that an answer is right, or what is wrong with it and what to do next.

A check looks at what an answer does, not at how it is written. It never shows a token.
"""

from __future__ import annotations

import copy
import functools
import io
import json
import os
import re
import reprlib
import string
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import date
from pathlib import Path
from types import FrameType
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
from mock_server.tokens import PREFIX

Answer = Callable[..., Any]  # a function that a learner wrote
VARIABLE = "LINKED_IS_API_TOKEN"
# Made up: no server has ever made tokens like these, and they look like nothing else.
SECRET = "Q7xZ9kW4" * 4 + "reBa"
MADE_UP = PREFIX + SECRET
LIMIT = 10  # seconds for one call of what a learner wrote
PRINTED = 10_000  # characters that it may print


class NotYet(Exception):
    """What is not right yet, and what to do next. A notebook shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for this
        return [f"Not yet: {self}"]


class Unfit(NotYet):
    """What a learner's code does to the notebook around it, so that nothing else of it is worth a try."""


class Ended(BaseException):
    """What ends a learner's code in the middle. No ``except Exception`` of theirs catches it."""


def right(sentence: str) -> None:
    """Say that an answer is right."""
    print(f"Right: {sentence}")


def begun(answer: Any) -> Any:
    """Return an answer that is there. Raises NotYet for one that isn't."""
    if answer is ...:
        raise NotYet("there is no answer yet. Change the marked line, run its cell, then run this one again.")
    return answer


def kind(value: object) -> str:
    """Name the type of a value, with its article. The value itself may hold a token."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def shown(value: object) -> str:
    """Return a value as a message may show it: short, and only its type if a token could be in it."""
    text = reprlib.Repr()
    text.maxstring = 60
    return kind(value) if re.search("[0-9A-Za-z]{20}", repr(value)) else text.repr(value)


def check(function: Callable[..., None]) -> Callable[..., None]:
    """Let a check raise nothing but NotYet, whatever it is given, and what says that the server gives no answer."""

    @functools.wraps(function)
    def checked(answer: Any, *more: Any) -> None:
        try:
            function(begun(answer), *more)
        except (NotYet, PageError, requests.ConnectionError):
            raise
        except Exception as error:  # its text may hold a token
            raise NotYet(f"the check can't use this answer, {kind(answer)}: it stopped with {type(error).__name__}. "
                         "Compare the answer with the task.") from None  # fmt: skip

    return checked


def run(function: Any, *arguments: Any) -> Any:
    """Call what the learner wrote, and return what it returns. Raises NotYet."""
    if not callable(begun(function)):
        raise NotYet(f"the check needs the function itself, and got {kind(function)}. "
                     "Write the function's name, without parentheses after it.")  # fmt: skip
    try:
        with guarded(getattr(function, "__globals__", {})):
            return begun(function(*arguments))
    except (NotYet, PageError):
        raise
    except Exception as error:  # its text may hold a token
        raise NotYet(
            f"your code stopped with {type(error).__name__}{line_of(error, function)}. Correct it, then run both cells again."
        ) from None


@contextmanager
def guarded(names: dict[str, Any]) -> Iterator[tuple[list[float], io.StringIO]]:
    """Let a learner's code neither hang, nor flood the notebook, nor change ``names``, the variables around it.

    To wait takes no time. Yields the seconds of each wait, and what is printed. Raises NotYet.
    """
    waits: list[float] = []
    before, main, tracer = copies(names), threading.current_thread(), sys.gettrace()
    really_sleep, now = time.sleep, time.monotonic
    end = now() + LIMIT

    def sleep(seconds: float) -> None:
        if threading.current_thread() is not main:
            really_sleep(seconds)
        else:
            waits.append(seconds)

    def trace(frame: FrameType, event: str, argument: Any) -> Any:  # Signals and threads aren't in every place; this is.
        if now() > end:
            raise Ended(f"your code ran for {LIMIT} seconds without an end. Look for a loop that never stops.")
        return trace if frame.f_globals is names else None

    printed = Printed()
    names.update((name, sleep) for name, value in before.items() if value is really_sleep)
    try:
        with patch("time.sleep", sleep), patch.dict(os.environ), redirect_stdout(printed), redirect_stderr(printed):
            sys.settrace(trace)
            try:
                yield waits, printed
            finally:
                sys.settrace(tracer)
    except Ended as ended:
        raise Unfit(str(ended)) from None
    except SystemExit:
        raise Unfit("your code ends the whole program. Use return, not exit().") from None
    finally:
        names.update((name, really_sleep) for name, value in before.items() if value is really_sleep)
        changed = [name for name in {**before, **names} if differ(names.get(name, ...), before.get(name, ...))]
        for name in changed:
            names.pop(name, None)
        names.update((name, before[name]) for name in changed if name in before)
    if changed:
        raise Unfit(f"your code changes `{min(changed)}`, a variable outside of it, so a second call finds another one. "
                     "Keep the value in a variable inside your code.")  # fmt: skip


def copies(names: dict[str, Any]) -> dict[str, Any]:
    """Return variables as they are now. Of what can be changed in place, it holds a copy."""
    return {name: copy.copy(value) if isinstance(value, (list, dict, set)) else value for name, value in names.items()}


def differ(one: Any, other: Any) -> bool:
    """Tell whether two values of ``copies`` are not the same."""
    return bool(one != other) if isinstance(one, (list, dict, set)) else one is not other


class Printed(io.StringIO):
    """What a learner's code prints: kept out of the notebook, for it may hold a token."""

    def write(self, text: str) -> int:
        """Keep a text. Raises Ended if it gets too much."""
        if self.tell() + len(text) > PRINTED:
            raise Ended(f"your code printed more than {PRINTED:,} characters. Delete the print() in it.")
        return super().write(text)


def line_of(error: Exception, function: Any) -> str:
    """Say in which line of the learner's cell an error came up, if it was there."""
    line, step = None, error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == getattr(getattr(function, "__code__", None), "co_filename", None):
            line = step.tb_lineno
        step = step.tb_next
    return f", in line {line} of your cell" if line else ""


def decides(function: Answer, cases: Iterable[tuple[str, tuple[Any, ...], bool, str]]) -> None:
    """Check a function that says yes or no.

    A case is what it is asked about, the arguments, the right answer, and what to do if it gives the other one.
    """
    for about, arguments, wanted, advice in cases:
        got = run(function, *arguments)
        if bool(got) != wanted:
            raise NotYet(f"for {about} your function returns {shown(got)}, not {wanted}. {advice}")


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


@check
def new_enough(function: Answer) -> None:
    """Check that a version is compared as a tuple."""
    try:
        run(function, (3, 11, 0))
    except NotYet as problem:
        if "TypeError" in str(problem):
            raise NotYet(f"{problem} A version is a tuple: compare it with a tuple, (3, 11).") from None
        raise
    limit = "The limit is (3, 11), and 3.11 itself is new enough: compare with `>=`."
    decides(function, (
        ("(3, 11, 0)", ((3, 11, 0),), True, limit),
        ("(3, 12, 1)", ((3, 12, 1),), True, limit),
        ("(4, 0, 0)", ((4, 0, 0),), True, "Compare the whole tuple, not its second number alone."),
        ("(3, 9, 18)", ((3, 9, 18),), False, "As text, 3.9 comes after 3.11. Compare the tuple with (3, 11)."),
        ("(2, 7, 18)", ((2, 7, 18),), False, limit),
        ("(2, 11, 0)", ((2, 11, 0),), False, "Compare the whole tuple, not its second number alone."),
        ("(3, 10, 14)", ((3, 10, 14),), False, limit),
    ))  # fmt: skip
    right("it knows which Python is new enough.")


@check
def first_error(code: object) -> None:
    """Check that the code was taken out of an error."""
    if isinstance(code, requests.Response):
        raise NotYet("that is the whole answer. Read it with .json(), then take error, then code.")
    if isinstance(code, Mapping):
        raise NotYet("that is more than the code. Go one step further down: error, then code.")
    if str(code) == "401":
        raise NotYet("401 is the status. It is the same for all three errors: take the code, which tells them apart.")
    if code == "Authorization header is required":
        raise NotYet("that is the message, which is for people. Take the code beside it, which is for programs.")
    if code != "MISSING_TOKEN":
        raise NotYet(f"{shown(code)} is not the code of this answer. Take error, then code, from refused.json().")
    right("the code says that no token was sent.")


# 02 Generate a token


@check
def generated(token: object, settings_page: SettingsPage) -> None:
    """Check that a token named Exercise, which lives for 30 days, was generated and is kept."""
    if not isinstance(token, str):
        raise NotYet(f"`token` holds {kind(token)}, not a token. Keep there what generate_token returns.")
    rows = [row for row in settings_page.tokens() if row.name == "Exercise"]
    if not rows:
        raise NotYet('the page lists no token named Exercise. Generate one with name="Exercise", with a capital E.')
    newest = rows[0]
    if newest.expires == "never":
        raise NotYet("your token never expires. Generate one with the lifetime of 30 days: `lifetime=`.")
    if days_between(newest.created, newest.expires) != 30:
        raise NotYet(f"your token expires on {newest.expires[:10]}, not after 30 days. "
                     'Write the lifetime as the page does: "30 days".')  # fmt: skip
    if newest.state != "active":
        raise NotYet(f"your newest token named Exercise is {newest.state}. Generate another one.")
    if not re.fullmatch("[!-~]+", token) or status_with(token, settings_page) != 200:
        raise NotYet("the API refuses what is in `token`. Keep what generate_token returns, without a change.")
    if next(row for row in settings_page.tokens() if row.name == "Exercise").last_used == "never":
        raise NotYet("`token` holds another token than the newest one named Exercise. Keep what generate_token returns.")
    right("it is active, has a name, and ends after 30 days.")


def days_between(start: str, end: str) -> int:
    """Return the days between two moments as the page spells them."""
    return (date.fromisoformat(end[:10]) - date.fromisoformat(start[:10])).days


def status_with(token: str, page: SettingsPage) -> int:
    """Call the API with a token; return the status."""
    headers = {"Authorization": f"Bearer {token}".encode()}
    return requests.get(f"{page.origin}/v1/links", headers=headers, timeout=10).status_code


@check
def header(headers: object, token: str) -> None:
    """Check the header that authenticates a call."""
    if not isinstance(headers, Mapping):
        raise NotYet(f"`headers` holds {kind(headers)}, not a dictionary. Write {{name: value}}.")
    names = {str(name).lower(): value for name, value in headers.items()}
    if "authorization" not in names:
        raise NotYet("there is no header named Authorization. Write the name with a z, and with no colon or space in it.")
    check_value(names["authorization"], token)
    right("the header has the right name, and the value is Bearer, a space, the token.")


def check_value(value: object, token: str) -> None:
    """Check a value of the header Authorization. Raises NotYet."""
    value = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise NotYet(f"the value of the header is {kind(value)}, not a text. Write Bearer, a space, the token.")
    if re.match(r"\s*bearer\s*bearer", value, re.IGNORECASE):
        raise NotYet("the header reads `Bearer Bearer …`: the text after the first one has the word already. Write it once.")
    if value.strip() == token:
        raise NotYet("the header holds the token alone. Put the word Bearer and a space before the token.")
    if "{" in value:
        raise NotYet("the header holds the name of the variable, not its value. Put an f before the quotation mark.")
    if not value.lower().startswith("bearer"):
        raise NotYet("the value doesn't begin with the word Bearer. Put the word Bearer and a space before the token.")
    if value[6:7] != " ":
        raise NotYet("after Bearer there is no space. Put one space between Bearer and the token.")
    if value != value.strip():
        raise NotYet("there is white space around the value. Take white space off the token with strip().")
    if value[7:].lstrip(" ") != token:
        raise NotYet("after Bearer there is something else than the token. Put the token there, without a change.")


@check
def describe(function: Answer) -> None:
    """Check that a token is described without a piece of its secret part."""
    # No piece of these is in a word. The first two have the same length.
    tokens = [PREFIX + secret for secret in ("Q7xZ9kW4" * 4 + "Q7xZ", "V8yX6jU2" * 4 + "V8yX", "Q7xZ9kW4" * 5)]
    texts = []
    for token in tokens:
        text = run(function, token)
        if text is None:
            raise NotYet("your function returns None. Return the text with return; the caller prints it.")
        text = str(text)
        if token in text:
            raise NotYet("your text shows the whole token. Anybody who reads the log can use it: keep nine characters.")
        if any(token[at : at + 2] in text for at in range(9, len(token) - 1)):
            raise NotYet("your text shows a piece of the secret part. Keep the first nine characters only.")
        if f"{PREFIX}{token[9]}" in text:
            raise NotYet("your text shows the first character of the secret part. The prefix has nine characters.")
        if PREFIX not in text:
            raise NotYet("your text lacks the prefix, which tells what kind of token this is. Put token[:9] into it.")
        if not re.search(rf"(?<!\d){len(token)}(?!\d)", text):
            raise NotYet(f"your text lacks the length of the whole token, here {len(token)}. Put len(token) into it.")
        texts.append(text)
    if texts[0] != texts[1]:
        raise NotYet("for two tokens of the same length, your texts differ, so they show something of the secret part. "
                     "Use the prefix and the length only.")  # fmt: skip
    right("it tells the kind and the length, and nothing that helps a thief.")


# 03 Load it from .env


@check
def env_line(function: Answer) -> None:
    """Check a line for .env by reading it as python-dotenv does."""
    line = run(function, MADE_UP)
    if not isinstance(line, str):
        raise NotYet(f"your function returns {kind(line)}, not a text. Return the line.")
    values = {name: value for name, value in dotenv_values(stream=io.StringIO(line)).items() if value}
    if not values:
        raise NotYet("python-dotenv finds no name with a value in your line. Write NAME=value.")
    if VARIABLE not in values:
        raise NotYet(f"your line sets another name. The course reads {VARIABLE}: write this name, in capitals.")
    value = values[VARIABLE]
    if value.lower().startswith("bearer"):
        raise NotYet("your line has the word Bearer in it. Keep the token alone there: the code adds the word.")
    if value.strip("“”‘’") != value:
        raise NotYet("your line has curly quotation marks, which become a part of the value. Leave them out.")
    if "{" in value:
        raise NotYet("your line holds the name of the variable, not its value. Put an f before the quotation mark.")
    if value != MADE_UP:
        raise NotYet("python-dotenv reads another value than the token. Put the token directly after the = sign.")
    right("python-dotenv reads the token from it.")


@check
def authorization(function: Answer) -> None:
    """Check a function that makes a header's value of what somebody pasted."""
    for token in (MADE_UP, "reB" + SECRET):  # what linked.is's own tokens begin with, nobody says
        for pasted in (token, f"  {token}\n", f"Bearer {token}", f" Bearer {token} "):
            value = run(function, pasted)
            if isinstance(value, str) and value.startswith("Bearer ") and value[7:] in token[1:] + token[:-1]:
                raise NotYet("the token has lost characters: strip takes single characters away, not a word. "
                             'Take the word off with removeprefix("Bearer ").')  # fmt: skip
            check_value(value, token)
    right("it makes one good header of each.")


@check
def loaded(env_file: Path) -> None:
    """Check that the environment holds what the file says."""
    wanted, held = dotenv_values(env_file)[VARIABLE] or "", os.environ.get(VARIABLE)
    if not held:
        raise NotYet("there is no token in the environment. Load the file that `practice` names.")
    if held.lower().startswith("bearer"):
        raise NotYet("the environment holds the word Bearer, too. Keep the token alone there.")
    if held != wanted and wanted in held:
        raise NotYet("the environment holds more than the token, such as quotation marks. Let python-dotenv read the file.")
    if held != wanted:
        raise NotYet("the environment holds another token than the file. load_dotenv keeps a variable that is set: "
                     "add override=True.")  # fmt: skip
    right("the environment holds the new token.")


# 04 Call the API


class Sent:
    """A request as it left: its method, address and headers, and what requests was told for it."""

    def __init__(self, request: requests.PreparedRequest, options: Mapping[str, Any]) -> None:
        self.method, self.url, self.headers = request.method, request.url or "", request.headers.copy()
        self.timeout, self.verify = options.get("timeout"), options.get("verify")

    def holds(self, token: str) -> bool:
        """Tell whether the token is in a header."""
        return any(token in (value.decode("latin-1") if isinstance(value, bytes) else value) for value in self.headers.values())

    def may_hang(self) -> bool:
        """Tell whether it may wait for ever: for a connection, or for the answer."""
        return self.timeout is None or (isinstance(self.timeout, tuple) and None in self.timeout)


@contextmanager
def watched(base_url: str) -> Iterator[list[Sent]]:
    """Note each request that requests sends. What goes to another address than the mock server's goes nowhere."""
    seen: list[Sent] = []
    really_send, home = HTTPAdapter.send, urlsplit(base_url).netloc

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        seen.append(Sent(request, options))
        if urlsplit(seen[-1].url).netloc == home:
            return really_send(adapter, request, *arguments, **options)
        response = answer_of(200, {"success": True, "data": []})
        response.url, response.request, response.raw = seen[-1].url, request, io.BytesIO()
        return response

    with patch.object(HTTPAdapter, "send", send):
        yield seen


@check
def lists_links(function: Answer, base_url: str) -> None:
    """Check a call: its address, its header, its timeout."""
    _, token = practice_account(base_url)
    with watched(base_url) as seen:
        response = run(function, token)
    if not seen:
        raise NotYet("your function calls nobody. Call the API with requests.get.")
    for sent in seen:
        if token in sent.url:
            raise NotYet("the token is in the address, and logs keep addresses. Send the token in the header Authorization.")
        if (sent.method, sent.url.partition("?")[0]) != ("GET", f"{base_url}/links"):
            raise NotYet(f"your function asks with {sent.method} for {shown(sent.url.partition('?')[0])}. "
                         f"Ask with GET for {base_url}/links.")  # fmt: skip
        if "Authorization" not in sent.headers:
            raise NotYet("no header named Authorization was sent. Give it to requests with headers=.")
        check_value(sent.headers["Authorization"], token)
        if sent.may_hang():
            raise NotYet("your call has no timeout: if the server hangs, your program hangs with it. Add timeout=10.")
        if sent.verify is False:
            raise NotYet("your call has verify=False, so nobody checks who answers. Leave verify out.")
    if not isinstance(response, requests.Response):
        raise NotYet(f"your function returns {kind(response)}, not the answer. Return what requests.get returns.")
    if response.status_code != 200:
        raise NotYet(f"the answer has status {response.status_code}, not 200. Compare the call with the one of the lesson.")
    right("the token was sent in the header, and the call can't hang for ever.")


@check
def data_of(function: Answer) -> None:
    """Check a function that opens the envelope."""
    for status, data in ((200, [{"slug": "jobs"}]), (201, {"slug": "new"}), (200, []), (200, None)):
        got = run(function, answer_of(status, {"success": True, "data": data}))
        if isinstance(got, Mapping) and "success" in got:
            raise NotYet("your function returns the whole envelope. Return what is in it, under data.")
        if got != data:
            raise NotYet(f"for status {status} with data {data}, your function returns {shown(got)}. "
                         "If `success` is true, return what is under data.")  # fmt: skip
    for status, code in ((404, "NOT_FOUND"), (401, "TOKEN_EXPIRED"), (401, "INVALID_TOKEN")):
        try:
            with guarded(getattr(function, "__globals__", {})):
                function(refusal(status, code))
        except NotYet:
            raise
        except (KeyError, TypeError, AttributeError) as error:
            raise NotYet(f"for an answer with an error it stops with {type(error).__name__}, which doesn't say what went wrong. "
                         "Look at `success` first.") from None  # fmt: skip
        except Exception as error:
            if not isinstance(error, RuntimeError):
                raise NotYet(
                    f"for {status} {code} it raises {type(error).__name__}. Raise RuntimeError, as the task says."
                ) from None
            if code not in str(error):
                raise NotYet(
                    f"it raises RuntimeError, but its text lacks the code {code}. Put the code of the answer into it."
                ) from None
        else:
            raise NotYet(f"for {status} {code} it raises nothing, so the program would go on without data. "
                         "Raise RuntimeError with the code.")  # fmt: skip
    right("it returns the data. If there is none, it raises RuntimeError with the code.")


@check
def may_have_token(function: Answer) -> None:
    """Check a function that tells which address the token may go to."""
    base, real = "https://api.linked.is/v1", "https://linked.is/api/v1"
    below = "This address begins with the base URL and a slash, so the token may go there."
    decides(function, (
        *((url, (url, base), True, below) for url in (f"{base}/links", f"{base}/links?limit=2", f"{base}/profiles/prof_123456/blocks")),
        (f"{real}/links and the base URL {real}", (f"{real}/links", real), True, "Use `base_url`: it may be another one."),
        *((url, (url, base), False, why) for url, why in {
            "https://example.com/": "The token would go to somebody else.",
            "https://example.com/?from=https://api.linked.is/v1/": "The base URL is only in the query. Compare the beginning.",
            "https://api.linked.is.example.com/v1/links": "The host only begins like the API's. Compare the whole base URL.",
            "https://api.linked.is@example.com/v1/links": "Everything before the @ is a user name, not the host.",
            "http://api.linked.is/v1/links": "It is not encrypted: anybody on the way can read the token. Compare https, too.",
            "https://api.linked.is/v10/links": "It is not below the base URL. Put a slash after the base URL.",
            "https://api.linked.is/jobs": "It is on the same host, but not below the base URL. Compare the path, too.",
        }.items()),
    ))  # fmt: skip
    right("the token goes to the API and to nobody else.")


# 05 Use what a token opens


@check
def winter_link(link: object, session: requests.Session, base_url: str) -> None:
    """Check that a link was made."""
    link = link.json() if isinstance(link, requests.Response) else link
    if isinstance(link, Mapping) and "error" in link:
        raise NotYet(f"the API answers {link['error']['code']}: {link['error']['message']}. Correct the call.")
    link = link.get("data", link) if isinstance(link, Mapping) else link
    if isinstance(link, list):
        raise NotYet("that is a list of links: you asked with GET. POST makes a new one.")
    if not isinstance(link, Mapping) or "id" not in link:
        raise NotYet(f"`link` holds {kind(link)} without an id, not a link. Keep the data of the answer.")
    stored = session.get(f"{base_url}/links/{link['id']}", timeout=10).json().get("data")
    if not stored:
        raise NotYet("the server knows no link with this id. Make it with POST, and don't delete it.")
    if stored["url"] != "https://example.com/winter":
        raise NotYet(f"your link leads to {shown(stored['url'])}. Its url must be https://example.com/winter.")
    if stored["title"] != "Winter menu":
        raise NotYet(f"the title of your link is {shown(stored['title'])}. It must be Winter menu.")
    right("the link is there, with its title.")


class SmallPages(HTTPAdapter):
    """Ask for two entries a page, whatever the learner asks for, and not for ever."""

    asked = 0

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Send the request with another limit. Raises Ended after twelve pages."""
        self.asked += 1
        if self.asked > 12:
            raise Ended("it asks for pages without end. Take the next address from each answer; stop if there is none.")
        parts = urlsplit(request.url or "")
        query = {**dict(parse_qsl(parts.query)), "limit": "2"}
        request.url = urlunsplit(parts._replace(query=urlencode(query)))
        return super().send(request, *arguments, **options)


@check
def all_slugs(function: Answer, base_url: str) -> None:
    """Check a function that walks through all pages."""
    _, token = practice_account(base_url)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    wanted = [link["slug"] for link in session.get(f"{base_url}/links", timeout=10).json()["data"]]
    for call in ("the first call", "a second call"):
        session.mount(base_url, SmallPages())
        slugs = run(function, session, f"{base_url}/links")
        if not isinstance(slugs, (list, tuple, set)) or not all(isinstance(slug, str) for slug in slugs):
            raise NotYet('it returns something else than a list of slugs. A slug is a text: link["slug"].')
        if call != "the first call" and sorted(slugs) != sorted(wanted):
            raise NotYet(
                f"{call} returns {len(slugs)} slugs of {len(wanted)} links. Begin with an empty list inside the function."
            )
        if sorted(slugs) == sorted(wanted[:2]):
            raise NotYet("it returns the first page only. Go on at the next address, which `response.links` has.")
        if sorted(slugs) == sorted(wanted[-1:]):
            raise NotYet("it returns the last page only. Add each page to the list before you go on.")
        if len(slugs) != len(set(slugs)):
            raise NotYet("it returns a link twice. Go on at the next address, not at the first one again.")
        if sorted(slugs) != sorted(wanted):
            raise NotYet(f"it returns {len(slugs)} of {len(wanted)} links. Take what is on every page, the last one too.")
    right("it walks through all pages, and stops.")


@check
def busiest_country(answer: object, stats: Mapping[str, Any]) -> None:
    """Check which country has the most clicks."""
    clicks = {entry["country"]: entry["clicks"] for entry in stats["countries"]}
    best = max(clicks, key=lambda country: clicks[country])
    if isinstance(answer, Mapping):
        raise NotYet("that is the whole entry. Take its country.")
    if isinstance(answer, (int, float)):
        raise NotYet("that is a number of clicks. Take the country in which they happened.")
    if not isinstance(answer, str):
        raise NotYet(f"that is {kind(answer)}, not the name of a country. Take one name, a text.")
    if answer in stats:
        raise NotYet("that is the name of a field, not of a country. Look into the list.")
    if answer not in clicks:
        raise NotYet(f'the statistics have no country {shown(answer)}. Take the name from stats["countries"].')
    if answer == max(clicks) != best:
        raise NotYet("max compared the names, by the alphabet. Tell it with key= to compare the clicks.")
    if answer != best:
        raise NotYet(f"{answer} has {clicks[answer]} clicks, and another country has more. Compare the clicks of all.")
    right(f"most clicks come from {best}.")


# 06 Read authentication errors

CAUSES = {
    "The header was not sent": "MISSING_TOKEN",
    "The token was revoked": "INVALID_TOKEN",
    "The token is older than its lifetime": "TOKEN_EXPIRED",
    "The token was cut off when it was copied": "INVALID_TOKEN",
}


@check
def causes(answer: object) -> None:
    """Check which code belongs to which cause."""
    if not isinstance(answer, Mapping) or set(answer) != set(CAUSES):
        raise NotYet("the answer is not a dictionary with the four causes. Keep the causes, and change the values only.")
    for cause, code in CAUSES.items():
        given = begun(answer[cause])
        if str(given) == "401":
            raise NotYet("401 is the status of all of them. Write the code.")
        if given not in CAUSES.values():
            raise NotYet(f"“{cause}”: {shown(given)} is none of the three codes for a 401. "
                         "Write one of them, in capitals. A revoked token has no code of its own.")  # fmt: skip
        if given == "TOKEN_EXPIRED":
            why = "expired means only that the token outlived its lifetime"
        elif given == "MISSING_TOKEN":
            why = "missing means that no token was sent at all"
        else:
            why = "invalid means that a token was sent which the API doesn't know or doesn't accept any more"
        if given != code:
            raise NotYet(f"“{cause}”: {given} is not what the API says here, because {why}. Choose another code.")
    right("each cause has its code.")


@check
def worth_retrying(function: Answer) -> None:
    """Check which status is worth another try."""
    same = "The same request gets the same answer. Change the request, don't send it again."
    decides(function, [(f"status {status}", (status,), wanted, advice) for status, wanted, advice in (
        (401, False, "A token that was refused is refused each time, until a person acts."),
        (200, False, "All went well: a second request could make a link twice."),
        (201, False, "All went well: a second request could make a link twice."),
        (400, False, same),
        (403, False, same),
        (404, False, same),
        (429, True, "It means: too many calls just now. A later try may succeed."),
        (503, True, "It means: not available just now. A later try may succeed."),
    )])  # fmt: skip
    right("it tries again what may pass, and nothing else.")


@check
def expired(function: Answer) -> None:
    """Check that an expired token is told by its code."""
    good = answer_of(200, {"success": True, "data": [{"slug": "jobs", "title": "What TOKEN_EXPIRED means"}]})
    decides(function, (
        ("a good answer", (answer_of(200, {"success": True, "data": []}),), False, "It has no error: use .get with a default."),
        ("an expired token, with a message in French", (refusal(401, "TOKEN_EXPIRED", "Ce jeton a expiré"),), True,
         "Compare the code: the words of a message may change."),
        ("INVALID_TOKEN", (refusal(401, "INVALID_TOKEN", "Invalid, or the API token has expired"),), False,
         "All three errors have status 401: compare the code."),
        ("MISSING_TOKEN", (refusal(401, "MISSING_TOKEN"),), False, "That is another error: compare with TOKEN_EXPIRED."),
        ("NOT_FOUND", (refusal(404, "NOT_FOUND"),), False, "That is another error: compare with TOKEN_EXPIRED."),
        ("a good answer with a link that has the code in its title", (good,), False, "Look at the code under error only."),
    ))  # fmt: skip
    right("it recognises an expired token by its code.")


# 07 Rotate without downtime


def letters(answer: object) -> str:
    """Return an order as letters, however it was written: "dbca", ["D", "B", …]. Raises NotYet."""
    order = "".join(str(part) for part in answer) if isinstance(answer, (list, tuple)) else answer
    order = re.sub(r"[^A-Z]", "", order.upper()) if isinstance(order, str) else ""
    if sorted(order) != list("ABCD"):
        raise NotYet("the answer is not each of the letters A, B, C and D once. Write them in the order of the steps, as a text.")
    return order


@check
def rotation_order(answer: object) -> None:
    """Check the order: generate (C), put it everywhere (A), look (D), revoke (B)."""
    order = letters(answer)
    if order[0] == "B":
        raise NotYet("you revoke first. This is right after a leak. Here, every call fails until the programs have the new "
                     "token: revoke last.")  # fmt: skip
    if order.index("A") < order.index("C"):
        raise NotYet("you give programs a token that isn't there yet. Generate it before.")
    if order.index("B") < order.index("A"):
        raise NotYet("you revoke the old token while programs still use it. Revoke it last.")
    if order.index("D") > order.index("B"):
        raise NotYet("you look whether the old token is in use after you revoked it, which is too late. Look before you revoke.")
    if order != "CADB":
        raise NotYet("you look whether the old token is in use before the programs have the new one. Look after that.")
    right("new, everywhere, look, old.")


@check
def reload(function: Answer) -> None:
    """Check that a program takes the token from the file, also the second time."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {VARIABLE: "the-first-one"}):
        env_file = Path(folder) / ".env"
        env_file.write_text("# Settings\nLINKED_IS_BASE_URL=http://127.0.0.1:8787/v1\n", encoding="utf-8")
        session = requests.Session()
        for token in ("the-first-one", MADE_UP):
            set_key(env_file, VARIABLE, token)
            returned = run(function, session, env_file)
            value = session.headers.get("Authorization")
            if callable(session.auth):
                value = session.auth(requests.Request("GET", "http://127.0.0.1:8787/v1/links").prepare()).headers.get(
                    "Authorization"
                )
            if not value:
                elsewhere = isinstance(returned, requests.Session)
                raise NotYet("the session has no header Authorization. "
                             + ("Change the session that you get: the program keeps that one." if elsewhere
                                else 'Set session.headers["Authorization"].'))  # fmt: skip
            if token == MADE_UP and "the-first-one" in str(value):
                raise NotYet("after a change of the file, the session still sends the old token. load_dotenv keeps a variable "
                             "that is set: read the file each time with dotenv_values.")  # fmt: skip
            check_value(value, token)
    right("the running program takes the new token.")


@check
def rotate(function: Answer, base_url: str) -> None:
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
        try:
            run(function, page, env_file, load)
        except PageError as problem:
            raise NotYet(f"the page says: {problem} Correct the step that presses this button.") from None
        page._submit = press  # type: ignore[method-assign]
        call()
        kept = dotenv_values(env_file).get(VARIABLE) or ""
    states = {row.name: row.state for row in page.tokens()}
    if list(states) == ["Old"] and states["Old"] == "active":
        raise NotYet("there is no new token. Generate one.")
    if not [state for name, state in states.items() if state == "active"]:
        raise NotYet("there is no active token left. Revoke the old one only.")
    if kept == token:
        raise NotYet("the file still holds the old token. Write the new one into it with set_key.")
    if status_with(kept, page) != 200:
        raise NotYet(f"the file holds something else than an active token. Write the new token, alone, to {VARIABLE}.")
    if len(loads) == 1:
        raise NotYet("the program still uses the old token. A changed file changes no running program: call reload().")
    if loads[-1] == token:
        raise NotYet("reload() came before the file was changed, so the program took the old token again. Call it after set_key.")
    if failed:
        raise NotYet("a call failed in between: the old token was revoked while the program still used it. Revoke it last.")
    if states["Old"] == "active":
        raise NotYet("the old token is still active. Revoke it, as the last step.")
    right("the program called after each step, and no call failed.")


# 08 Revoke and react to a leak


@check
def leak_order(answer: object) -> None:
    """Check the order after a leak: revoke (D), replace (B), look (A), clean up (C)."""
    order = letters(answer)
    if order[0] == "C":
        raise NotYet("you clean the history first. Meanwhile the token works, and other people have copies: revoke it first.")
    if order[0] == "B":
        raise NotYet("you replace first, as in a rotation. But here somebody else has the token: revoke it first.")
    if order[0] == "A":
        raise NotYet("you look first. While you look, the thief goes on: revoke the token first.")
    if order != "DBAC":
        raise NotYet("the first step is right. Then give your program a new token, then look, and clean up last.")
    right("revoke, replace, look, clean up.")


@check
def revoked(settings_page: SettingsPage) -> None:
    """Check that the leaked token is revoked and nothing else."""
    states = {row.name: row.state for row in settings_page.tokens()}  # of two with the same name, the older one
    if set(states) < {"Server", "Report script"}:
        raise NotYet("the page doesn't list the two tokens. Run the cell above the task again for a new start.")
    if states["Server"] == "revoked":
        raise NotYet(
            "you revoked the token of the server, which did not leak. Run the cell above the task again for a new start."
        )
    if states["Report script"] != "revoked":
        raise NotYet("the leaked token is still active. Press Revoke for the one named Report script.")
    right("the leaked token is revoked, and the server works on.")


@check
def token_pattern(pattern: object) -> None:
    """Check a regular expression that finds tokens in files."""
    try:
        expression = re.compile(pattern)  # type: ignore[call-overload]
        expression.search("")
    except (re.error, TypeError):
        raise NotYet('this is no regular expression for a text. Write it as a text: r"…".') from None
    for length in range(36):  # One more each time: what will take for ever takes a second before that.
        started = time.process_time()
        if expression.search(f"{PREFIX}{SECRET[:length]}\n."):
            raise NotYet(f"it finds the prefix with only {length} letters and digits after it. A token has exactly 36: {{36}}.")
        if time.process_time() - started > 0.2:
            raise NotYet("it needs too long for a short text, and longer for each further letter. "
                         "Repeat one set of characters only once: […]{36}.")  # fmt: skip
    known = string.ascii_letters + string.digits
    for token in (MADE_UP, PREFIX + known[:36], PREFIX + known[-36:]):
        for text in (token, f"TOKEN={token}", f'headers = {{"Authorization": "Bearer {token}"}}', f"# old: {token}, see mail"):
            found = expression.search(text)
            if not found and text == token:
                raise NotYet("it doesn't find a token. After the prefix there are 36 letters and digits, large and small.")
            if not found:
                raise NotYet("it finds a token only where it is alone. Leave out ^, $ and what fits only there.")
            if token not in (found[0], *found.groups()):
                raise NotYet(f"it finds {len(found[0])} characters, and a token has {len(token)}. Begin with the prefix, and end "
                             "with the token.")  # fmt: skip
    for harmless, what in {
        f"{PREFIX} is the prefix of every token that the mock server makes": "the prefix with a sentence after it",
        f"{PREFIX}is_the_prefix_of_every_token_that_the_mock_server_makes": "a name with underscores, which \\w takes",
        f"{PREFIX}{'-' * 36}": "the prefix with a line after it",
        "a" * 64: "any long word, such as a checksum",
        f"lis_other_{SECRET}": "a word with another prefix",
    }.items():
        if expression.search(harmless):
            raise NotYet(f"it takes this for a token: {what}. If a scanner is wrong often, people switch it off: "
                         "allow letters and digits only, after the whole prefix.")  # fmt: skip
    right("it finds tokens, and nothing else.")


# 09 Respect rate limits


@check
def seconds_to_wait(function: Answer) -> None:
    """Check how many seconds an answer asks to wait."""
    limits: dict[str, str] = {"X_RateLimit_Reset": "1780315260", "X_RateLimit_Remaining": "0", "X_RateLimit_Limit": "60"}
    body: dict[str, int] = {"retryAfter": 40}
    none: dict[str, Any] = {}
    for status, more, header, seconds, where in (
        (429, body, none, 40, "in its body only. linked.is documents that: read it first"),
        (503, none, {"Retry_After": "7"}, 7, "in the header Retry-After only. Read that second"),
        (429, body, {"Retry_After": "7"}, 40, "in its body, and for 7 in the header. Read the body first"),
    ):
        response = refusal(status, "A_CODE", **more)
        response.headers.update({name.replace("_", "-"): value for name, value in {**limits, **header}.items()})
        got = run(function, response)
        if isinstance(got, str):
            raise NotYet("it returns a text. A header is a text: make a number of it with int().")
        if got in (1780315260, 60):
            raise NotYet(
                "it returns what another header says. X-RateLimit-Reset is a time, not a number of seconds to wait: read retryAfter, then Retry-After."
            )
        if isinstance(got, bool) or got != seconds:
            raise NotYet(f"a {status} asks for {seconds} seconds {where}. Your function returns {shown(got)}.")
    for response in (answer_of(200, {"success": True, "data": []}, **limits), refusal(401, "INVALID_TOKEN")):
        if run(function, response) != 0:
            raise NotYet(f"status {response.status_code} asks for no wait, and your function doesn't return 0. Return 0.")
    right("it waits as long as it should, and no longer.")


def backoffs(retry: Retry, **what: Any) -> list[float]:
    """Return the seconds that a policy waits before each further try, if nobody says how long: of ten tries at most."""
    waits: list[float] = []
    with suppress(HTTPError):
        while len(waits) < 10:
            retry = retry.increment("GET", "/", **what)
            waits.append(retry.get_backoff_time())
    return waits


@check
def policy(retry: object) -> None:
    """Check a retry policy by asking it what it would do."""
    if isinstance(retry, HTTPAdapter):
        retry = retry.max_retries
    if not isinstance(retry, Retry):
        raise NotYet(f"that is {kind(retry)}, not a Retry. Make one: Retry(total=…, status_forcelist=…).")
    if retry.is_retry("GET", 401) or retry.is_retry("GET", 401, has_retry_after=True):
        raise NotYet("it tries a 401 again. A token that was refused is refused each time: leave 401 out of status_forcelist.")
    if retry.is_retry("GET", 429):
        raise NotYet("it tries a 429 again, and can't read the body that says when. Leave 429 out of status_forcelist.")
    for status in (200, 201, 400, 403, 404):
        if retry.is_retry("GET", status):
            raise NotYet(
                f"it tries {status} again. The same request gets the same answer: leave {status} out of status_forcelist."
            )
    for status in (500, 503):
        if not retry.is_retry("GET", status):
            raise NotYet(f"it doesn't try {status} again. Put it into status_forcelist.")
    if retry.is_retry("POST", 503) or retry.is_retry("POST", 503, has_retry_after=True):
        raise NotYet("it repeats a POST, so a link could be made twice. Leave allowed_methods as it is.")
    drawn = [backoffs(retry, response=HTTPResponse(status=503)) for _ in range(50)]
    if len(drawn[0]) != 4:
        raise NotYet(f"it tries {len(drawn[0])} times again or more, not four times. Set `total`.")
    if len(backoffs(retry, error=ConnectTimeoutError())) > 4:
        raise NotYet("if nobody answers, it tries more than four times. Set `total`: it is for all kinds of failure.")
    for number, seconds in ((1, 1), (2, 2), (3, 4)):
        column = [row[number] for row in drawn]
        if not 0.75 * seconds <= min(column) <= max(column) <= 2 * seconds:
            raise NotYet(f"before try {number + 1} it waits for {max(column):.1f} seconds, not about {seconds}. "
                         "Set `backoff_factor`, and let the jitter be at most as long.")  # fmt: skip
        if len(set(column)) == 1:
            raise NotYet("every client waits for the same time, so all come back at once. Set `backoff_jitter`.")
    if not retry.respect_retry_after_header or retry.parse_retry_after("60") < 60:
        raise NotYet(
            "it comes back before the 60 seconds that Retry-After asks for. Let it respect the header, and set `retry_after_max` to 60."
        )
    if retry.parse_retry_after("86400") > 60:
        raise NotYet(f"if Retry-After asks for a day, it waits for {retry.parse_retry_after('86400')} seconds a try. "
                     "Set `retry_after_max`.")  # fmt: skip
    right("it tries 500 and 503 again, waits a little longer each time, and nothing else.")


@check
def waits(function: Answer) -> None:
    """Check waits that double, have an upper limit and differ from client to client."""
    for count, longest in ((7, 20), (3, 3)):
        drawn = []
        for _ in range(100):
            got = run(function, count, longest)
            if not isinstance(got, (list, tuple)) or [isinstance(wait, (int, float)) for wait in got] != [True] * count:
                raise NotYet(f"for {count} tries it returns {shown(got)}. Return a list with one number for each try.")
            drawn.append(list(got))
        for number, column in enumerate(zip(*drawn, strict=True)):
            step = min(2**number, longest)
            if max(column) > longest:
                raise NotYet(
                    f"a wait of {max(column):.1f} seconds is longer than the longest, {longest}. Limit it: min(longest, …)."
                )
            if step + 1 <= longest and max(column) - min(column) < 0.5:
                raise NotYet("clients wait for nearly the same time, so all come back at once. Add random.random().")
            if min(column) < min(step, longest - 1):
                raise NotYet(
                    f"before try {number + 1} it may wait for only {min(column):.1f} seconds, not for {step}. Add to 2**number."
                )
            if max(column) > step + 1:
                raise NotYet(
                    f"before try {number + 1} it waits up to {max(column):.1f} seconds, and the limit is {step + 1}. Add less than one second."
                )
    right("each client waits longer and longer, and no two come back at once.")


# 10 Capstone: what a client must do, each as a sentence and a function that tries it

REQUIREMENTS: dict[str, Callable[[Trial], None]] = {}
MISSING = "clx0000000000"  # no account has a link with this id


def requirement(sentence: str) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
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
        self.base_url, self.slept, self.printed = base_url, 0.0, ""
        self.sent: list[Sent] = []
        self.naps: list[float] = []
        self.module = sys.modules[client_class.__module__]
        self.client = self.watch(client_class, self.token, base_url)

    def watch(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call the learner's code. Waiting takes no time: what it slept is added up."""
        started = time.monotonic()
        with watched(self.base_url) as sent, guarded(vars(self.module)) as (waits, printed):
            try:
                return function(*arguments, **options)
            finally:
                self.sent += sent
                self.naps += filter(None, waits)  # in a browser tab, each call ends with a wait of 0 seconds
                self.slept += sum(waits) + time.monotonic() - started
                self.printed += printed.getvalue()

    def call(self, method: str = "GET", path: str = "/links", **options: Any) -> Any:
        """Let the client call, and return the data. Raises NotYet if it raises."""
        self.slept, self.naps = 0, []
        try:
            return self.watch(self.client.call, method, path, **options)
        except NotYet:
            raise
        except Exception as error:
            what = str(getattr(error, "code", type(error).__name__))
            raise NotYet(
                f"call({method!r}, {path!r}) ended in {what}, although the API was ready. Try the call yourself, and read its error."
            ) from None

    def failed(self, method: str = "GET", path: str = "/links", **options: Any) -> Exception:
        """Let the client call, and return what it raised. Raises NotYet if it raised nothing."""
        self.slept, self.naps = 0, []
        try:
            got = self.watch(self.client.call, method, path, **options)
        except NotYet:
            raise
        except Exception as error:
            return error
        raise NotYet(f"the API answered with an error, and call returned {kind(got)}. Raise an exception with the code.")

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
        calls: list[dict[str, Any]] = answer.json()["data"]["requests"]
        return calls[::-1]


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
        raise NotYet("nothing was sent with requests, and the check sees only that. Use requests.")
    if (isinstance(data, Mapping) and "data" in data) or isinstance(data, requests.Response):
        raise NotYet("call returns more than the data. Open the envelope: return what is under data.")
    if not isinstance(data, list) or len(data) != 5:
        raise NotYet(f"call('GET', '/links') returns {kind(data)}, not the five links of the account. Return what is under data.")


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
            raise NotYet(
                f"it asked for {call['method']} {call['path']}, which the contract doesn't have. Send the method and the path as call gets them."
            )


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
            f"the connection was cut, and it stopped with {type(error).__name__}: a mistake in the code. Let the error of requests pass."
        )


@requirement("never tries a 401 again")
def _(trial: Trial) -> None:
    trial.page.revoke("Capstone")
    error = trial.failed()
    tries = len(trial.statuses())
    if tries > 1:
        raise NotYet(f"it sent a revoked token {tries} times. A 401 stays a 401 until a person acts: raise at once.")
    must_be(error, "INVALID_TOKEN", "The provided API token is invalid")


def wait_and_try_again(trial: Trial, status: int, header: str, where: str) -> None:
    """Let one call fail with a wait, and see when the client comes back."""
    for seconds in (2, 7 if header == "date" else 60):
        trial.fault(fault=str(status), calls=1, seconds=seconds, header=header)
        data = trial.call()
        if trial.slept < seconds - (header == "date"):  # a date leaves room for a part of a second
            came = int(10 * trial.slept) / 10  # Rounded, 1.96 would be as long as it was asked for.
            raise NotYet(f"a {status} asked for {seconds} seconds {where}, and it came back after {came}. Wait that long.")
        if trial.slept > seconds + 5:
            raise NotYet(
                f"a {status} asked for {seconds} seconds {where}, and it waited for {trial.slept:.1f}. Wait that long, and a second of jitter at most."
            )
        if trial.statuses()[-2:] != [status, 200] or not isinstance(data, list):
            raise NotYet(f"after a {status} it didn't return the data of the next try. Return that.")


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
        raise NotYet("it sent a POST again after a 503. If the server did the first one, there are two links now: raise instead.")


@requirement("gives up after a few tries")
def _(trial: Trial) -> None:
    trial.fault(fault="429", calls=12, seconds=1)
    try:
        error = trial.failed()
    except NotYet:
        if 200 in trial.statuses():
            raise NotYet(
                f"it tried {len(trial.statuses())} times. Give up after a few: a loop without an end hides the problem."
            ) from None
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
        raise NotYet("a call has no timeout: if the server hangs, the program hangs with it. Give each call a timeout.")


@requirement("sends the token to its own base URL only")
def _(trial: Trial) -> None:
    trial.call()
    if not any(sent.holds(trial.token) for sent in trial.sent):
        raise NotYet("it sends no token. Put it into the header Authorization.")
    for path in ("https://elsewhere.example/links", "//elsewhere.example/links", "@elsewhere.example/links"):
        with suppress(Exception):  # to refuse is right, too
            trial.watch(trial.client.call, "GET", path)
    home = urlsplit(trial.base_url).netloc
    if any(sent.holds(trial.token) and urlsplit(sent.url).netloc != home for sent in trial.sent):
        raise NotYet("it sent the token to another address, which call was asked for. Send it to the base URL only.")


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
    shown["what it prints"] = trial.printed
    for where, text in shown.items():
        if trial.token in text or trial.token[9:21] in text or trial.token[-6:] in text:
            raise NotYet(f"the token is in {where}. From there it gets into logs: keep it out.")


def attempt(sentence: str, client_class: Any, base_url: str) -> str | None:
    """Try one requirement; return what is wrong, ``None`` if it holds. Raises Unfit."""
    try:
        REQUIREMENTS[sentence](Trial(client_class, base_url))
    except Unfit:
        raise
    except NotYet as problem:
        return str(problem)
    except PageError:
        raise
    except Exception as error:  # its text may hold a token
        return f"it stopped with {type(error).__name__}{line_of(error, getattr(client_class, '__init__', None))}. Correct it."
    return None


@check
def capstone(client_class: Any, base_url: str) -> None:
    """Hold a client against every requirement, and print which hold."""
    if not isinstance(client_class, type):
        raise NotYet("the check needs the class itself. Write LinkedIsClient, without parentheses after it.")
    problems = {sentence: attempt(sentence, client_class, base_url) for sentence in REQUIREMENTS}
    for sentence, problem in problems.items():
        print("✗" if problem else "✓", sentence)
    for sentence, problem in problems.items():
        if problem:
            held = sum(problem is None for problem in problems.values())
            raise NotYet(f"{held} of {len(problems)} hold. Begin with “{sentence}”: {problem}")
    right("your client does all that it must.")
