"""The exception tree of everything we raise on purpose.

AstralogError
├── PermanentError     a retry cannot help: bad input, a broken promise, a bug
│   └── SettingsError  a setting is missing from the environment or invalid
├── RetryableError     the same call may succeed later; callers back off and retry
└── HttpError          the response to one request: a status and an error code, ready to send

The first two describe a fault, and each module derives its own errors from them. HttpError describes a
response, and only code that answers a request raises it: code that handles a PermanentError never catches a
response by accident. functions.shared.http converts the rest: a RetryableError is 503 `try_again`, any other
error 500 `internal_error`. functions.shared.error_codes lists every code.
"""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["AstralogError", "HttpError", "PermanentError", "RetryableError", "SettingsError"]


class AstralogError(Exception):
    """Root of all exceptions raised on purpose."""


class PermanentError(AstralogError):
    """A retry cannot help."""


class RetryableError(AstralogError):
    """A retry of the same call may succeed."""


class SettingsError(PermanentError):
    """A setting is missing or invalid; the message names the variable."""


class HttpError(AstralogError):
    """An HTTP error, in the form of every route.

    Parameters
    ----------
    status: HTTP status, 400–599.
    code: snake_case, stable, listed in functions.shared.error_codes; clients may branch on it.
    message: one sentence a person can act on; never holds a payload or a secret.
    retry_after_seconds: sent as ``Retry-After``; clients abandon requests with long ones, so at most 2.
    details: further members of the body, JSON values under the same rule as the message.
    allow: the methods of a path, sent as ``Allow`` with 405.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after_seconds: int | None = None,
        details: Mapping[str, Any] | None = None,
        allow: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        self.details = details or {}
        self.allow = tuple(allow)
