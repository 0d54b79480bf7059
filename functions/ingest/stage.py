"""The staged object, put: on return it is durable in S3, under a key that is never written twice."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError
from obstore.store import S3Store

from functions.ingest.rows import Receipt
from functions.shared import journal
from functions.shared.errors import RefusalError
from functions.shared.staging import SCHEMA_VERSION, StagedKey, base32, time_ordered_id
from functions.shared.tenancy import idempotency_prefix

IDEMPOTENCY_WINDOW = timedelta(hours=24)
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
        key = str(_key(time_ordered_id(), package, receipt))
        self._create(key, package)
        return key

    def put_once(self, package: Package, receipt: Receipt, idempotency_key: str) -> str:
        """Stage `package` unless `idempotency_key` was used in the last 24 h; return the key of either.

        A mark, created before the object, holds the object's key: whoever comes second, at the same moment
        or a day later, writes to the same key and finds it taken. Should sync have loaded and deleted it by
        then, the second object is created, and the ledger, which goes by key, knows it as loaded.
        """
        named = sha256(f"{receipt.tenant}\0{idempotency_key}".encode()).hexdigest()
        key = self._marked(idempotency_prefix(receipt.tenant) + named, package, receipt)
        if StagedKey.parse(key).rows != package.rows:
            raise RefusalError(
                409,
                "idempotency_key_reused",
                "This Idempotency-Key was used for another batch in the last 24 h.",
            )
        self._create(key, package)
        return key

    def wait_until_loaded(self, key: str, seconds: float) -> bool:
        """Whether sync has taken the object away, which it does once its rows can be found."""
        until = time.monotonic() + seconds
        pause = _FIRST_LOOK_SECONDS
        while time.monotonic() + pause < until:
            time.sleep(pause)
            pause = _LOOK_EVERY_SECONDS
            try:
                obstore.head(self._store, key)
            except (FileNotFoundError, NotFoundError):
                return True
            except BaseError:
                continue
        return False

    def _marked(self, mark: str, package: Package, receipt: Receipt) -> str:
        """The key that `mark` holds; ours, if there is no mark yet or it is too old to count."""
        fresh = str(_key(time_ordered_id(), package, receipt))
        if self._put(mark, _mark(fresh, receipt.received_at)):
            return fresh
        marked, since = _read_mark(self._get(mark))
        if receipt.received_at - since < IDEMPOTENCY_WINDOW:
            return marked
        # Derived from the old key, so that two who find the mark too old at once agree on the new one.
        successor = base32(int.from_bytes(sha256(marked.encode()).digest()[:16], "big"))
        key = str(_key(successor, package, receipt))
        self._put(mark, _mark(key, receipt.received_at), replace=True)
        return key

    def _create(self, key: str, package: Package) -> None:
        """An object that is already there is our own, put by an attempt whose answer was lost."""
        attributes = {
            "Content-Type": "application/zstd",
            "rows": str(package.rows),
            "raw-bytes": str(package.raw_bytes),
            "schema-version": SCHEMA_VERSION,
        }
        self._put(key, package.frames, attributes)

    def _put(
        self, key: str, body: bytes, attributes: dict[str, str] | None = None, *, replace: bool = False
    ) -> bool:
        """Put `body`; False when the key is taken."""
        mode: Literal["create", "overwrite"] = "overwrite" if replace else "create"
        try:
            obstore.put(self._store, key, body, mode=mode, attributes=attributes, use_multipart=False)
        except (AlreadyExistsError, PreconditionError):
            return False
        except (BaseError, OSError) as fault:
            raise _unavailable(fault) from None
        return True

    def _get(self, key: str) -> bytes:
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (BaseError, OSError) as fault:
            raise _unavailable(fault) from None


def _key(object_id: str, package: Package, receipt: Receipt) -> StagedKey:
    return StagedKey(
        tenant=receipt.tenant,
        day=receipt.received_at.date(),
        object_id=object_id,
        rows=package.rows,
        expires_on=receipt.expires_on,
    )


def _mark(key: str, since: datetime) -> bytes:
    return f"{since.isoformat()} {key}".encode()


def _read_mark(body: bytes) -> tuple[str, datetime]:
    since, _, key = body.decode().partition(" ")
    return key, datetime.fromisoformat(since)


def _unavailable(fault: Exception) -> RefusalError:
    journal.write("staging_unavailable", error_type=type(fault).__name__)
    return RefusalError(
        503,
        "staging_unavailable",
        "The logs could not be stored just now and none were: send them again.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
