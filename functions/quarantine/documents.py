"""The quarantine documents of one tenant, in S3."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import obstore
from backports import zstd
from obstore.exceptions import AlreadyExistsError, BaseError

from functions.shared.errors import PermanentError, RefusalError
from functions.shared.quarantine import SUFFIX, Header, document_key, unpack
from functions.shared.staging import SCHEMA_VERSION, StagedKey
from functions.shared.tenancy import TenantId, quarantine_prefix

MAX_LISTED = 1000

_REPLAYED = "p"


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its id, why and whence it came, and the rows as they were staged."""

    document_id: str
    header: Header
    rows: list[bytes]


class Documents:
    """Reads, replays and deletes. Every method raises RefusalError 503 when S3 fails."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def ids(self, tenant: TenantId) -> list[str]:
        """The ids of the tenant's documents, oldest first, at most MAX_LISTED."""
        prefix = quarantine_prefix(tenant)
        try:
            paths = [each["path"] for some in obstore.list(self._store, prefix=prefix) for each in some]
        except BaseError:
            raise _unavailable() from None
        return [path.removeprefix(prefix).removesuffix(SUFFIX) for path in sorted(paths)[:MAX_LISTED]]

    def read(self, tenant: TenantId, document_id: str) -> Document:
        """The tenant's document of that id.

        Raises
        ------
        RefusalError: 404, also for another tenant's.
        """
        try:
            found = obstore.get(self._store, document_key(tenant, document_id))
            return Document(document_id, *unpack(bytes(found.bytes())))
        except (PermanentError, FileNotFoundError):
            raise RefusalError(404, "not_found", "There is no such quarantine document.") from None
        except BaseError:
            raise _unavailable() from None

    def replay(self, tenant: TenantId, document: Document, today: date) -> int:
        """Stage the document's rows again, for sync to load; return how many. Twice is once.

        Raises
        ------
        RefusalError: 409, when the rows' days are over: what has expired is not brought back.
        """
        if document.header.expires_on < today:
            raise RefusalError(409, "expired", "These rows have expired since: they are not brought back.")
        source = StagedKey.parse(document.header.source)
        key = replace(source, object_id=document.document_id + _REPLAYED, rows=len(document.rows))
        body = zstd.compress(b"\n".join(document.rows) + b"\n", 1)
        attributes = {"rows": str(len(document.rows)), "schema-version": SCHEMA_VERSION}
        try:
            obstore.put(self._store, str(key), body, mode="create", attributes=attributes)
        except AlreadyExistsError:
            pass
        except BaseError:
            raise _unavailable() from None
        self._forget(document_key(tenant, document.document_id))
        return len(document.rows)

    def _forget(self, key: str) -> None:
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return
        except BaseError:
            raise _unavailable() from None


def _unavailable() -> RefusalError:
    return RefusalError(503, "storage_unavailable", "S3 did not answer: try again.", retry_after_seconds=1)
