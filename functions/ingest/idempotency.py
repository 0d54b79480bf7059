"""Idempotency-Key: one key within 24 h is one batch, however often it is sent.

A sender whose answer was lost sends its batch again under the same key. The key stands for the body it came
with, decoded, because senders compress anew: another body under the same key would pass for the first
and lost, so it is refused.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from functions.shared.errors import HttpError

WINDOW = timedelta(hours=24)
MAX_KEY_CHARACTERS = 255


class IdempotencyKey:
    """A request's Idempotency-Key; `fingerprint` is that of the body, once `reading` has passed all of it."""

    def __init__(self, key: str) -> None:
        from hashlib import sha256  # OpenSSL: only for requests with a key

        self.key = key
        self._sha256 = sha256()

    def reading(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces, looked at while they pass."""
        for piece in pieces:
            self._sha256.update(piece)
            yield piece

    @property
    def fingerprint(self) -> str:
        return self._sha256.hexdigest()


class IdempotencyMark(Struct, frozen=True):
    """What is remembered of an Idempotency-Key: the staged object, since when, and of which body."""

    key: str
    since: datetime
    fingerprint: str

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether a request received at `moment` still belongs to this batch."""
        return moment - self.since < WINDOW

    def encoded(self) -> bytes:
        return f"{self.since.isoformat()} {self.fingerprint} {self.key}".encode()

    @classmethod
    def decode(cls, text: bytes) -> "IdempotencyMark":
        since, fingerprint, key = text.decode().split(" ", 2)
        return cls(key, datetime.fromisoformat(since), fingerprint)


def read_key(headers: Mapping[str, str]) -> IdempotencyKey | None:
    """The request's Idempotency-Key, if it has one.

    Raises
    ------
    HttpError: 400, when it is too long.
    """
    return checked_key(headers.get("idempotency-key", ""))


def checked_key(key: str) -> IdempotencyKey | None:
    """The key, if it is not empty.

    Raises
    ------
    HttpError: 400, when it is too long.
    """
    if len(key) > MAX_KEY_CHARACTERS:
        raise HttpError(
            400, "invalid_idempotency_key", f"Idempotency-Key is longer than {MAX_KEY_CHARACTERS} characters."
        )
    return IdempotencyKey(key) if key else None
