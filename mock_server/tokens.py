"""API tokens: mint one, check its shape, hash it, keep it out of sight.

The shape is assumed (linked.is does not document its own): a prefix that says mock, 30 random
base62 characters (178 bits), 6 characters of CRC32. The prefix lets a scanner and a person
recognise it; the checksum tells a typing error from a token that nobody made.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

PREFIX = "lis_mock_"
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6
LENGTH = len(PREFIX) + RANDOM_LENGTH + CHECKSUM_LENGTH
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase

# The page shows a token once: nobody can copy it there again.
COPY_OR_REPLACE = (
    "Copy it from another place where you keep it. "
    "If there is none, generate a new one in Settings > API, and revoke the old one."
)
NOT_ALIVE = (
    "This server has no live token like it: it was revoked, or another mock server made it. Generate a new one in Settings > API."
)
_SHAPE = re.compile(f"{PREFIX}([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})")
_TOKEN_IN_TEXT = re.compile(PREFIX + r"\w+", re.ASCII)


def mint() -> str:
    """Return a new token from the operating system's source of randomness."""
    random_part = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return PREFIX + random_part + _checksum(random_part)


def is_well_formed(text: str) -> bool:
    """Tell whether prefix, length, alphabet and checksum are those of a minted token."""
    shaped = _SHAPE.fullmatch(text)
    return shaped is not None and shaped[2] == _checksum(shaped[1])


def digest(secret: str) -> str:
    """Return the SHA-256 (hex) under which a token or a session is stored.

    A plain hash is enough: with more than 112 random bits nobody can guess their way back
    (OWASP ASVS 5.0, 6.5.2). A lookup by it takes the same time for every wrong token.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def redact(text: str) -> str:
    """Return the text with each token in it, or start of one, replaced."""
    return _TOKEN_IN_TEXT.sub(PREFIX + "[hidden]", text)


def hint(sent: str) -> str:
    """Explain what looks wrong with a token that was refused, without repeating any of it."""
    if sent.lower().startswith("bearer "):
        return "The header says Bearer twice. Keep only the token in .env, without the word Bearer."
    if sent[0] in "'\"" or sent[-1] in "'\"":
        return "The token has quotation marks around it. Remove them."
    if re.search(r"\s", sent):
        return "The token has a space or a line break in it. Remove it."
    if not sent.startswith(PREFIX):
        return (
            f"This is not a token of the mock server: those start with {PREFIX}. "
            "If it is a real linked.is token, revoke it: it was sent to the wrong place."
        )
    if len(sent) < LENGTH:
        return f"The token is cut off. {COPY_OR_REPLACE}"
    if len(sent) > LENGTH:
        return f"Something was added to the token. A token has {LENGTH} characters: remove the others."
    if not is_well_formed(sent):
        return f"A character of the token is wrong. {COPY_OR_REPLACE}"
    return NOT_ALIVE


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, remainder = divmod(number, len(ALPHABET))
        digits = ALPHABET[remainder] + digits
    return digits
