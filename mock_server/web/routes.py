"""Settings > API as a web page: sign up, log in, generate a token, see it once, revoke it.

The steps and the words Settings > API, Generate New Token and Revoke: linked.is docs, authentication
page. Names, lifetimes and the look are assumed.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server import scenarios
from mock_server.classroom import Classroom, Person
from mock_server.clock import HOUR
from mock_server.envelope import InvalidRequest
from mock_server.model import Account
from mock_server.rate_limit import PLANS
from mock_server.store import Store
from mock_server.tokens import digest
from mock_server.traffic import Traffic
from mock_server.visitors import address
from mock_server.web.passwords import Brake, HashPassword, Passwords
from mock_server.web.rendering import HEADERS, filled, go_to, static_files
from mock_server.web.sessions import Sessions, check_form, form_fields, form_token

LONGEST_EMAIL = 254  # characters (RFC 5321)
MOST_UNSEEN = 1_000  # tokens whose page was never opened
CLASS_CODE = "the class code"  # no e-mail address, which is what others guess at
LIFETIMES = {"never": None, "1 hour": HOUR, "30 days": 30 * 24 * HOUR, "90 days": 90 * 24 * HOUR}


class TooManyGuesses(InvalidRequest):
    """Somebody guesses at the class code, and has to wait."""

    status = 429


class ShownOnce(dict[str, tuple[str, str]]):
    """Name and text of a token that was not seen yet, by session. Taking it out is the one time."""


def routes(store: Store, traffic: Traffic, classroom: Classroom, hash_password: HashPassword) -> list[Route]:
    """Return the routes of the page. In a class, signing up asks for its code and for a name."""
    sessions = Sessions(store)
    passwords, brake = Passwords(hash_password), Brake()
    shown_once = ShownOnce()

    def render(request: Request, template: str, status: int = 200, **values: object) -> Response:
        response = Response(status_code=status, media_type="text/html", headers=HEADERS)
        values["form_token"] = form_token(sessions.greet(request, response))
        account = values["account"] = sessions.account(request)
        values = {"has_class": classroom.code is not None, "person": classroom.owner(account), **values}
        response.body = filled(request, template, **values)
        response.headers["Content-Length"] = str(len(response.body))
        return response

    def sign_up_page(request: Request, status: int = 200, **values: object) -> Response:
        return render(request, "sign_up.html", status, **values)

    def log_in_page(request: Request, status: int = 200, **values: object) -> Response:
        return render(request, "log_in.html", status, **values)

    def settings_page(request: Request, account: Account, status: int = 200, **values: object) -> Response:
        now = store.now(account)
        return render(
            request,
            "settings_api.html",
            status,
            tokens=[(token, token.state(now)) for token in store.tokens(account)],
            lifetimes=LIFETIMES,
            now=now,
            plans=PLANS.values(),
            scenarios=scenarios.SCENARIOS,
            begun=scenarios.SCENARIOS.get(request.query_params.get("begun", "")),
            **values,
        )

    async def home(request: Request) -> Response:
        return go_to(request, "/settings/api")

    async def sign_up(request: Request) -> Response:
        if request.method != "POST":
            return sign_up_page(request)
        form = await read_form(request, sessions)
        try:
            person = join(request, form) if classroom.code is not None else None
            email, password = checked_email(form), checked_password(form)
            password_hash = await passwords.hashed(password, address(request))
            with store.database.transaction():
                account = store.add_account(email, password_hash)
                response = logged_in(request, account)
        except InvalidRequest as error:
            return sign_up_page(
                request, error.status, error=error.message, email=form.get("email", ""), learner=form.get("learner", "")
            )
        if person:
            classroom.owns(person, account)
            classroom.pressed(account, "Sign up")
        return response

    def join(request: Request, form: dict[str, str]) -> Person:
        """Return who sends this form, in a class. Raises InvalidRequest."""
        client = address(request)
        if wait := brake.seconds_to_wait(client, CLASS_CODE):
            raise TooManyGuesses(f"Too many wrong class codes. Wait {wait} seconds, then try again.")
        if not classroom.is_code(form.get("class_code", "")):
            raise InvalidRequest("This is not the class code. Ask your instructor for it.")
        brake.release(client, CLASS_CODE)
        return classroom.join(form.get("learner", ""), request)

    async def log_in(request: Request) -> Response:
        if request.method != "POST":
            return log_in_page(request)
        form = await read_form(request, sessions)
        email = form.get("email", "").strip().lower()[:LONGEST_EMAIL]
        client = address(request)
        if wait := brake.seconds_to_wait(client, email):
            message = f"Too many wrong passwords. Wait {wait} seconds, then try again."
            return log_in_page(request, 429, error=message, email=email)
        account = store.find_account(email)
        password_hash = account.password_hash if account else None
        is_right = await passwords.is_right(form.get("password", ""), password_hash, client)
        if account is None or not is_right:
            message = "No account has this e-mail address and password. Try again, or sign up."
            return log_in_page(request, 400, error=message, email=email)
        brake.release(client, email)
        return logged_in(request, account)

    def logged_in(request: Request, account: Account) -> Response:
        response = go_to(request, "/settings/api")
        sessions.log_in(request, response, account)
        return response

    async def log_out(request: Request) -> Response:
        await read_form(request, sessions)
        response = go_to(request, "/login")
        shown_once.pop(digest(sessions.cookie(request) or ""), None)
        sessions.log_out(request, response)
        return response

    async def settings(request: Request) -> Response:
        account = sessions.account(request)
        if account is None:
            return go_to(request, "/login")
        classroom.greet(request, account)
        new_token = None
        # A HEAD request shows nothing, and neither does what a page of another port asks for: that must not use up the one time.
        if request.method == "GET" and request.headers.get("sec-fetch-dest", "document") == "document":
            new_token = shown_once.pop(digest(sessions.cookie(request) or ""), None)
        return settings_page(request, account, new_token=new_token)

    async def generate_token(request: Request) -> Response:
        form = await read_form(request, sessions)
        account = sessions.account(request)
        if account is None:
            return go_to(request, "/login")
        try:
            name, lifetime = checked_name(form), checked_lifetime(form)
            text = store.generate_token(account, name, lifetime)
        except InvalidRequest as error:
            return settings_page(request, account, 400, error=error.message, name=form.get("name", ""))
        # Post, redirect, get: the page that shows the token is not the answer to a form, so no
        # reload sends the form again, and the first GET empties the slot.
        classroom.pressed(account, "Generate New Token")
        shown_once[digest(sessions.cookie(request) or "")] = name, text
        if len(shown_once) > MOST_UNSEEN:
            del shown_once[next(iter(shown_once))]
        return go_to(request, "/settings/api")

    async def revoke_token(request: Request) -> Response:
        form = await read_form(request, sessions) if request.method == "POST" else None
        account = sessions.account(request)
        if account is None:
            return go_to(request, "/login")
        token = store.token(account, token_number(request))
        if form is None:
            return render(request, "revoke.html", token=token)
        store.revoke_token(token)
        classroom.pressed(account, "Revoke")
        return go_to(request, "/settings/api")

    async def change_plan(request: Request) -> Response:
        form = await read_form(request, sessions)
        account = sessions.account(request)
        if account is None:
            return go_to(request, "/login")
        if form.get("plan") not in PLANS:
            return settings_page(request, account, 400, plan_error=f"Choose a plan: {', '.join(PLANS)}.")
        store.change_plan(account, form["plan"])
        return go_to(request, "/settings/api")

    async def begin_scenario(request: Request) -> Response:
        form = await read_form(request, sessions)
        account = sessions.account(request)
        if account is None:
            return go_to(request, "/login")
        name = form.get("scenario")
        if name not in scenarios.SCENARIOS:
            return settings_page(request, account, 400, scenario_error="Choose what is to go wrong.")
        scenarios.begin({"scenario": name}, [(account, traffic[account.id])], store)
        return go_to(request, f"/settings/api?begun={name}#practise")

    async def hand(request: Request) -> Response:
        if classroom.code is None:
            return render(request, "hand.html", 400, error="This mock server has no class: nobody would see your hand.")
        account = sessions.account(request)
        classroom.greet(request, account)
        if request.method != "POST":
            return render(request, "hand.html")
        form = await read_form(request, sessions)
        try:
            person = classroom.owner(account) or join(request, form)
        except InvalidRequest as error:
            return render(request, "hand.html", error.status, error=error.message, learner=form.get("learner", ""))
        if account:
            classroom.owns(person, account)
        if form.get("hand") == "down":
            classroom.lower_hand(person)
        else:
            classroom.raise_hand(person, form.get("note", ""))
        return render(request, "hand.html", person=person)

    def for_people(path: str, endpoint: Callable[[Request], Awaitable[Response]], methods: list[str] | None = None) -> Route:
        return Route(path, endpoint, methods=methods, include_in_schema=False)

    return [
        for_people("/", home),
        for_people("/signup", sign_up, ["GET", "POST"]),
        for_people("/login", log_in, ["GET", "POST"]),
        for_people("/logout", log_out, ["POST"]),
        for_people("/settings/api", settings),
        for_people("/settings/api/tokens", generate_token, ["POST"]),
        for_people("/settings/api/tokens/{id}/revoke", revoke_token, ["GET", "POST"]),
        for_people("/settings/plan", change_plan, ["POST"]),
        for_people("/settings/scenario", begin_scenario, ["POST"]),
        for_people("/hand", hand, ["GET", "POST"]),
        *static_files(),
    ]


async def read_form(request: Request, sessions: Sessions) -> dict[str, str]:
    """Return the fields of a form that this browser got from us. Raises Forbidden or InvalidRequest."""
    form = await form_fields(request)
    check_form(request, form, sessions.cookie(request))
    return form


def token_number(request: Request) -> int:
    """Return the number of a token from the address; 0, which none has, if there is no such number."""
    text = request.path_params["id"]
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def checked_email(form: dict[str, str]) -> str:
    """Return the e-mail address in lower case. Raises InvalidRequest."""
    email = form.get("email", "").strip().lower()
    if len(email) > LONGEST_EMAIL or not re.fullmatch(r"[^@\s]+@[^@\s]+", email) or not email.isprintable():
        raise InvalidRequest("Type an e-mail address, such as you@example.com. No mail is sent to it.")
    return email


def checked_password(form: dict[str, str]) -> str:
    """Return the password. Raises InvalidRequest."""
    password = form.get("password", "")
    if not 8 <= len(password) <= 128:
        raise InvalidRequest("Choose a password of 8 to 128 characters.")
    return password


def checked_name(form: dict[str, str]) -> str:
    """Return the token's name. Raises InvalidRequest."""
    name = form.get("name", "").strip()
    if not 1 <= len(name) <= 60 or not name.isprintable():
        raise InvalidRequest("Give the token a name of 1 to 60 characters, so that you recognise it later.")
    return name


def checked_lifetime(form: dict[str, str]) -> int | None:
    """Return the lifetime in seconds, ``None`` for ever. Raises InvalidRequest."""
    lifetime = form.get("lifetime", "")
    if lifetime not in LIFETIMES:
        raise InvalidRequest(f"Choose a lifetime: {', '.join(LIFETIMES)}.")
    return LIFETIMES[lifetime]
