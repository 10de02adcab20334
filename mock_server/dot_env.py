"""What a learner has in ``.env``: the one place that reads the token, and the one that checks the base URL.

An error says which setting is wrong and how it must read. It never holds a piece of a token.
"""

from __future__ import annotations

import os
import re
import unicodedata
from contextlib import suppress
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values, find_dotenv
from dotenv.parser import parse_stream

BASE_URL, TOKEN = "LINKED_IS_BASE_URL", "LINKED_IS_API_TOKEN"
CLASS_CODE, LEARNER = "LINKED_IS_CLASS_CODE", "LINKED_IS_LEARNER"  # for a class: the instructor's code, the learner's name
# What the page object sends with each request, percent-encoded, so that the server of a class tells learners from each other.
NAME_HEADER, CODE_HEADER, LESSON_HEADER = "X-Mock-Learner", "X-Mock-Class-Code", "X-Mock-Lesson"
MOCK = "http://127.0.0.1:8787/v1"
# linked.is's pages disagree. This kit follows the first one, which the page on authentication gives.
REAL = ("https://api.linked.is/v1", "https://linked.is/api/v1")
# The one command that helps after each saved change: a kernel keeps the settings that it has read, and after a restart has none.
RERUN = "click into this cell, and choose Kernel > Restart Kernel and Run up to Selected Cell."


class Explained(Exception):
    """An error whose text says what to do. A notebook shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for this
        return [f"{type(self).__name__}: {self}"]


class WrongSetting(Explained):
    """A setting that can't be used as it is."""


class NoToken(WrongSetting):
    """There is no token in the environment. On the mock server a lesson makes one instead."""


def read_token() -> str:
    """Return your token from the environment. Raises WrongSetting."""
    check_env_file()
    token = os.environ.get("LINKED_IS_API_TOKEN", "")
    if not token:
        raise NoToken(f"There is no token yet. {next_step(token)}")
    if re.match(r"bearer\b", token, re.IGNORECASE):
        raise WrongSetting(f"The token begins with the word Bearer. {next_step(token)}")
    odd = re.search(r"""[^!-~]|["']""", token)
    if odd:
        name = unicodedata.name(odd[0], "LINE BREAK OR TAB")
        raise WrongSetting(f"Character {odd.start() + 1} of the token is wrong: {name}. {next_step(token)}")
    return token


def next_step(token: str) -> str:
    """Say where to correct a token. .env may have another one by now: then only this notebook lacks it."""
    in_file = dotenv_values(find_dotenv(usecwd=True)).get(TOKEN) or ""
    if not token:
        unsaved = "a dot on its tab means that it is not saved"
        step = f"Put it into .env as {TOKEN}, and save the file: {unsaved}. Then"
        return f"{'.env has one that this notebook has not read:' if in_file else step} {RERUN}"
    if in_file == token:
        return f"Correct {TOKEN} in .env, save the file, {RERUN}"
    outside = f"correct {TOKEN} where you set it, then start JupyterLab again."
    return (
        f".env has another one: {RERUN} If that changes nothing, {outside}"
        if in_file
        else f"It doesn't come from .env: {outside}"
    )


def check_env_file() -> None:
    """Raise WrongSetting for the first line of ``.env`` that nobody can read.

    Without the file, or if none of its lines names a setting of this kit, do nothing: it may be another program's.
    """
    if not (path := find_dotenv(usecwd=True)):
        return
    lines = Path(path).read_text(encoding="utf-8", errors="replace")
    if "LINKED_IS_" in lines.upper():
        is_set = False
        for one in parse_stream(StringIO(lines)):
            text = one.original.string
            without_value = one.key and (one.value is None or re.search(r"LINKED_IS_\w+ *[=:]", one.value))
            misnamed = "LINKED_IS_" in (one.key or "").upper() and not re.fullmatch("LINKED_IS_[A-Z_]+", one.key or "")
            if one.error or without_value or misnamed:
                line = one.original.line + text[: len(text) - len(text.lstrip())].count("\n")
                raise WrongSetting(
                    f"Line {line} of .env can't be read. Each setting has a line of its own: its name in capitals, "
                    f"such as {TOKEN}, then = and the value, with no quotation mark. "
                    f"Correct the line, save the file, {RERUN}"
                )
            if one.key == BASE_URL:  # a wrong one sends a learner to another mock server, without a word
                if is_set:
                    raise WrongSetting(
                        f"{BASE_URL} is in .env twice: the last line counts. Delete the other, save the file, {RERUN}"
                    )
                is_set = True


def is_real(base_url: str) -> bool:
    """Tell whether an address belongs to linked.is."""
    return f".{urlsplit(base_url).hostname}".endswith(".linked.is")


def check_base_url(base_url: str) -> None:
    """Raise WrongSetting, with the right form, if a base URL doesn't have the one form that all programs accept."""
    right = _right_form(base_url)
    if base_url not in (right, *REAL):
        https = " Without https, everybody on the way can read the token." if right in REAL and "https:" not in base_url else ""
        unseen = next(((at, one) for at, one in enumerate(base_url, 1) if not one.isprintable()), None)
        odd = f" Character {unseen[0]} is wrong: {unicodedata.name(unseen[1], 'LINE BREAK OR TAB')}." if unseen else ""
        step = f"Correct it in .env, save the file, {RERUN}"
        raise WrongSetting(f"{BASE_URL} must read {right}.{odd}{https} {step}")


def _right_form(base_url: str) -> str:
    # The angle brackets of a text that says <your address> are often copied too.
    text = "".join(one for one in unicodedata.normalize("NFKC", base_url) if one.isprintable() and one not in "<>")
    # A word is no address. It may be a token on the wrong line: no message may repeat it.
    if found := re.fullmatch(r"(?:(\w+):/+)?(.*[.:/].*)", text.strip()):
        address = f"{'https' if (found[1] or '').lower() == 'https' else 'http'}://{found[2]}"
        with suppress(ValueError):
            parts = urlsplit(address)
            port = f":{parts.port}" if parts.port else ""
            host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
            return REAL[0] if is_real(address) else f"{parts.scheme}://{host}{port}/v1" if host else MOCK
    return MOCK
