"""A customer's bucket, through a given boto3 S3 client. The client's maker decides on credentials, endpoint
and egress filter.

The bucket's policy has to allow PutObject, GetObject, DeleteObject, and ListBucket, without which S3 answers
403 for a missing object. The service has to honour `If-None-Match` and `If-Match` on PUT: a service that
ignores them overwrites objects, and this class cannot detect it.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from typing import Any

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from functions.shared.buckets.contract import (
    BucketError,
    BucketRefusedError,
    BucketUnavailableError,
    ExpectedObject,
    ListedObject,
    ListingTooLongError,
    ObjectBody,
    ObjectChangedError,
    same_object,
    whole_folder,
)
from functions.shared.errors import PermanentError

KEYS_A_DELETION = 1000
DELETES_AT_ONCE = 8

LARGEST_OBJECT_BYTES = 128 * 1024 * 1024
"""More than ingest stages in one object, and as much as sync can hold: others can write into this bucket."""

MAX_LISTED_PAGES = 1000
"""A million objects, as S3 lists them. A page may be empty without being the last, so pages are counted."""

MAX_LISTED_A_PAGE = 10_000
"""S3 lists 1,000; a page is held in memory as a whole."""

MAX_LISTED_BYTES = 128 * 1024 * 1024
"""Keys of one listing: a caller may hold all of them."""

LISTING_SECONDS = 90.0
"""Time waiting for the pages of one listing, without the caller's own time in between."""

_GARBLED = (ResponseParserError, LookupError, ValueError)
NOT_DONE = (BotoCoreError, ClientError, PermanentError, OSError, *_GARBLED)
"""A PermanentError comes from the egress filter, which rejected the connection and would again."""
_NO_ANSWER = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.FlexibleChecksumError,
    OSError,
    *_GARBLED,
)
_LATER_STATUSES = frozenset({408, 409, 425, 429})
_LATER_CODES = frozenset(
    {"InternalError", "OperationAborted", "RequestTimeout", "SlowDown", "ServiceUnavailable"}
)
_NO_SUCH_CALL = frozenset({400, 405, 411, 501})
"""How services with partial S3 support reject DeleteObjects, or ask for another kind of checksum."""
_CODE = re.compile(r"[A-Za-z0-9.]{1,64}")


class CustomerBucket:
    """A Bucket: the keys of the bucket `name` that begin with `prefix`, which is empty or a folder's.

    Keys are passed and returned without the prefix.
    """

    def __init__(self, client: Any, name: str, prefix: str = "") -> None:
        self._client = client
        self._name = name
        self._prefix = whole_folder(prefix)

    def create(self, key: str, body: bytes, attributes: Mapping[str, str] | None = None) -> str | None:
        return self._put(key, body, IfNoneMatch="*", **_put_arguments(attributes or {}))

    def replace(self, key: str, body: bytes, etag: str) -> bool:
        return self._put(key, body, IfMatch=f'"{etag}"') is not None

    def get(self, key: str, expected: ExpectedObject | None = None) -> ObjectBody | None:
        condition = {"IfMatch": f'"{expected.etag}"'} if expected else {}
        try:
            found = self._client.get_object(**self._at(key), **condition)
            return ObjectBody(_body(found, expected), etag_of_answer(found))
        except ObjectChangedError:
            raise
        except NOT_DONE as fault:
            if expected and status_of(fault) == 412:
                raise ObjectChangedError("the object is not the one that was asked for") from None
            # A 404 that names no key does not come from a bucket.
            if code_of(fault) == "NoSuchKey":
                return None
            raise failure(fault) from None

    def etag_of(self, key: str) -> str | None:
        try:
            return etag_of_answer(self._client.head_object(**self._at(key)))
        except NOT_DONE as fault:
            if status_of(fault) == 404:
                return None
            raise failure(fault) from None

    def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), KEYS_A_DELETION):
            self._delete(keys[start : start + KEYS_A_DELETION])

    def under(self, prefix: str, after: str = "") -> Iterator[ListedObject]:
        """All objects whose key begins with `prefix`, in the order of keys; with `after` only later keys.

        A hostile server may list for ever. The listing stops with ListingTooLongError after MAX_LISTED_PAGES,
        MAX_LISTED_BYTES or LISTING_SECONDS; a caller that stops earlier gets no error.
        """
        asked = {"Bucket": self._name, "Prefix": self._prefix + whole_folder(prefix)}
        if after:
            asked["StartAfter"] = self._prefix + after
        try:
            for page in _within_bounds(self._client.get_paginator("list_objects_v2").paginate(**asked)):
                # A key that ends in a slash is a folder created by a console.
                objects = (each for each in page.get("Contents", ()) if not each["Key"].endswith("/"))
                yield from map(self._listed, objects)
        except NOT_DONE as fault:
            raise failure(fault) from None

    def _put(self, key: str, body: bytes, **conditions: Any) -> str | None:
        """Put `body`; None when the condition fails, or another write to the key is in flight."""
        try:
            return etag_of_answer(self._client.put_object(**self._at(key), Body=body, **conditions))
        except NOT_DONE as fault:
            gone = "IfMatch" in conditions and code_of(fault) == "NoSuchKey"
            if gone or status_of(fault) in (409, 412):
                return None
            raise failure(fault) from None

    def _delete(self, keys: Sequence[str]) -> None:
        named = [{"Key": self._prefix + key} for key in keys]
        try:
            answer = self._client.delete_objects(Bucket=self._name, Delete={"Objects": named, "Quiet": True})
        except NOT_DONE as fault:
            if status_of(fault) not in _NO_SUCH_CALL:
                raise failure(fault) from None
            self._delete_singly(keys)
        else:
            codes = [each.get("Code", "") for each in answer.get("Errors", ())]
            left = [code for code in codes if code != "NoSuchKey"]
            if left:
                raise _refusal(left[0], 403)

    def _delete_singly(self, keys: Sequence[str]) -> None:
        # The calling thread's limits apply in each of these, too (functions.shared.egress.response_limits).
        contexts = [copy_context() for _ in keys]
        with ThreadPoolExecutor(DELETES_AT_ONCE) as pool:
            list(pool.map(lambda context, key: context.run(self._delete_one, key), contexts, keys))

    def _delete_one(self, key: str) -> None:
        try:
            self._client.delete_object(**self._at(key))
        except NOT_DONE as fault:
            if code_of(fault) != "NoSuchKey":
                raise failure(fault) from None

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": self._prefix + key}

    def _listed(self, each: dict[str, Any]) -> ListedObject:
        key = each["Key"].removeprefix(self._prefix)
        return ListedObject(key, etag_of_answer(each), each["Size"], each["LastModified"])


