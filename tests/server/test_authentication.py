"""Bearer authentication: which header gets in, and which of the three errors the others get."""

import socket
from urllib.parse import urlsplit

import pytest

from mock_server import tokens
from mock_server.authentication import sent_token
from tools.leaks import assert_without
from tools.running import PATIENCE

MESSAGES = {
    "MISSING_TOKEN": "Authorization header is required",
    "INVALID_TOKEN": "The provided API token is invalid",
    "TOKEN_EXPIRED": "The API token has expired",
}


def assert_refused(response, code):
    """A 401 with code, message, envelope and challenge to the letter."""
    assert response.status_code == 401
    assert response.json() == {"success": False, "error": {"code": code, "message": MESSAGES[code]}}
    challenge = response.headers["WWW-Authenticate"]
    if code == "MISSING_TOKEN":
        assert challenge == 'Bearer realm="linked.is mock server"'
    else:
        assert f'error="invalid_token", error_description="{MESSAGES[code]}"' in challenge


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_matched_without_regard_to_case(application, scheme):
    header = application.account()["Authorization"].replace("Bearer", scheme)
    assert application.client().get("/v1/links", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "MISSING_TOKEN"),
        ("", "MISSING_TOKEN"),
        ("Bearer", "MISSING_TOKEN"),
        ("Bearer ", "MISSING_TOKEN"),
        ("Basic dXNlcjpwYXNz", "MISSING_TOKEN"),
        ("{token}", "MISSING_TOKEN"),
        ("Token {token}", "MISSING_TOKEN"),
        ("Bearer {token} {token}", "INVALID_TOKEN"),
        ("Bearer {token}, Bearer {token}", "INVALID_TOKEN"),
        ("Bearer Bearer {token}", "INVALID_TOKEN"),
        ("Bearer lis_mock_two words", "INVALID_TOKEN"),
        ('Bearer "{token}"', "INVALID_TOKEN"),
        ("Bearer {token}x", "INVALID_TOKEN"),
        ("Bearer {cut}", "INVALID_TOKEN"),
        ("Bearer {swapped}", "INVALID_TOKEN"),
        ("Bearer 'or 1=1--", "INVALID_TOKEN"),
        ("Bearer " + "x" * 10_240, "INVALID_TOKEN"),
        (b"Bearer caf\xe9\xff", "INVALID_TOKEN"),
    ],
)
def test_what_is_not_a_token_is_refused(application, header, code):
    token = application.account()["Authorization"].split()[1]
    if isinstance(header, str):
        header = header.format(token=token, cut=token[:-1], swapped=token.swapcase())
    response = application.client().get("/v1/links", headers={} if header is None else {"Authorization": header})
    assert_refused(response, code)
    assert_without(token, str(response.headers) + response.text)


def test_only_spaces_and_tabs_around_a_token_are_not_of_it():
    assert sent_token([" \tBearer  \ttoken \t"]) == "token"
    for other in ("\xa0", "\x85", "\x1c", "\x0b"):  # a header is read as Latin-1, in which these are spaces to Python
        assert sent_token([f"Bearer {other}token{other}"]) == f"{other}token{other}"


def test_two_authorization_headers_are_refused(application):
    header = ("Authorization", application.account()["Authorization"])
    assert_refused(application.client().get("/v1/links", headers=[header, header]), "INVALID_TOKEN")


def test_a_token_that_is_revoked_and_expired_is_invalid(application):
    headers = application.account(lifetime=60)
    application.store.revoke_token(application.store.tokens(application.store.accounts[1])[0])
    application.clock.time += 60
    assert_refused(application.client().get("/v1/links", headers=headers), "INVALID_TOKEN")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/links", "/v1/links/clx1234567890", "/v1/nothing", "/v1/"])
def test_nothing_below_v1_answers_without_a_token(application, method, path):
    assert_refused(application.client().request(method, path), "MISSING_TOKEN")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("Bearer {token}", "Bearer twice"),
        ("'{token}'", "quotation marks"),
        ("{cut}", "cut off"),
        ("{token}x", "added"),
        ("{swapped}", "character"),
        ("sk_live_1234", "real linked.is token"),
        ("{unknown}", "no live token"),
    ],
)
def test_a_hint_names_the_mistake(application, sent, words):
    token = application.account()["Authorization"].split()[1]
    swapped = token[:9] + token[9:].swapcase()
    sent = sent.format(token=token, cut=token[:20], swapped=swapped, unknown=tokens.mint())
    response = application.client().get("/v1/links", headers={"Authorization": f"Bearer {sent}"})
    assert words in response.headers["X-Mock-Hint"]


def test_a_minted_token_has_the_shape_that_it_promises():
    minted = {tokens.mint() for _ in range(1000)}
    assert len(minted) == 1000
    for token in minted:
        assert tokens.is_well_formed(token)
        assert len(token) == tokens.LENGTH == 45
        assert not tokens.is_well_formed(token[:-1] + ("a" if token[-1] != "a" else "b"))


def test_a_header_that_is_not_http_gets_an_answer_over_a_real_connection(server):
    address = urlsplit(server.origin)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
        connection.sendall(
            b"GET /v1/links HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe" + b"y" * 10_240 + b"\r\n\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")
