"""Answers and errors: every one leaves the API in the documented envelope.

Success is ``{"success": true, "data": …}``, failure ``{"success": false, "error": {"code", "message"}}``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from mock_server.model import Origin


class ApiError(Exception):
    """An error that the API answers with. Subclasses say which; raise one, nothing else."""

    status: int
    code: str
    message: str
    when: str
    origin: Origin

    def __init__(self, message: str | None = None, headers: dict[str, str] | None = None) -> None:
        self.message = message or self.message
        self.headers = headers or {}
        super().__init__(self.message)

    def as_json(self) -> dict[str, Any]:
        """Return what stands behind ``error`` in the body."""
        return {"code": self.code, "message": self.message}


class MissingToken(ApiError):
    status = 401
    code = "MISSING_TOKEN"
    message = "Authorization header is required"
    when = "The request has no `Authorization` header, another scheme than `Bearer`, or no token after it."
    origin = Origin.AUTHENTICATION_PAGE


class InvalidToken(ApiError):
    status = 401
    code = "INVALID_TOKEN"
    message = "The provided API token is invalid"
    when = "The token is malformed, unknown or revoked. That these three get this code is assumed."
    origin = Origin.AUTHENTICATION_PAGE


class TokenExpired(ApiError):
    status = 401
    code = "TOKEN_EXPIRED"
    message = "The API token has expired"
    when = "The lifetime of the token is over."
    origin = Origin.AUTHENTICATION_PAGE


class InvalidRequest(ApiError):
    status = 400
    code = "INVALID_REQUEST"
    message = "The request is invalid"
    when = "The body or the query is not what the operation takes. The message names the field."
    origin = Origin.OTHER_DOCS_PAGE


class SlugTaken(ApiError):
    status = 400
    code = "SLUG_TAKEN"
    message = "slug: one of your links or profiles already has this one. Choose another."
    when = "One of your links or profiles has the slug already."
    origin = Origin.ASSUMED


class Forbidden(ApiError):
    status = 403
    code = "FORBIDDEN"
    message = "You may not do this"
    when = "The request comes from another computer, host name or site that may not send it."
    origin = Origin.ASSUMED


class NotFound(ApiError):
    status = 404
    code = "NOT_FOUND"
    message = "There is nothing at this address"
    when = "The path is unknown, or your account has nothing with this id."
    origin = Origin.ASSUMED


class MethodNotAllowed(ApiError):
    status = 405
    code = "METHOD_NOT_ALLOWED"
    message = "This address does not take this method"
    when = "The path exists, the method does not. The `Allow` header lists those that do."
    origin = Origin.ASSUMED


class PayloadTooLarge(ApiError):
    status = 413
    code = "PAYLOAD_TOO_LARGE"
    message = "The body is larger than 1 MiB"
    when = "The body is larger than 1 MiB."
    origin = Origin.ASSUMED


class RateLimitExceeded(ApiError):
    status = 429
    code = "RATE_LIMIT_EXCEEDED"
    message = "Too many requests. Please try again later."
    when = "Your account has made as many calls as its plan allows. `error.retryAfter` is the number of seconds to wait."
    origin = Origin.OTHER_DOCS_PAGE

    def __init__(self, retry_after: int, rate_limit: list[tuple[bytes, bytes]] | None = None) -> None:
        """``retry_after`` is in seconds; ``rate_limit`` holds the ``X-RateLimit`` headers of the refused call."""
        self.retry_after = max(1, retry_after)  # nobody may come at once
        super().__init__(headers={"Retry-After": str(self.retry_after)})
        self.rate_limit = rate_limit

    def as_json(self) -> dict[str, Any]:
        """Return what stands behind ``error`` in the body."""
        return {**super().as_json(), "retryAfter": self.retry_after}


class InternalError(ApiError):
    status = 500
    code = "INTERNAL_ERROR"
    message = "The mock server made a mistake. Its log shows where"
    when = "The server failed. The request was not at fault."
    origin = Origin.ASSUMED


class ServiceUnavailable(ApiError):
    status = 503
    code = "SERVICE_UNAVAILABLE"
    message = "The service is not available for the moment"
    when = "A lesson asked for this failure. Without that, the API never sends it."
    origin = Origin.ASSUMED


def from_http(error: HTTPException) -> ApiError:
    """Return the API's own error for one of the framework."""
    known = {400: InvalidRequest, 404: NotFound, 405: MethodNotAllowed, 413: PayloadTooLarge}
    return known.get(error.status_code, InternalError)(headers=dict(error.headers or {}))


# Made once: json.dumps() would make one for each call.
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode(data: Any) -> bytes:
    """Spell ``data`` (anything that JSON can hold) as JSON."""
    return _encoder.encode(data).encode()


def success(data: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with ``data``, which is JSON already, in the envelope."""
    return Response(b'{"success":true,"data":' + data + b"}", status, headers, "application/json")


def failure(error: ApiError) -> Response:
    """Answer with an error in the envelope and with the error's own headers."""
    return Response(_failed(tuple(error.as_json().items())), error.status, error.headers, "application/json")


@lru_cache(maxsize=1_000)
def _failed(error: tuple[tuple[str, Any], ...]) -> bytes:
    return encode({"success": False, "error": dict(error)})
