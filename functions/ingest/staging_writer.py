"""The staged object, put: on return it is durable in S3, under a key that is never written twice."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from functions.ingest.idempotency import IdempotencyKey, IdempotencyMark
from functions.shared import journal
from functions.shared.buckets.contract import Bucket, BucketError, BucketUnavailableError
from functions.shared.errors import HttpError
from functions.shared.events.package import Package, put_package
from functions.shared.events.row import ReceiptContext
from functions.shared.events.staged_key import StagedKey
from functions.shared.tenancy import idempotency_prefix

RETRY_AFTER_SECONDS = 1

_FIRST_LOOK_SECONDS = 0.1
_LOOK_EVERY_SECONDS = 0.3


class StagingWriter:
    """Puts packages into one bucket; raises HttpError 503 when the bucket fails.

    `refusal` makes another error when the bucket is the customer's.
    """

    def __init__(self, bucket: Bucket, refusal: Callable[[BucketError], HttpError] | None = None) -> None:
        self._bucket = bucket
        self._refusal = refusal or _unavailable

    def put(self, package: Package, receipt: ReceiptContext, object_id: str | None = None) -> str:
        """Stage `package` under the key of `receipt`, or of `object_id`, and return the key.

        The rows keep the id of `receipt`, which is ordered in time more finely.
        """
        key = _new_key(package, receipt, object_id)
        with self._http_errors():
            put_package(self._bucket, key, package)
        return key

    def put_once(self, package: Package, receipt: ReceiptContext, once: IdempotencyKey) -> str:
        """Stage `package` unless its key was used in the last 24 h; return the staged key of either.

        A mark, created before the object, holds the object's key: a second request, at the same moment
        or a day later, writes to the same key and finds it taken. Should sync have loaded and deleted it by
        then, the second object is created, and the ledger, which goes by key, knows it as loaded.
        """
        ours = IdempotencyMark(_new_key(package, receipt), receipt.received_at, once.fingerprint)
        with self._http_errors():
            mark = self._claim_mark(ours, receipt, once)
        if mark.fingerprint != once.fingerprint or StagedKey.parse(mark.key).rows != package.rows:
            raise HttpError(
                409,
                "idempotency_key_reused",
                "This Idempotency-Key was used for another batch in the last 24 h.",
            )
        with self._http_errors():
            put_package(self._bucket, mark.key, package)
        return mark.key

    def wait_until_loaded(self, key: str, seconds: float) -> bool:
        """Whether sync has taken the object away, which it does once its rows can be found."""
        until = time.monotonic() + seconds
        pause = _FIRST_LOOK_SECONDS
        while time.monotonic() + pause < until:
            time.sleep(pause)
            pause = _LOOK_EVERY_SECONDS
            with suppress(BucketError):
                if self._bucket.etag_of(key) is None:
                    return True
        return False

    @contextmanager
    def _http_errors(self) -> Iterator[None]:
        """What the bucket did not do, in the words of a route."""
        try:
            yield
        except BucketError as fault:
            raise self._refusal(fault) from None

    def _claim_mark(
        self, ours: IdempotencyMark, receipt: ReceiptContext, once: IdempotencyKey
    ) -> IdempotencyMark:
        """The mark that counts: `ours`, unless there is another that is not too old."""
        from hashlib import sha256  # OpenSSL: only for requests with a key

        named = sha256(f"{receipt.tenant}\0{once.key}".encode()).hexdigest()
        path = idempotency_prefix(receipt.tenant) + named
        if self._bucket.create(path, ours.encoded()) is not None:
            return ours
        theirs, etag = self._read_mark(path)
        if theirs.is_valid_at(receipt.received_at):
            return theirs
        if self._bucket.replace(path, ours.encoded(), etag):
            return ours
        # Another request found it too old at the same moment, and was first.
        theirs, _ = self._read_mark(path)
        if not theirs.is_valid_at(receipt.received_at):
            raise BucketUnavailableError("Conflict")
        return theirs

    def _read_mark(self, path: str) -> tuple[IdempotencyMark, str]:
        """A mark and its ETag; a conflicting key that cannot be read is a write in flight."""
        found = self._bucket.get(path)
        if found is None:
            raise BucketUnavailableError("Conflict")
        return IdempotencyMark.decode(bytes(found.body)), found.etag


def _new_key(package: Package, receipt: ReceiptContext, object_id: str | None = None) -> str:
    return str(
        StagedKey(
            tenant=receipt.tenant,
            day=receipt.received_at.date(),
            object_id=object_id or receipt.object_id,
            rows=package.rows,
            raw_bytes=package.raw_bytes,
            expires_on=receipt.expires_on,
        )
    )


def _unavailable(fault: BucketError) -> HttpError:
    return staging_unavailable(fault.reason)


def staging_unavailable(reason: str) -> HttpError:
    """The 503 for a failure on our side: logs cannot be accepted now."""
    journal.write("staging_unavailable", error_type=reason)
    return HttpError(
        503,
        "staging_unavailable",
        "The logs could not be stored just now and none were: send them again.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
