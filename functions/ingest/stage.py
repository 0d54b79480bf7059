"""The staged object, put: on return it is durable in S3, under a key that is never written twice."""

import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError
from obstore.store import S3Store

from functions.ingest.idempotency import Mark, Once
from functions.ingest.rows import Receipt
from functions.shared import journal
from functions.shared.errors import RefusalError
from functions.shared.staging import SCHEMA_VERSION, StagedKey, time_ordered_id
from functions.shared.tenancy import idempotency_prefix

RETRY_AFTER_SECONDS = 1

_FIRST_LOOK_SECONDS = 0.1
_LOOK_EVERY_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Package:
    """What goes into one object: `frames`, concatenated zstd frames of NDJSON; `raw_bytes` before zstd."""

    frames: bytes
    rows: int
    raw_bytes: int


class Staging:
    """Puts packages into one bucket. Every method raises RefusalError 503 when S3 does not take it."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def put(self, package: Package, receipt: Receipt) -> str:
        """Stage `package` under a new key, and return the key."""
        key = _new_key(package, receipt)
        self._create(key, package)
        return key

    def put_once(self, package: Package, receipt: Receipt, once: Once) -> str:
        """Stage `package` unless its key was used in the last 24 h; return the staged key of either.

        A mark, created before the object, holds the object's key: whoever comes second, at the same moment
        or a day later, writes to the same key and finds it taken. Should sync have loaded and deleted it by
        then, the second object is created, and the ledger, which goes by key, knows it as loaded.
        """
        mark = self._marked(
            Mark(_new_key(package, receipt), receipt.received_at, once.fingerprint), receipt, once
        )
        if mark.fingerprint != once.fingerprint or StagedKey.parse(mark.key).rows != package.rows:
            raise RefusalError(
                409,
                "idempotency_key_reused",
                "This Idempotency-Key was used for another batch in the last 24 h.",
            )
        self._create(mark.key, package)
        return mark.key

    def wait_until_loaded(self, key: str, seconds: float) -> bool:
        """Whether sync has taken the object away, which it does once its rows can be found."""
        until = time.monotonic() + seconds
        pause = _FIRST_LOOK_SECONDS
        while time.monotonic() + pause < until:
            time.sleep(pause)
            pause = _LOOK_EVERY_SECONDS
            with suppress(RefusalError):
                if not self._is_there(key):
                    return True
        return False

    def _marked(self, ours: Mark, receipt: Receipt, once: Once) -> Mark:
        """The mark that counts: `ours`, unless there is another that is not too old."""
        named = sha256(f"{receipt.tenant}\0{once.key}".encode()).hexdigest()
        path = idempotency_prefix(receipt.tenant) + named
        if self._put(path, ours.encoded(), "create"):
            return ours
        theirs, e_tag = self._read_mark(path)
        if theirs.counts_at(receipt.received_at):
            return theirs
        if self._put(path, ours.encoded(), {"e_tag": e_tag}):
            return ours
        # Somebody else found it too old at the same moment, and was first.
        theirs, _ = self._read_mark(path)
        if not theirs.counts_at(receipt.received_at):
            raise _unavailable("Conflict")
        return theirs

    def _create(self, key: str, package: Package) -> None:
        """An object that is already there is our own, put by an attempt whose answer was lost.

        S3 says "conflict" too while somebody else writes the key, who may yet fail: hence the second look.
        """
        attributes = {
            "Content-Type": "application/zstd",
            "rows": str(package.rows),
            "raw-bytes": str(package.raw_bytes),
            "schema-version": SCHEMA_VERSION,
        }
        if not self._put(key, package.frames, "create", attributes) and not self._is_there(key):
            raise _unavailable("Conflict")

    def _put(self, key: str, body: bytes, mode: Any, attributes: dict[str, str] | None = None) -> bool:
        """Put `body`; False when `mode`'s condition does not hold: the key is taken, or was changed."""
        try:
            obstore.put(self._store, key, body, mode=mode, attributes=attributes, use_multipart=False)
        except (AlreadyExistsError, PreconditionError):
            return False
        except (BaseError, OSError) as fault:
            raise _unavailable(type(fault).__name__) from None
        return True

    def _is_there(self, key: str) -> bool:
        try:
            obstore.head(self._store, key)
        except (FileNotFoundError, NotFoundError):
            return False
        except (BaseError, OSError) as fault:
            raise _unavailable(type(fault).__name__) from None
        return True

    def _read_mark(self, path: str) -> tuple[Mark, str | None]:
        """A mark and its ETag."""
        try:
            found = obstore.get(self._store, path)
            return Mark.decode(bytes(found.bytes())), found.meta["e_tag"]
        except (BaseError, OSError) as fault:
            raise _unavailable(type(fault).__name__) from None


def _new_key(package: Package, receipt: Receipt) -> str:
    return str(
        StagedKey(
            tenant=receipt.tenant,
            day=receipt.received_at.date(),
            object_id=time_ordered_id(),
            rows=package.rows,
            expires_on=receipt.expires_on,
        )
    )


def _unavailable(error_type: str) -> RefusalError:
    journal.write("staging_unavailable", error_type=error_type)
    return RefusalError(
        503,
        "staging_unavailable",
        "The logs could not be stored just now and none were: send them again.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
