"""The quarantine documents of one tenant, in S3."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from backports import zstd

from functions.shared.buckets.contract import Bucket, BucketError, BucketUnavailableError
from functions.shared.errors import AstralogError, HttpError, PermanentError
from functions.shared.events.encoding import billed_bytes
from functions.shared.events.staged_key import SCHEMA_VERSION, StagedKey
from functions.shared.quarantine import QuarantineHeader, document_id_of, document_key, unpack
from functions.shared.tenancy import TenantId, quarantine_prefix

MAX_LISTED = 1000

UNREADABLE = "unreadable_document"

_REPLAYED = "p"


@dataclass(frozen=True, slots=True)
class QuarantineDocument:
    """One document: its id, its header (reason and source), and the rows as they were staged."""

    document_id: str
    header: QuarantineHeader
    rows: list[bytes]


class QuarantineStore:
    """Read, replay and list documents.

    When S3 fails, every method raises the error that `unavailable` returns: by default the BucketError.
    """

    def __init__(
        self, bucket: Bucket, unavailable: Callable[[BucketError], AstralogError] = lambda fault: fault
    ) -> None:
        self._bucket = bucket
        self._unavailable = unavailable

    def listed(self, tenant: TenantId, most: int | None = MAX_LISTED) -> tuple[list[str], list[str]]:
        """The ids of the tenant's documents, oldest first, and the names in its folder that are no ids.

        At most `most` of each; all when `most` is None.
        """
        prefix = quarantine_prefix(tenant)
        try:
            names = sorted(each.key.removeprefix(prefix) for each in self._bucket.under(prefix))
        except BucketError as fault:
            raise self._unavailable(fault) from None
        ids = [found for name in names if (found := document_id_of(name))]
        strangers = [name for name in names if document_id_of(name) is None]
        return ids[:most], strangers[:most]

    def read(self, tenant: TenantId, document_id: str) -> QuarantineDocument:
        """The tenant's document with this id.

        Raises
        ------
        HttpError: 404 `not_found`, also for another tenant's document; 409 `UNREADABLE` for an object that
            is no valid document of this tenant.
        """
        try:
            found = self._bucket.get(document_key(tenant, document_id))
        except PermanentError:
            raise _not_found() from None
        except BucketError as fault:
            raise self._unavailable(fault) from None
        if found is None:
            raise _not_found()
        try:
            document = QuarantineDocument(document_id, *unpack(bytes(found.body)))
            source = StagedKey.parse(document.header.source)
        except PermanentError:
            raise _unreadable() from None
        if source.tenant != tenant or not document.rows:
            raise _unreadable()
        return document

    def replay(self, tenant: TenantId, document: QuarantineDocument, today: date) -> int:
        """Stage the document's rows again, for sync to load, and return their count. Repeats load them once.

        Raises
        ------
        HttpError: 409 `expired` when the rows are past retention; expired rows are not restored.
        """
        if document.header.expires_on < today:
            raise HttpError(409, "expired", "These rows have expired and cannot be replayed.")
        source = StagedKey.parse(document.header.source)
        lines = b"\n".join(document.rows) + b"\n"
        key = source._replace(
            object_id=document.document_id + _REPLAYED,
            rows=len(document.rows),
            raw_bytes=billed_bytes(document.rows),
        )
        body = zstd.compress(lines, 1)
        attributes = {"rows": str(len(document.rows)), "schema-version": SCHEMA_VERSION}
        try:
            taken = self._bucket.create(str(key), body, attributes) is None
            if taken and self._bucket.etag_of(str(key)) is None:
                raise BucketUnavailableError("the rows are being staged by another request")
            self._bucket.delete([document_key(tenant, document.document_id)])
        except BucketError as fault:
            raise self._unavailable(fault) from None
        return len(document.rows)


def _not_found() -> HttpError:
    return HttpError(404, "not_found", "There is no quarantine document with this id.")


def _unreadable() -> HttpError:
    return HttpError(409, UNREADABLE, "The object with this id is not a valid quarantine document.")
