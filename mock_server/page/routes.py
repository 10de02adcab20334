"""Settings > API as a web page: sign up, log in, generate a token, see it once, revoke it.

The steps and the words Settings > API, Generate New Token and Revoke: linked.is docs, authentication
page. Names, lifetimes and the look are assumed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import resources
from urllib.parse import parse_qsl

import jinja2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mock_server.envelope import ApiError, InvalidRequest
from mock_server.model import Account
from mock_server.page.sessions import LoginBrake, Sessions, check_form, form_token, hash_password, is_password
from mock_server.store import Store
from mock_server.tokens import digest

HOUR = 60 * 60
LIFETIMES = {"never": None, "1 hour": HOUR, "30 days": 30 * 24 * HOUR, "90 days": 90 * 24 * HOUR}

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("mock_server.page"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def routes(store: Store) -> list[Route]:
    """Return the routes of the page."""
    sessions = Sessions(store)
    brake = LoginBrake()
    shown_once: dict[str, tuple[str, str]] = {}  # session → name and text of a token not yet seen

    def render(request: Request, template: str, status: int = 200, **values: object) -> Response:
        response = Response(status_code=status, media_type="text/html", headers=HEADERS)
        values["form_token"] = form_token(sessions.greet(request, response))
        values["account"] = sessions.account(request)
        response.body = _templates.get_template(template).render(values).encode()
        response.headers["Content-Length"] = str(len(response.body))
        return response

    def sign_up_page(request: Request, status: int = 200, **values: object) -> Response:
        return render(request, "sign_up.html", status, **values)

    def log_in_page(request: Request, status: int = 200, **values: object) -> Response:
        return render(request, "log_in.html", status, **values)

    def settings_page(request: Request, account: Account, status: int = 200, **values: object) -> Response:
        now = store.now(account.id)
        return render(
            request,
            "settings_api.html",
            status,
            tokens=[(token, token.state(now)) for token in store.tokens(account)],
            lifetimes=LIFETIMES,
            now=now,
            **values,
        )

    async def home(request: Request) -> Response:
        return RedirectResponse("/settings/api", 303, HEADERS)

    async def sign_up(request: Request) -> Response:
        if request.method != "POST":
            return sign_up_page(request)
        form = await read_form(request, sessions)
        try:
            email, password = checked_email(form), checked_password(form)
            account = store.add_account(email, await hash_password(password))
        except InvalidRequest as error:
            return sign_up_page(request, 400, error=error.message, email=form.get("email", ""))
        return logged_in(request, account)

    async def log_in(request: Request) -> Response:
        if request.method != "POST":
            return log_in_page(request)
        form = await read_form(request, sessions)
        email = form.get("email", "").strip().lower()
        wait = brake.seconds_to_wait(email)
        if wait:
            message = f"Too many wrong passwords. Wait {wait} seconds, then try again."
            return log_in_page(request, 429, error=message, email=email)
        account = store.find_account(email)
        # An unknown address costs the same time as a wrong password: the answer does not tell which it was.
        password_hash = account.password_hash if account else await nobodys_password()
        if not await is_password(form.get("password", ""), password_hash) or account is None:
            brake.failed(email)
            message = "No account has this e-mail address and password. Try again, or sign up."
            return log_in_page(request, 400, error=message, email=email)
        brake.succeeded(email)
        return logged_in(request, account)

    def logged_in(request: Request, account: Account) -> Response:
        response = RedirectResponse("/settings/api", 303, HEADERS)
        sessions.log_in(request, response, account)
        return response

    async def log_out(request: Request) -> Response:
        await read_form(request, sessions)
        response = RedirectResponse("/login", 303, HEADERS)
        shown_once.pop(digest(sessions.cookie(request) or ""), None)
        sessions.log_out(request, response)
        return response

    async def settings(request: Request) -> Response:
        account = sessions.account(request)
        if account is None:
            return RedirectResponse("/login", 303, HEADERS)
        new_token = None
        if request.method == "GET":  # a HEAD request shows nothing, so it must not use up the one time
            new_token = shown_once.pop(digest(sessions.cookie(request) or ""), None)
        return settings_page(request, account, new_token=new_token)

    async def generate_token(request: Request) -> Response:
        form = await read_form(request, sessions)
        account = sessions.account(request)
        if account is None:
            return RedirectResponse("/login", 303, HEADERS)
        try:
            name, lifetime = checked_name(form), checked_lifetime(form)
        except InvalidRequest as error:
            return settings_page(request, account, 400, error=error.message, name=form.get("name", ""))
        text = store.generate_token(account, name, lifetime)
        # Post, redirect, get: the page that shows the token is not the answer to a form, so no
        # reload sends the form again, and the first GET empties the slot.
        shown_once[digest(sessions.cookie(request) or "")] = name, text
        return RedirectResponse("/settings/api", 303, HEADERS)

    async def revoke_token(request: Request) -> Response:
        form = await read_form(request, sessions) if request.method == "POST" else None
        account = sessions.account(request)
        if account is None:
            return RedirectResponse("/login", 303, HEADERS)
        token = store.token(account, request.path_params["id"])
        if form is None:
            return render(request, "revoke.html", token=token)
        store.revoke_token(token)
        return RedirectResponse("/settings/api", 303, HEADERS)

    return [
        Route("/", home),
        Route("/signup", sign_up, methods=["GET", "POST"]),
        Route("/login", log_in, methods=["GET", "POST"]),
        Route("/logout", log_out, methods=["POST"]),
        Route("/settings/api", settings),
        Route("/settings/api/tokens", generate_token, methods=["POST"]),
        Route("/settings/api/tokens/{id:int}/revoke", revoke_token, methods=["GET", "POST"]),
        *static_files(),
    ]


def error_page(error: ApiError) -> Response:
    """Answer a person's browser with an error and the way on."""
    html = _templates.get_template("error.html").render(error=error)
    return Response(html, error.status, media_type="text/html", headers={**HEADERS, **error.headers})


def static_files() -> list[Route]:
    """Return a route for each style sheet and script, read once: a file server would need threads."""

    def route(name: str, content: bytes, media_type: str) -> Route:
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}

        async def answer(request: Request) -> Response:
            return Response(content, media_type=media_type, headers=headers)

        return Route(f"/static/{name}", answer)

    media_types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    folder = resources.files("mock_server.page") / "static"
    return [
        route(file.name, file.read_bytes(), media_types[file.name.rpartition(".")[2]])
        for file in folder.iterdir()
        if file.name.rpartition(".")[2] in media_types
    ]


async def read_form(request: Request, sessions: Sessions) -> dict[str, str]:
    """Return the fields of a form that this browser got from us. Raises Forbidden."""
    body = (await request.body()).decode("utf-8", "replace")
    form = dict(parse_qsl(body, keep_blank_values=True))
    check_form(request, form, sessions.cookie(request))
    return form


def checked_email(form: dict[str, str]) -> str:
    """Return the e-mail address in lower case. Raises InvalidRequest."""
    email = form.get("email", "").strip().lower()
    if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,189}", email) or not email.isprintable():
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


_nobodys_password = ""


async def nobodys_password() -> str:
    """Return the hash of a password that nobody has."""
    global _nobodys_password
    if not _nobodys_password:
        _nobodys_password = await hash_password("")
    return _nobodys_password


def minute(seconds: int | None) -> str:
    """Spell Unix seconds for a person: ``2026-03-01 16:00 UTC``."""
    return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%d %H:%M UTC")


_templates.filters["minute"] = minute
