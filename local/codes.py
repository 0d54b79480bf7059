"""Six-digit codes per person and purpose, valid once and as long as the real service's codes."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

HOUR = 3600


class Purpose(Enum):
    """The purpose of a code; the value is its validity in seconds."""

    SIGN_UP = ("sign-up", 24 * HOUR)
    PASSWORD = ("password", HOUR)
    EMAIL = ("email", 24 * HOUR)

    @property
    def seconds(self) -> int:
        return self.value[1]


class MismatchError(Exception):
    """A different code was mailed."""


class ExpiredError(Exception):
    """No code was mailed, or it was used, or it has expired."""


@dataclass(frozen=True, slots=True)
class _Mailed:
    code: str
    until: float


class Codes:
    """The codes of one person."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._mailed: dict[Purpose, _Mailed] = {}

    def issue(self, purpose: Purpose) -> str:
        """A new code; invalidates the previous one for the same purpose."""
        code = f"{secrets.randbelow(1_000_000):06d}"
        self._mailed[purpose] = _Mailed(code, self._clock() + purpose.seconds)
        return code

    def redeem(self, purpose: Purpose, code: str) -> None:
        """Accept `code` once.

        Raises
        ------
        MismatchError, ExpiredError.
        """
        mailed = self._mailed.get(purpose)
        if mailed is None or mailed.until <= self._clock():
            raise ExpiredError
        if mailed.code != code:
            raise MismatchError
        del self._mailed[purpose]
