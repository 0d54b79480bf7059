"""Data exports of an account, as places of an erasure: finished archives and exports in progress."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.privacy.erasure.place import ErasureClock
from functions.privacy.export.exports import Exports
from functions.privacy.export.record import Export
from functions.shared.buckets.contract import Bucket
from functions.shared.exports.archives import Archives, Unfinished
from functions.shared.tenancy import TenantId, exports_prefix


@dataclass(frozen=True, slots=True)
class ArchivePlace:
    """Archives of `tenant` that were begun until `until`, in Unix seconds; None for all, whenever begun.

    Erasing an account deletes archives and uploads in progress. Erasing a person deletes archives, and
    exports in progress begin again without the erased rows. Uploads that no item records, because the run
    died or the item is already erased, are found by listing S3.
    """

    exports: Exports
    archives: Archives
    bucket: Bucket
    tenant: TenantId
    until: Callable[[], float | None]
    time: ErasureClock

    def count(self) -> int:
        return len(self._archives()) + len(self._being_made()) + len(self._left_behind())

    def remove(self) -> str | None:
        for export in self._being_made():
            self.archives.abort(export.object_key, export.progress.upload_id)
            # Its upload may just have been completed: once restarted, it would count as a later export.
            self.bucket.delete([export.object_key])
            self._restart(export)
        for upload in self._left_behind():
            self.archives.abort(upload.key, upload.upload_id)
        self.bucket.delete(self._archives())
        return None

    def _restart(self, export: Export) -> None:
        """If the account is erased, its table is emptied after this and no exporter continues the export."""
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
        """Uploads that belong to no export in progress."""
        found = self.archives.unfinished(exports_prefix(self.tenant))
        known = (
            {each.progress.upload_id for each in self.exports.all(self.tenant) if each.open} if found else ()
        )
        return [each for each in found if each.upload_id not in known and self._before(each.begun_at)]

    def _archives(self) -> list[str]:
        """Compared by the time they were begun; if no item records that, by the time they were written."""
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
