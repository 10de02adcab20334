"""A page object: it presses the buttons of the mock server's Settings > API page over HTTP.

On linked.is a person presses them. A notebook that runs from top to bottom has nobody in front of
it, so on the mock server this class does. It reads the real page and breaks when the page breaks.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup, Tag
from dotenv import find_dotenv
from requests.utils import get_environ_proxies, get_netrc_auth, select_proxy
from urllib3.exceptions import NameResolutionError, ProtocolError

from mock_server.dot_env import (
    CLASS_CODE,
    CODE_HEADER,
    LEARNER,
    LESSON_HEADER,
    NAME_HEADER,
    RERUN,
    Explained,
    WrongSetting,
    check_base_url,
    check_env_file,
    is_real,
)

TIMEOUT = 60  # seconds: where a whole class signs up at once, the server is slow, and not missing
# The fields that the forms have in a class, and the settings that they are filled with.
OF_A_CLASS = {"class_code": CLASS_CODE, "learner": LEARNER}


class PageError(Explained):
    """What kept a button from being pressed, and the next step."""


class MockServerNotRunning(PageError):
    """No mock server answers at the base URL."""


class ClickYourself(PageError):
    """Behind the base URL is linked.is: only a person can go on."""


@dataclass(frozen=True)
class ListedToken:
    """A row of the list of tokens, as the page shows it."""

    name: str
    state: str
    created: str
    last_used: str
    expires: str


class SettingsPage:
    """The Settings > API page that belongs to an API base URL such as ``http://127.0.0.1:8787/v1``.

    >>> page = SettingsPage("http://127.0.0.1:8787/v1")
    >>> page.sign_up()
    >>> token = page.generate_token(name="My notebook", lifetime="30 days")
    >>> page.revoke("My notebook")

    ``session`` is the ``requests.Session`` that holds the login. ``is_mock`` tells the mock server from
    linked.is. Raises MockServerNotRunning, and WrongSetting where a line of ``.env`` can't be read, or something else on
    this computer keeps the token from arriving. On linked.is every button raises ClickYourself.

    In a notebook, a cell that gets no answer later on ends in one sentence too, and IPython shows no more values than it
    does by itself.
    """

    def __init__(self, base_url: str) -> None:
        check_env_file()
        check_base_url(base_url)
        if get_netrc_auth(base_url):
            raise WrongSetting(
                "Your file .netrc has a password for this address, perhaps under `default`, and requests sends that in "
                f"place of your token. Put the line NETRC=none into .env, save the file, {RERUN}"
            )
        parts = urlsplit(base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.is_mock = not is_real(base_url)
        self.session = requests.Session()
        # A server closes a connection that is idle. Who comes back in that moment, from a cell to the next, would see it break.
        self.session.headers["Connection"] = "close"
        self.email: str | None = None
        self.password: str | None = None
        self._explain_in_a_notebook()
        if self.is_mock:
            self._check_that_it_runs(base_url)

    def __str__(self) -> str:
        if self.is_mock:
            return "Talking to: the mock server. Nothing here reaches a real account."
        return "Talking to: linked.is, the real service. This is your own account."

    def sign_up(self) -> None:
        """Open a practice account under a random address and stay logged in. Raises PageError.

        In a class, the environment has the instructor's code as LINKED_IS_CLASS_CODE, and the learner's name as
        LINKED_IS_LEARNER: the account appears on the instructor's board under this name.
        """
        self.email = f"learner-{secrets.token_hex(6)}@example.com"
        self.password = secrets.token_urlsafe(16)
        self._submit("/signup", "sign-up", "Sign up", email=self.email, password=self.password)

    def log_in(self, email: str, password: str) -> None:
        """Log in to an account that exists. Raises PageError."""
        self._submit("/login", "log-in", "Log in", email=email, password=password)
        self.email, self.password = email, password

    def generate_token(self, name: str = "Notebook", lifetime: str = "never") -> str:
        """Press Generate New Token and return what the page shows, this once. Raises PageError.

        ``lifetime`` is ``"never"``, ``"1 hour"``, ``"30 days"`` or ``"90 days"``.
        """
        page = self._submit("/settings/api", "generate-token", "Generate New Token", name=name, lifetime=lifetime)
        return _find(page, "#token", "the new token").get_text()

    def tokens(self) -> list[ListedToken]:
        """Return the list of tokens, newest first. Raises PageError."""
        return [_listed(row) for row in self._rows()]

    def revoke(self, name: str) -> None:
        """Press Revoke beside the active token of this name, and confirm. Raises PageError."""
        rows = [row for row in self._rows() if (_listed(row).name, _listed(row).state) == (name, "active")]
        if len(rows) != 1:
            raise PageError(f"The page lists {len(rows)} active tokens named “{name}”. Choose a name that is there once.")
        self._submit(str(_find(rows[0], "a.danger", "Revoke")["href"]), "revoke", "Revoke")

    def change_plan(self, plan: str) -> None:
        """Choose ``"Free"``, ``"Pro"`` or ``"Business"`` and press Change plan. Raises PageError."""
        self._submit("/settings/api", "plan", "Change plan", plan=plan)

    def raise_hand(self, note: str = "") -> None:
        """In a class, show the instructor on the board that you need help, and ``note``. Raises PageError."""
        self._submit("/hand", "hand", "Raise my hand", note=note, hand="up")

    def lower_hand(self) -> None:
        """Take your hand down. Raises PageError."""
        self._submit("/hand", "hand", "Lower my hand", hand="down")

    def _check_that_it_runs(self, base_url: str) -> None:
        said = None
        try:
            answer = self._answer("GET", "/_mock/health")
            if answer.ok and answer.json()["success"]:
                return
            if answer.status_code == 403:
                said = answer.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            pass
        step = self._past_the_proxy() or said or f"Check LINKED_IS_BASE_URL in .env, save the file, {RERUN}"
        who = "What answers at {} refuses this address." if said else "What answers at {} is neither linked.is nor a mock server."
        raise MockServerNotRunning(f"{who.format(base_url)} {step}")

    def _explain_in_a_notebook(self) -> None:
        """Let IPython show an error of requests as one sentence: its own is long, and may hold the token."""
        ipython = sys.modules.get("IPython")
        shell = ipython and ipython.get_ipython()
        if not shell:
            return

        def show(shell: Any, kind: Any, error: Exception, *place: Any, **more: Any) -> None:
            if isinstance(error, requests.exceptions.InvalidHeader):
                explained: Explained = WrongSetting("A header has a character that can't be sent. See notebook 03: read_token().")
            else:
                explained = self._no_answer(error)
            shell.showtraceback((type(explained), explained, None))

        broken = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
        shell.set_custom_exc((*broken, requests.exceptions.InvalidHeader), show)
        # A learner's own IPython may show each value that is assigned, and each variable around an error: tokens among them.
        shell.ast_node_interactivity = "last_expr"
        if shell.InteractiveTB.mode == "Verbose":
            shell.InteractiveTB.set_mode("Context")

    def _rows(self) -> list[Tag]:
        return self._open("/settings/api").select("#tokens tbody tr")

    def _open(self, path: str) -> BeautifulSoup:
        if not self.is_mock:
            raise ClickYourself(
                "linked.is has no API for this, so it is up to you: log in to linked.is, open Settings > API and "
                "click there. Keep a new token in .env as LINKED_IS_API_TOKEN, then go on with the next notebook."
            )
        return self._page(self._answer("GET", path))

    def _submit(self, path: str, form_id: str, button: str, **fields: str) -> BeautifulSoup:
        """Open the page, fill in its form, press the button and return the next page. A class asks for more: .env has it."""
        form = _find(self._open(path), f"form#{form_id}", f"the form “{form_id}”")
        if button not in [one.get_text(strip=True) for one in form.find_all("button")]:
            raise PageError(f"The page has no button “{button}” where it should be.")
        filled = {str(field["name"]): str(field.get("value", "")) for field in form.select("input[type=hidden]")}
        for name, setting in OF_A_CLASS.items():
            if form.select(f"[name={name}]"):
                fields[name] = self._setting_of_a_class(setting)
        for name, value in fields.items():
            field = _find(form, f"[name={name}]", f"the field “{name}”")
            choices = [str(option.get("value", option.get_text(strip=True))) for option in field.find_all("option")]
            if choices and value not in choices:
                raise PageError(f"“{value}” is not among the choices for {name}: {', '.join(choices)}.")
            filled[name] = value
        return self._page(self._answer("POST", str(form["action"]), filled))

    def _setting_of_a_class(self, setting: str) -> str:
        if value := os.environ.get(setting, "").strip():
            return value
        what = "the code from your instructor" if setting == CLASS_CODE else "your name, which your instructor then sees"
        raise WrongSetting(
            f"This mock server is that of a class. Put the line {setting}= into .env, and {what}, after the = sign. "
            f"Save the file, {RERUN}"
        )

    def _answer(self, method: str, path: str, form: dict[str, str] | None = None) -> requests.Response:
        headers = _of_a_learner() if self.is_mock else {}
        late = time.monotonic() + TIMEOUT
        try:
            while True:
                answer = self.session.request(method, urljoin(self.origin, path), data=form, headers=headers, timeout=TIMEOUT)
                wait = answer.headers.get("Retry-After", "")
                if answer.status_code != 503 or not wait.isdecimal() or time.monotonic() + int(wait) > late:
                    return answer
                time.sleep(int(wait))  # many sign up at once: the server takes one after the other
        except requests.RequestException as error:
            raise self._no_answer(error) from None

    def _no_answer(self, error: Exception) -> PageError:
        """Say who gave no answer, and what to do. The next step depends on the error."""
        asked = getattr(getattr(error, "request", None), "url", None) or self.origin
        origin = "://".join(urlsplit(asked)[:2])
        step = self._next_step(error) if origin == self.origin else "Check the address, then run this cell again."
        is_missing = self.is_mock and origin == self.origin and not isinstance(error, requests.Timeout)
        kind = MockServerNotRunning if is_missing else PageError
        return kind(f"No answer from {origin} ({type(error).__name__}). {step}")

    def _next_step(self, error: Exception) -> str:
        """Say what to do when nothing answers: it follows the cause."""
        address = urlsplit(self.origin)
        cause = getattr(error.args[0], "reason", error.args[0]) if error.args else None
        setting = f"LINKED_IS_BASE_URL in .env must read {{}}://{address.netloc}/v1. Save the file, {RERUN}"
        if step := self._past_the_proxy():
            return step
        if not self.is_mock:
            return "Check that this computer is online, then run this cell again."
        if isinstance(error, requests.exceptions.SSLError):
            return f"It speaks http: {setting.format('http')}"
        setting_or_network = f"Check LINKED_IS_BASE_URL in .env, and which network you are in. Save the file, {RERUN}"
        if isinstance(cause, NameResolutionError):
            return f"Your network knows no computer named {address.hostname}. {setting_or_network}"
        if isinstance(error, requests.ConnectTimeout) and not _is_here(address):
            return f"Nothing comes back from there: perhaps its firewall keeps you out. {setting_or_network}"
        if isinstance(error, requests.Timeout):
            slow = "It is there, but slow. Wait a minute, then run this cell again. If it stays slow"
            return f"{slow}: {self._start(address, 'stop it. ')}" if _is_here(address) else f"{slow}, tell who runs it."
        if isinstance(cause, ProtocolError):
            if _speaks_https(address):
                return f"It speaks https: {setting.format('https')}"
            stop = f"another program may have port {address.port}: stop that. "
            return f"The connection broke off. Run this cell again. If that doesn't help: {self._start(address, stop)}"
        return self._start(address)

    def _start(self, address: SplitResult, first: str = "") -> str:
        """Say how to start the mock server. A place that starts it in its own way tells that by a variable."""
        if place := os.environ.get("LINKED_IS_NO_ANSWER"):
            return place
        if not _is_here(address):
            return (
                "That computer lets nobody in at this port: no mock server runs there, or a firewall is in the way. "
                f"Ask who runs the mock server, or check LINKED_IS_BASE_URL in .env. Save the file, {RERUN}"
            )
        settings = find_dotenv(usecwd=True) or find_dotenv(".env.example", usecwd=True) or ".env"
        folder = Path(settings).resolve().parent  # where the mock server has its database
        command = f'cd "{folder}"\n{sys.executable} -m mock_server --port {address.port}'
        return f"{first}Start the mock server in a terminal:\n\n{command}\n\nThen run this cell again."

    def _past_the_proxy(self) -> str | None:
        """Say how a request gets past a proxy, if one is set for this address."""
        if not select_proxy(self.origin, get_environ_proxies(self.origin)):
            return None
        address = urlsplit(self.origin)
        kinds = (f"{address.scheme}_proxy", "all_proxy")
        names = [name for name, value in os.environ.items() if name.lower() in kinds and value]
        proxy = f"A proxy is set for this address, by {' and '.join(names) or 'the settings of this computer'}."
        if not self.is_mock:
            return f"{proxy} Ask who runs the proxy."
        return (
            f"{proxy} Let the address pass: put the line no_proxy={address.hostname} into .env, or add the address where "
            f"no_proxy is set already. Save the file, {RERUN}"
        )

    def _page(self, answer: requests.Response) -> BeautifulSoup:
        page = BeautifulSoup(answer.text, "html.parser")
        for attribute in ("href", "action"):  # The page gives them as seen from itself.
            for tag in page.select(f"[{attribute}]"):
                tag[attribute] = urljoin(answer.url, str(tag[attribute]))
        message = page.select_one("[role=alert]")
        if message:
            raise PageError(message.get_text(strip=True))
        if not answer.ok:
            raise PageError(f"The page {urlsplit(answer.url).path} answered with status {answer.status_code}.")
        return page


def _is_here(address: SplitResult) -> bool:
    """Tell whether an address is that of this computer, by its usual names."""
    return address.hostname in ("127.0.0.1", "localhost")


def _of_a_learner() -> dict[str, str]:
    """Return the headers with which the server of a class tells learners from each other, and knows their lesson."""
    code, name = (os.environ.get(setting, "").strip() for setting in OF_A_CLASS.values())
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))  # set by JupyterLab
    below = "exercises/" if notebook.parent.name == "exercises" else ""
    lesson = below + notebook.name.removesuffix(".ipynb").removesuffix(".solution")
    sent = {NAME_HEADER: name, CODE_HEADER: code, LESSON_HEADER: lesson}
    return {header: quote(value) for header, value in sent.items()} if code and name else {}


def _speaks_https(address: SplitResult) -> bool:
    with suppress(ImportError, OSError, ValueError):
        import ssl  # a browser tab has none

        return bool(ssl.get_server_certificate((str(address.hostname), address.port or 80), timeout=5))
    return False


def _listed(row: Tag) -> ListedToken:
    labels = ("Name", "State", "Created", "Last used", "Expires")
    return ListedToken(*(_find(row, f"[data-label='{label}']", label).get_text(strip=True) for label in labels))


def _find(page: Tag, selector: str, what: str) -> Tag:
    found = page.select_one(selector)
    if found is None:
        raise PageError(f"The page does not show {what} ({selector}). Are you logged in?")
    return found
