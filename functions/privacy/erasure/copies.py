"""Copies that were made of an account, as places of an erasure: archives, and those being made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.privacy.erasure.place import Time
from functions.privacy.export.archives import Archives, Unfinished
from functions.privacy.export.exports import Exports
from functions.privacy.export.record import Export
from functions.shared.buckets.contract import Bucket
from functions.shared.tenancy import TenantId, exports_prefix


@dataclass(frozen=True, slots=True)
class Copies:
    """Archives of `tenant` that were begun until `until`, in Unix seconds; None for all, whenever begun.

    Of an account they go, and so does what is uploaded of those being made. Of a person, archives go and what
    is being made begins anew, without what was erased. What is uploaded and noted nowhere, because who did it
    died or its note is erased already, is found at S3.
    """

    exports: Exports
    archives: Archives
    bucket: Bucket
    tenant: TenantId
    until: Callable[[], float | None]
    time: Time

    def count(self) -> int:
        return len(self._archives()) + len(self._being_made()) + len(self._left_behind())

    def remove(self) -> str | None:
        for export in self._being_made():
            self.archives.abort(export.object_key, export.progress.upload_id)
            # It may have been put together a moment ago: begun anew, it would pass for one of later.
            self.bucket.delete([export.object_key])
            self._anew(export)
        for upload in self._left_behind():
            self.archives.abort(upload.key, upload.upload_id)
        self.bucket.delete(self._archives())
        return None

    def _anew(self, export: Export) -> None:
        """Once the account is erased its table is emptied after this, and nobody makes it."""
        until = self.until()
        begins = self.time.now() if until is None else max(self.time.now(), until + 1)
        self.exports.begin_again(export, int(begins))

    def _being_made(self) -> list[Export]:
        found = self.exports.all(self.tenant)
        return [
            each
            for each in found
            if each.open and each.progress.upload_id and self._before(float(each.began_at))
        ]

    def _left_behind(self) -> list[Unfinished]:
        """Uploads of which no copy that is being made knows."""
        found = self.archives.unfinished(exports_prefix(self.tenant))
        known = (
            {each.progress.upload_id for each in self.exports.all(self.tenant) if each.open} if found else ()
        )
        return [each for each in found if each.upload_id not in known and self._before(each.begun_at)]

    def _archives(self) -> list[str]:
        """By the time they were begun; of one that nobody remembers, by when it was written."""
        begun = {each.object_key: float(each.began_at) for each in self.exports.all(self.tenant)}
        return [
            each.key
            for each in self.bucket.under(exports_prefix(self.tenant))
            if self._before(begun.get(each.key, _seconds(each.modified_at)))
        ]

    def _before(self, begun_at: float) -> bool:
        until = self.until()
        return until is None or begun_at <= until


def _seconds(at: datetime) -> float:
    return at.astimezone(UTC).timestamp()
