"""The contract of a bucket of staged objects, ours or a customer's."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from functions.shared.errors import PermanentError, RetryableError


class BucketError(RetryableError):
    """The bucket did not do what was asked; a write may still have taken place.

    `reason` is the type or code of the error: never a body, a URL or a key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"S3: {reason}")
        self.reason = reason


class BucketUnavailableError(BucketError):
    """No answer, a broken one, or a throttling one; a retry may succeed."""


class BucketRefusedError(BucketError):
    """The bucket is missing or denies access; once its owner has fixed that, the same call succeeds."""


class ListingTooLongError(BucketError):
    """The listing exceeds the limits of functions.shared.buckets.customer; reading stops."""

    def __init__(self) -> None:
        super().__init__("ListingTooLong")


class ObjectChangedError(PermanentError):
    """The object is not the expected one; its body was not read."""


class ExpectedObject(Struct, frozen=True):
    """The expected object: the ETag, without quotes, and the size that a notification or a listing gave."""

    etag: str
    size_bytes: int


class ObjectBody(Struct, frozen=True):
    """An object's body, and its ETag without quotes."""

    body: bytes | memoryview
    etag: str


class ListedObject(Struct, frozen=True):
    """A staged object in a listing; `etag` without quotes."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime


class Bucket(Protocol):
    """Objects under keys; thread-safe. No call waits longer than its client allows.

    A written body is durable and complete when the call returns, and every later call finds it: S3 is
    consistent. A key is text whose parts between slashes are not empty, `.` or `..`. A failure raises
    BucketUnavailableError or BucketRefusedError; a failed write may have taken place, with only the
    response lost. So a caller can recognize its own repeated write here, or repeat it safely.
    """

    def create(self, key: str, body: bytes, attributes: Mapping[str, str] | None = None) -> str | None:
        """Put `body` if the key does not exist; the ETag, or None when the key exists.

        None also means that another write to the key is in flight (S3 answers 409), which may yet fail:
        a caller that relies on the object checks that it exists. Of all writers of a key, one gets an ETag.
        `attributes` are the object's metadata; `Content-Type` among them is its type.
        """
        ...

    def replace(self, key: str, body: bytes, etag: str) -> bool:
        """Replace the object that has this `etag` with `body`; False when it has another, or is missing."""
        ...

    def get(self, key: str, expected: ExpectedObject | None = None) -> ObjectBody | None:
        """The whole object; None when it does not exist. A missing bucket raises instead.

        Raises
        ------
        ObjectChangedError: its ETag is not the one in `expected`, or it is larger.
        """
        ...

    def etag_of(self, key: str) -> str | None:
        """The object's ETag, without reading its body; None when it does not exist.

        S3's 404 has no reason here: a missing bucket looks like a missing object.
        """
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete any number of objects; a missing object is not an error. A failure may leave some."""
        ...

    def under(self, prefix: str) -> Iterator[ListedObject]:
        """All objects whose key begins with `prefix`, which ends in a slash or is empty.

        In no order, page by page as the caller reads, so errors are raised during the iteration. Objects
        created or deleted meanwhile may be listed or not.

        Raises
        ------
        PermanentError: the prefix has another ending, and could match another tenant's keys.
        ListingTooLongError: only for a bucket at an address that a customer gave.
        """
        ...


def same_object(expected: ExpectedObject | None, etag: str, size_bytes: int) -> None:
    """Raises ObjectChangedError unless `etag` and size are those of `expected`."""
    if expected and (etag != expected.etag or size_bytes > expected.size_bytes):
        raise ObjectChangedError("the object is not the one that was asked for")


def whole_folder(prefix: str) -> str:
    """`prefix`, if it ends in a slash or is empty.

    Raises
    ------
    PermanentError: it does not: `tenant=a` is also a prefix of `tenant=ab`.
    """
    if prefix and not prefix.endswith("/"):
        raise PermanentError("a prefix ends in a slash")
    return prefix
