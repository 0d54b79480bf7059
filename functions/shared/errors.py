"""The exception tree. Everything we raise on purpose is one of these.

AstralogError
├── PermanentError     trying again cannot help: bad input, a broken promise, a bug
│   ├── SettingsError  the environment lacks or garbles a setting
│   └── RefusalError        an HTTP answer of 4xx or 5xx, ready to send
└── RetryableError     the same call may succeed later; callers back off and try again
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["AstralogError", "PermanentError", "RefusalError", "RetryableError", "SettingsError"]


class AstralogError(Exception):
    """Root of everything raised on purpose."""


class PermanentError(AstralogError):
    """Trying again cannot help."""


class RetryableError(AstralogError):
    """The same call may succeed later."""


class SettingsError(PermanentError):
    """The environment lacks or garbles a setting; the message names which."""


class RefusalError(PermanentError):
    """An answer other than success, in the form every route speaks.

    Parameters
    ----------
    status: HTTP status, 400–599.
    code: snake_case, stable; clients may branch on it.
    message: one sentence a person can act on; never holds a payload or a secret.
    retry_after_seconds: sent as ``Retry-After``; senders give up on long ones, so at most 2.
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
