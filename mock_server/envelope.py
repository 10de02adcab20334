"""Answers and errors: every one leaves the API in the documented envelope.

Success is ``{"success": true, "data": …}``, failure ``{"success": false, "error": {"code", "message"}}``.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

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
    when = "The token is malformed, unknown or revoked."
    origin = Origin.AUTHENTICATION_PAGE


class TokenExpired(ApiError):
    status = 401
    code = "TOKEN_EXPIRED"
    message = "The API token has expired"
    when = "The token is known and past its expiry."
    origin = Origin.AUTHENTICATION_PAGE


class InvalidRequest(ApiError):
    status = 400
    code = "INVALID_REQUEST"
    message = "The request is invalid"
    when = "The body or the query is not what the operation takes. The message names the field."
    origin = Origin.OTHER_DOCS_PAGE


class Forbidden(ApiError):
    status = 403
    code = "FORBIDDEN"
    message = "You may not do this"
    when = "The request comes from where it may not come from."
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


class InternalError(ApiError):
    status = 500
    code = "INTERNAL_ERROR"
    message = "The mock server made a mistake. Its terminal shows where"
    when = "The server failed. The request was not at fault."
    origin = Origin.ASSUMED


def success(data: Any, status: int = 200) -> JSONResponse:
    """Answer with ``data`` (anything that JSON can hold) in the envelope."""
    return JSONResponse({"success": True, "data": data}, status)


def failure(error: ApiError) -> JSONResponse:
    """Answer with an error in the envelope and with the error's own headers."""
    body = {"success": False, "error": {"code": error.code, "message": error.message}}
    return JSONResponse(body, error.status, headers=error.headers)
