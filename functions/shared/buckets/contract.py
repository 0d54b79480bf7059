"""A bucket that holds staged objects, ours or a customer's: what everybody who touches them may rely on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from functions.shared.errors import PermanentError, RetryableError


class BucketError(RetryableError):
    """The bucket did not do what it was asked to; a write may have taken place all the same.

    `reason` is the type or code of the error: never a body, a URL or a key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"S3: {reason}")
        self.reason = reason


class BucketUnavailableError(BucketError):
    """No answer, a broken one, or one that says "later": this passes by itself."""


class BucketRefusedError(BucketError):
    """The bucket is not there, or not for us: somebody has to mend it, and then the same call succeeds."""


class ListingTooLongError(BucketError):
    """The listing does not end within the bounds of functions.shared.buckets.customers; it is not read on."""

    def __init__(self) -> None:
        super().__init__("ListingTooLong")


class ObjectChangedError(PermanentError):
    """The object is not the one that was asked for; its body was not read."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told of an object: its ETag, without quotes, and its size."""

    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """An object: its body, and its ETag without quotes."""

    body: bytes | memoryview
    etag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A staged object as a listing shows it; `etag` without quotes."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime


class Bucket(Protocol):
    """Objects under keys, for as many threads as like to call. No call waits longer than its client allows.

    A body that was written is durable when the call returns, whole, and what every later call finds: S3 is
    consistent. A key is text without an empty part, `.` or `..` between its slashes. What fails raises
    BucketUnavailableError or BucketRefusedError and may, if it is a write, have taken place: only the
    answer may be lost. So every write here can be told apart from its own repetition, or be repeated.
    """

    def create(self, key: str, body: bytes, attributes: Mapping[str, str] | None = None) -> str | None:
        """Put `body` where nothing is; its ETag, or None when the key is taken.

        Taken, too, is a key that somebody else is writing at this moment (S3 answers 409), who may yet fail:
        whoever relies on the object looks for it. Of all who create a key, one is given an ETag.
        `attributes` are the object's metadata; `Content-Type` among them is its type.
        """
        ...

    def replace(self, key: str, body: bytes, etag: str) -> bool:
        """Put `body` in place of the object with this `etag`; False when there is another, or none."""
        ...

    def get(self, key: str, told: Told | None = None) -> Found | None:
        """The object, whole; None when there is none, which a bucket that is not there never says.

        Raises
        ------
        ObjectChangedError: its ETag is not the one that was `told`, or it is larger.
        """
        ...

    def etag_of(self, key: str) -> str | None:
        """The object's ETag, without reading it; None when there is none.

        S3 gives no reason with this answer: a bucket that is not there looks like an object that is not.
        """
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects, however many; what is gone already is no fault. A failure may leave some."""
        ...

    def under(self, prefix: str) -> Iterator[Listed]:
        """All objects whose key begins with `prefix`, which ends in a slash or is empty.

        In no order, page by page while the caller reads: errors are raised on the way. What is created or
        deleted meanwhile may be shown or not.

        Raises
        ------
        PermanentError: the prefix ends otherwise, and might be that of another tenant too.
        ListingTooLongError: of a bucket at an address that a customer gave.
        """
        ...


def same_object(told: Told | None, etag: str, size_bytes: int) -> None:
    """Raises ObjectChangedError unless an object of that `etag` and size is the one that was `told`."""
    if told and (etag != told.etag or size_bytes > told.size_bytes):
        raise ObjectChangedError("the object is not the one that was asked for")


def whole_folder(prefix: str) -> str:
    """`prefix`, if it ends in a slash or is empty.

    Raises
    ------
    PermanentError: it does not: `tenant=a` is how `tenant=ab` begins.
    """
    if prefix and not prefix.endswith("/"):
        raise PermanentError("a prefix ends in a slash")
    return prefix