def _within_bounds(pages: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The pages of a listing, up to its limits.

    Raises
    ------
    ListingTooLongError
    """
    left, listed_bytes, waited_seconds = iter(pages), 0, 0.0
    for _ in range(MAX_LISTED_PAGES):
        asked_at = time.monotonic()
        page = next(left, None)
        waited_seconds += time.monotonic() - asked_at
        if page is None:
            return
        objects = page.get("Contents", ())
        listed_bytes += sum(len(each["Key"]) for each in objects)
        if len(objects) > MAX_LISTED_A_PAGE or listed_bytes > MAX_LISTED_BYTES:
            raise ListingTooLongError
        yield page
        if not page.get("IsTruncated"):
            return
        if waited_seconds > LISTING_SECONDS:
            break
    raise ListingTooLongError


def _put_arguments(attributes: Mapping[str, str]) -> dict[str, Any]:
    """`attributes` as boto3's arguments: the content type separately, all others as metadata."""
    metadata = {name: value for name, value in attributes.items() if name != "Content-Type"}
    kind = {"ContentType": attributes["Content-Type"]} if "Content-Type" in attributes else {}
    return {"Metadata": metadata, **kind}


def _body(answer: Mapping[str, Any], expected: ExpectedObject | None) -> bytes:
    """The body; closed without reading it when the object is not the expected one, or too large."""
    with closing(answer["Body"]) as body:
        same_object(expected, etag_of_answer(answer), answer["ContentLength"])
        if answer["ContentLength"] > LARGEST_OBJECT_BYTES:
            raise BucketRefusedError("ObjectTooLarge")
        read: bytes = body.read()
        return read


def etag_of_answer(answer: Mapping[str, Any]) -> str:
    """The ETag. An answer without one was truncated, which http.client does not report."""
    etag = str(answer.get("ETag", "")).strip('"')
    if not etag:
        raise BucketUnavailableError("NoETag")
    return etag


def code_of(fault: Exception) -> str:
    """S3's error code; empty when there was no answer."""
    return str(fault.response.get("Error", {}).get("Code", "")) if isinstance(fault, ClientError) else ""


def status_of(fault: Exception) -> int:
    """The HTTP status of an answer; 0 when there was no answer."""
    metadata = fault.response.get("ResponseMetadata", {}) if isinstance(fault, ClientError) else {}
    return int(metadata.get("HTTPStatusCode", 0))


def failure(fault: Exception) -> BucketError:
    """The BucketError for an error in NOT_DONE."""
    if isinstance(fault, ClientError):
        return _refusal(code_of(fault), status_of(fault))
    return (BucketUnavailableError if isinstance(fault, _NO_ANSWER) else BucketRefusedError)(
        type(fault).__name__
    )


def _refusal(code: str, status: int) -> BucketError:
    """The error for an answer with this `code` and `status`; a malformed code may be arbitrary text."""
    passes = status >= 500 or status in _LATER_STATUSES or code in _LATER_CODES or "Throttl" in code
    reason = code if _CODE.fullmatch(code) else str(status)
    return (BucketUnavailableError if passes else BucketRefusedError)(reason)
