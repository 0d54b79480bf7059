"""Our own bucket, through obstore, which adds 25 ms to a cold start where boto3 adds 450."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import MemoryStore, S3Store

from functions.shared.buckets.contract import (
    BucketError,
    BucketRefusedError,
    BucketUnavailableError,
    ExpectedObject,
    ListedObject,
    ObjectBody,
    same_object,
    whole_folder,
)
from functions.shared.trusted_certificates import trust_one_bundle

REQUEST_TIMEOUT_SECONDS = 5
RETRY_TIMEOUT_SECONDS = 4
MAX_RETRIES = 2
"""Limited so that ingest can answer 503 before its caller times out."""

_MISSING = (FileNotFoundError, NotFoundError)
_REFUSED = (*_MISSING, PermissionDeniedError, UnauthenticatedError)
_NO_BUCKET = "<Code>NoSuchBucket</Code>"
_REFUSED_LISTING = re.compile("status code: 40[134]")
"""For a failed listing and a missing bucket, obstore gives the status in the message only."""


def open_bucket(name: str) -> "PlatformBucket":
    """The bucket of that name; region, endpoint and credentials come from the environment."""
    trust_one_bundle()
    store = S3Store(
        name,
        client_options={
            "timeout": f"{REQUEST_TIMEOUT_SECONDS}s",
            "connect_timeout": "2s",
            # obstore reads this variable only when no client options are given.
            "allow_http": os.environ.get("AWS_ALLOW_HTTP") == "true",
        },
        retry_config={
            "max_retries": MAX_RETRIES,
            "retry_timeout": timedelta(seconds=RETRY_TIMEOUT_SECONDS),
        },
    )
    return PlatformBucket(store)


class PlatformBucket:
    """A Bucket over an obstore store: S3, or memory."""

    def __init__(self, store: S3Store | MemoryStore) -> None:
        self._store = store

    def create(self, key: str, body: bytes, attributes: Mapping[str, str] | None = None) -> str | None:
        return self._put(key, body, "create", dict(attributes or {}))

    def replace(self, key: str, body: bytes, etag: str) -> bool:
        return self._put(key, body, {"e_tag": f'"{etag}"'}) is not None

    def get(self, key: str, expected: ExpectedObject | None = None) -> ObjectBody | None:
        try:
            found = obstore.get(self._store, key)
            same_object(expected, _bare(found.meta["e_tag"]), found.meta["size"])
            # A view: the bytes are not copied until a caller joins them.
            return ObjectBody(memoryview(found.bytes()), _bare(found.meta["e_tag"]))
        except _MISSING as fault:
            if _NO_BUCKET in str(fault):
                raise _failure(fault) from None
            return None
        except (BaseError, OSError) as fault:
            raise _failure(fault) from None

    def etag_of(self, key: str) -> str | None:
        try:
            return _bare(obstore.head(self._store, key)["e_tag"])
        except _MISSING:
            return None
        except (BaseError, OSError) as fault:
            raise _failure(fault) from None

    def delete(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        try:
            obstore.delete(self._store, keys)
        except (BaseError, OSError) as fault:
            raise _failure(fault) from None

    def under(self, prefix: str, after: str | None = None) -> Iterator[ListedObject]:
        """All objects whose key begins with `prefix`; with `after` only later keys, in the order of keys."""
        pages = obstore.list(self._store, prefix=whole_folder(prefix), offset=after)
        try:
            for page in pages:
                for each in page:
                    yield ListedObject(
                        each["path"], _bare(each["e_tag"]), each["size"], each["last_modified"]
                    )
        except (BaseError, OSError) as fault:
            raise _failure(fault) from None

    def _put(self, key: str, body: bytes, mode: Any, attributes: dict[str, str] | None = None) -> str | None:
        """Put `body`; None when the condition of `mode` fails."""
        try:
            put = obstore.put(self._store, key, body, mode=mode, attributes=attributes, use_multipart=False)
        except (AlreadyExistsError, PreconditionError) as fault:
            if _NO_BUCKET in str(fault):
                raise _failure(fault) from None
            return None
        except (BaseError, OSError) as fault:
            raise _failure(fault) from None
        return _bare(put["e_tag"])


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


def _failure(fault: Exception) -> BucketError:
    message = str(fault)
    if _NO_BUCKET in message:
        return BucketRefusedError("NoSuchBucket")
    refused = isinstance(fault, _REFUSED) or _REFUSED_LISTING.search(message)
    return (BucketRefusedError if refused else BucketUnavailableError)(type(fault).__name__)
