"""What no output, log, page or file may hold: a piece of a token or of another secret."""

from __future__ import annotations

import re
from collections.abc import Set

from mock_server import tokens

LENGTH = 6  # characters of a piece: few enough to be noticed, too many to turn up by chance


def pieces(secret: str) -> set[str]:
    """Return every piece of a secret; of a token, without the prefix that all tokens share."""
    secret = secret.removeprefix(tokens.PREFIX)
    return {secret[start : start + LENGTH] for start in range(len(secret) - LENGTH + 1)}


def has_a_piece(text: str, pieces: Set[str]) -> bool:
    """Tell whether one of the pieces of tokens is in a text. A search for each of a thousand pieces would take minutes."""
    words = re.findall(rf"[\w-]{{{LENGTH},}}", text, re.ASCII)
    return any(word[start : start + LENGTH] in pieces for word in words for start in range(len(word) - LENGTH + 1))


def assert_without(secret: str, text: str) -> None:
    """Fail the test at hand, without showing anything of it, if a text holds a piece of a secret."""
    assert not any(piece in text for piece in pieces(secret)), "A piece of a secret is in the text."


def tokens_in(text: str) -> list[str]:
    """Return what a token left in a text: its prefix with a piece behind it, or its secret part alone.

    Of a token of linked.is, whose shape nobody documents, that is what comes after ``Bearer`` or the name of the setting.
    """
    begun = [word for word in re.findall(rf"{tokens.PREFIX}(\w{{6,}})", text) if word != "cutoff"]  # a test's made-up one
    begun += re.findall(r"(?:Bearer |LINKED_IS_API_TOKEN=)([\w.~+/-]{20,})", text)
    return begun + [word for word in re.findall(r"\b[0-9A-Za-z]{36}\b", text) if tokens.is_well_formed(tokens.PREFIX + word)]
