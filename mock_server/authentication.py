"""From the ``Authorization`` header to a token and its account, or to one of three errors."""

from __future__ import annotations

from mock_server import tokens
from mock_server.envelope import InvalidToken, MissingToken, TokenExpired
from mock_server.model import Account, Token
from mock_server.store import Store

REALM = 'Bearer realm="linked.is mock server"'

WHITE_SPACE = " \t"  # what may surround the value of a header (RFC 9110, section 5.5); all else belongs to the token

BASIC = (
    "The header says Basic: a user name and a password came in place of your token. requests takes them from a file "
    ".netrc, from auth=, or from the address. For .netrc, put the line NETRC=none into .env, save the file, then restart the program."
)


def challenge(error: str | None = None) -> str:
    """Spell ``WWW-Authenticate`` as RFC 6750, section 3: no error code when no token was sent."""
    return f'{REALM}, error="invalid_token", error_description="{error}"' if error else REALM


def sent_token(authorization: list[str]) -> str:
    """Take the token out of the values of ``Authorization``, which a client should send once.

    The scheme is matched without regard to case (RFC 9110, section 11.1).
    Raises MissingToken or InvalidToken.
    """
    if not authorization:
        raise MissingToken(headers={"WWW-Authenticate": challenge()})
    if len(authorization) > 1:
        raise refused("The request has more than one Authorization header. Send one.")
    scheme, _, token = authorization[0].strip(WHITE_SPACE).partition(" ")
    if scheme.lower() != "bearer" or not token:
        explanation = BASIC if scheme.lower() == "basic" else "The header must read: Bearer, a space, the token."
        raise MissingToken(headers={"WWW-Authenticate": challenge(), "X-Mock-Hint": explanation})
    return token.strip(WHITE_SPACE)


def find_token(authorization: list[str], store: Store) -> Token:
    """Return the token that was sent, whatever its state. Raises MissingToken or InvalidToken."""
    sent = sent_token(authorization)
    token = store.find_token(tokens.digest(sent))
    if token is None:
        raise refused(tokens.hint(sent))
    return token


def owner(authorization: list[str], store: Store) -> Account:
    """Return whose token was sent, an expired one too. Raises MissingToken, or InvalidToken for a revoked one too."""
    token = find_token(authorization, store)
    if token.revoked_at is not None:
        raise refused(tokens.NOT_ALIVE)
    return store.accounts[token.account_id]


def check_alive(token: Token, now: int) -> None:
    """Let a live token pass. Raises InvalidToken if it was revoked (a caller is not told so), or TokenExpired."""
    state = token.state(now)
    if state == "revoked":
        raise refused(tokens.NOT_ALIVE)
    if state == "expired":
        raise TokenExpired(headers={"WWW-Authenticate": challenge(TokenExpired.message)})


def refused(explanation: str) -> InvalidToken:
    """Return an InvalidToken with its challenge, and a hint that helps a learner.

    The hint is the mock server's own header, so that the body stays the documented one.
    """
    return InvalidToken(headers={"WWW-Authenticate": challenge(InvalidToken.message), "X-Mock-Hint": explanation})
