"""Exports of search results, as a place of a person's erasure."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.exports.export_files import ExportFiles
from functions.shared.exports.search_export import ID_PREFIX, ExportStore, SearchExport
from functions.shared.exports.search_exports import SearchExports
from functions.shared.tenancy import TenantId, exports_prefix


@dataclass(frozen=True, slots=True)
class SearchExportPlace:
    """The exports of `tenant` in `store` that were requested until `until`, in Unix seconds; None for all.

    They are aborted and deleted with their files and items, whatever their state: a file may have rows of the
    person, and the query of an export may name the person. Objects that no item records are deleted, too.

    `files`: opens the bucket. If an account has removed its destination, its files there stay, and the items
    are deleted.
    """

    exports: SearchExports
    files: Callable[[], ExportFiles]
    tenant: TenantId
    store: ExportStore
    until: Callable[[], float | None]

    def count(self) -> int:
        return len(self._exports()) + len(self._left_behind(self._opened()))

    def remove(self) -> str | None:
        files = self._opened()
        for export in self._exports():
            if files:
                files.delete(export)
            self.exports.delete(export)
            if files:
                # Its upload may just have been completed.
                files.bucket.delete([export.object_key])
        if files:
            files.bucket.delete(self._left_behind(files))
        return None

    def _opened(self) -> ExportFiles | None:
        try:
            return self.files()
        except NoDestinationError:
            return None

    def _exports(self) -> list[SearchExport]:
        found = self.exports.all(self.tenant)
        return [
            each
            for each in found
            if each.request.store == self.store and self._before(float(each.requested_at))
        ]

    def _left_behind(self, files: ExportFiles | None) -> list[str]:
        """The objects of exports without an item, which a run may have written after its item was deleted.

        Listed first: an export's item is older than its objects.
        """
        if files is None:
            return []
        prefix = f"{exports_prefix(self.tenant)}{ID_PREFIX}"
        listed = [each.key for each in files.bucket.under(exports_prefix(self.tenant))]
        known = tuple(each.folder for each in self.exports.all(self.tenant))
        return [key for key in listed if key.startswith(prefix) and not key.startswith(known)]

    def _before(self, at: float) -> bool:
        until = self.until()
        return until is None or at <= until
