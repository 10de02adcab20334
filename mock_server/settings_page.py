"""A page object: it presses the buttons of the mock server's Settings > API page over HTTP.

On linked.is a person presses them. A notebook that runs from top to bottom has nobody in front of
it, so on the mock server this class does. It reads the real page and breaks when the page breaks.
"""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests
from bs4 import BeautifulSoup, Tag

TIMEOUT = 60  # seconds: where a whole class signs up at once, the server is slow, and not missing


class PageError(Exception):
    """What kept a button from being pressed, and the next step. A notebook shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for this
        return [f"{type(self).__name__}: {self}"]


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
    linked.is. Raises MockServerNotRunning. On linked.is every button raises ClickYourself.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.is_mock = not f".{parts.hostname}".endswith(".linked.is")
        self.session = requests.Session()
        self.email: str | None = None
        self.password: str | None = None
        if self.is_mock:
            self._check_that_it_runs(base_url)

    def __str__(self) -> str:
        if self.is_mock:
            return "Talking to: the mock server. Nothing here reaches a real account."
        return "Talking to: linked.is, the real service. This is your own account."

    def sign_up(self) -> None:
        """Open a practice account under a random address and stay logged in. Raises PageError.

        In a class, the code that the instructor tells stands in the environment as LINKED_IS_CLASS_CODE.
        """
        self.email = f"learner-{secrets.token_hex(6)}@example.com"
        self.password = secrets.token_urlsafe(16)
        class_code = os.environ.get("LINKED_IS_CLASS_CODE", "")
        fields = {"class_code": class_code} if class_code else {}
        self._submit("/signup", "sign-up", "Sign up", email=self.email, password=self.password, **fields)

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

    def _check_that_it_runs(self, base_url: str) -> None:
        try:
            answer = self._answer("GET", "/_mock/health")
            if answer.ok and answer.json()["success"]:
                return
        except (ValueError, KeyError, TypeError):
            pass
        raise MockServerNotRunning(f"{base_url} is neither linked.is nor a mock server. Check LINKED_IS_BASE_URL in .env.")

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
        """Open the page, fill the form in as it stands there, press the button and return the next page."""
        form = _find(self._open(path), f"form#{form_id}", f"the form “{form_id}”")
        if button not in [one.get_text(strip=True) for one in form.find_all("button")]:
            raise PageError(f"The page has no button “{button}” where it should be.")
        filled = {str(field["name"]): str(field.get("value", "")) for field in form.select("input[type=hidden]")}
        for name, value in fields.items():
            field = _find(form, f"[name={name}]", f"the field “{name}”")
            choices = [str(option.get("value", option.get_text(strip=True))) for option in field.find_all("option")]
            if choices and value not in choices:
                raise PageError(f"“{value}” is not among the choices for {name}: {', '.join(choices)}.")
            filled[name] = value
        return self._page(self._answer("POST", str(form["action"]), filled))

    def _answer(self, method: str, path: str, form: dict[str, str] | None = None) -> requests.Response:
        try:
            return self.session.request(method, urljoin(self.origin, path), data=form, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise MockServerNotRunning(f"No answer from {self.origin} ({type(error).__name__}). {self._next_step()}") from None

    def _next_step(self) -> str:
        """Say what to do when nothing answers. A place that starts the mock server in its own way tells it by a variable."""
        address = urlsplit(self.origin)
        if place := os.environ.get("LINKED_IS_NO_ANSWER"):
            return place
        if address.hostname not in ("127.0.0.1", "localhost"):
            return "Check LINKED_IS_BASE_URL in .env, or ask who runs the mock server there. Then restart the kernel."
        command = f"{sys.executable} -m mock_server --port {address.port}"
        return f"Start the mock server in a terminal: {command}. Then run this cell again."

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


def _listed(row: Tag) -> ListedToken:
    labels = ("Name", "State", "Created", "Last used", "Expires")
    return ListedToken(*(_find(row, f"[data-label='{label}']", label).get_text(strip=True) for label in labels))


def _find(page: Tag, selector: str, what: str) -> Tag:
    found = page.select_one(selector)
    if found is None:
        raise PageError(f"The page does not show {what} ({selector}). Are you logged in?")
    return found
