"""The exception tree of everything we raise on purpose.

AstralogError
├── PermanentError     a retry cannot help: bad input, a broken promise, a bug
│   ├── SettingsError  a setting is missing from the environment or invalid
│   └── HttpError        an HTTP error of 4xx or 5xx, ready to send
└── RetryableError     the same call may succeed later; callers back off and retry
"""

from collections.abc import Mapping
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


class HttpError(PermanentError):
    """An HTTP error, in the form of every route.

    Parameters
    ----------
    status: HTTP status, 400–599.
    code: snake_case, stable; clients may branch on it.
    message: one sentence a person can act on; never holds a payload or a secret.
    retry_after_seconds: sent as ``Retry-After``; clients abandon requests with long ones, so at most 2.
    details: further members of the body, JSON values under the same rule as the message.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after_seconds: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        self.details = details or {}
