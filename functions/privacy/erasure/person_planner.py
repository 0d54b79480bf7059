"""The places of a person's erasure, in their order, built from the stores."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.erasure.archive_place import ArchivePlace
from functions.privacy.erasure.byoc_place import ByocPlace
from functions.privacy.erasure.files import DroppedFiles, LastFile, LeftoverCheckpoints, later
from functions.privacy.erasure.objects import STILL_BEING_STAGED, Files
from functions.privacy.erasure.place import ErasureClock, ErasurePlace
from functions.privacy.erasure.record import Erasure
from functions.privacy.erasure.row_locations import ROW_LOCATIONS, STILL_BEING_WRITTEN, row_locations
from functions.privacy.erasure.rows import STATEMENT_TIMEOUT_SECONDS, EventRows, Traces
from functions.privacy.erasure.run import ErasureRun
from functions.privacy.erasure.search_export_place import SearchExportPlace
from functions.privacy.erasure.subject import Subject
from functions.privacy.erasure.uploaded_files import UploadedFiles
from functions.privacy.export.exports import Exports
from functions.privacy.inventory_entry import InventoryEntry
from functions.privacy.inventory_tables import InventoryTables
from functions.shared.buckets.contract import Bucket
from functions.shared.byoc.clients import ByocClients
from functions.shared.errors import PermanentError
from functions.shared.exports.archives import Archives
from functions.shared.exports.export_files import ExportFiles
from functions.shared.exports.search_exports import SearchExports
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonErasurePlanner:
    """The stores that the erasure of a person goes through.

    `byoc_clients`: the credentials of BYOC destinations; None in the function that reaches none of them.
    """

    tables: InventoryTables
    exports: Exports
    archives: Archives
    search_exports: SearchExports
    drops: Files
    staging: Bucket
    exports_bucket: Bucket
    rows: EventRows
    time: ErasureClock
    byoc_clients: ByocClients | None = None

    def of(self, erasure: Erasure) -> ErasureRun:
        """The work for `erasure`, which is that of a person."""
        if erasure.subject is None:
            raise PermanentError("the erasure of a person has no subject")
        subject, asked_at = erasure.subject, datetime.fromtimestamp(erasure.requested_at, UTC)
        quiet_at = (asked_at + STILL_BEING_STAGED).timestamp()
        work = ErasureRun(erasure, quiet_at=quiet_at, settle_seconds=STILL_BEING_WRITTEN.total_seconds())

        def until() -> datetime:
            return later(asked_at, work.mark_of("last_file"))

        tenant, reading = (
            subject.tenant,
            UploadedFiles(self.tables, inventory_entry_of("uploads"), subject.tenant),
        )
        files = DroppedFiles(self.drops, reading, tenant, asked_at, self.time)
        work.places |= {
            "uploads": files,
            "last_file": LastFile(files, lambda: work.mark_of("last_file")),
            "checkpoints": LeftoverCheckpoints(self.staging, reading, tenant, until, self.time),
            **row_locations(subject, until, self.staging, self.rows, self.time),
        }
        if erasure.byoc:
            byoc_clients = self._byoc_clients()
            work.places["own_checkpoints"] = ByocPlace(
                lambda: LeftoverCheckpoints(byoc_clients.bucket(tenant), reading, tenant, until, self.time)
            )
            work.places |= {
                f"own_{name}": ByocPlace(partial(self._own_place, byoc_clients, name, subject, until))
                for name in ROW_LOCATIONS
            }
        work.places["traces"] = Traces(self.rows, tenant, lambda: work.mark_of("rows"), self.time)
        work.places["search_exports"] = self._search_exports(tenant, work.removed_at)
        if erasure.byoc:
            work.places["own_search_exports"] = self._own_search_exports(tenant, work.removed_at)
        work.places["archives"] = self.copies(tenant, work.removed_at)
        return work

    def _byoc_clients(self) -> ByocClients:
        if self.byoc_clients is None:
            raise PermanentError("this function reaches no BYOC destination")
        return self.byoc_clients

    def _own_place(
        self, byoc_clients: ByocClients, name: str, subject: Subject, until: Callable[[], datetime]
    ) -> ErasurePlace:
        bucket = byoc_clients.bucket(subject.tenant)
        warehouse = byoc_clients.warehouse(subject.tenant, STATEMENT_TIMEOUT_SECONDS)
        return row_locations(subject, until, bucket, EventRows(warehouse), self.time)[name]

    def _search_exports(self, tenant: TenantId, until: Callable[[], float | None]) -> ErasurePlace:
        files = ExportFiles(self.archives, self.exports_bucket)
        return SearchExportPlace(self.search_exports, lambda: files, tenant, "managed", until)

    def _own_search_exports(self, tenant: TenantId, until: Callable[[], float | None]) -> ErasurePlace:
        byoc_clients = self._byoc_clients()

        def files() -> ExportFiles:
            return ExportFiles(byoc_clients.archives(tenant), byoc_clients.bucket(tenant))

        return ByocPlace(lambda: SearchExportPlace(self.search_exports, files, tenant, "byoc", until))

    def copies(self, tenant: TenantId, until: Callable[[], float | None]) -> ArchivePlace:
        """Archives of `tenant` that were begun until then, in Unix seconds."""
        return ArchivePlace(self.exports, self.archives, self.exports_bucket, tenant, until, self.time)


def inventory_entry_of(table: str) -> InventoryEntry:
    """The entry of `table` in the data inventory."""
    return next(each for each in DATA_INVENTORY if each.table == table)
