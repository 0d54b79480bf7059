"""The places of a person's erasure, in their order, built from the stores."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from functions.privacy.erasure.copies import Copies
from functions.privacy.erasure.files import Checkpoints, DroppedFiles, LastFile, later
from functions.privacy.erasure.objects import STILL_BEING_STAGED, Files
from functions.privacy.erasure.own_cloud import OwnPlace
from functions.privacy.erasure.place import Place, Time
from functions.privacy.erasure.reading import Reading
from functions.privacy.erasure.record import Erasure
from functions.privacy.erasure.rows import STATEMENT_TIMEOUT_SECONDS, EventRows, Traces
from functions.privacy.erasure.run import Work
from functions.privacy.erasure.subject import Subject
from functions.privacy.erasure.way_of_rows import STILL_BEING_WRITTEN, WAY_OF_ROWS, way_of_rows
from functions.privacy.export.archives import Archives
from functions.privacy.export.exports import Exports
from functions.privacy.holding import Holding
from functions.privacy.holdings import HOLDINGS
from functions.privacy.tables import Tables
from functions.shared.buckets.contract import Bucket
from functions.shared.custody.clouds import Custody
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonWorks:
    """The stores that the erasure of a person goes through.

    `custody`: the credentials of BYOC destinations; None in the function that reaches none of them.
    """

    tables: Tables
    exports: Exports
    archives: Archives
    drops: Files
    staging: Bucket
    exports_bucket: Bucket
    rows: EventRows
    time: Time
    custody: Custody | None = None

    def of(self, erasure: Erasure) -> Work:
        """The work for `erasure`, which is that of a person."""
        if erasure.subject is None:
            raise PermanentError("the erasure of a person has no subject")
        subject, asked_at = erasure.subject, datetime.fromtimestamp(erasure.requested_at, UTC)
        quiet_at = (asked_at + STILL_BEING_STAGED).timestamp()
        work = Work(erasure, quiet_at=quiet_at, settle_seconds=STILL_BEING_WRITTEN.total_seconds())

        def until() -> datetime:
            return later(asked_at, work.mark_of("last_file"))

        tenant, reading = subject.tenant, Reading(self.tables, holding_of("uploads"), subject.tenant)
        files = DroppedFiles(self.drops, reading, tenant, asked_at, self.time)
        work.places |= {
            "uploads": files,
            "last_file": LastFile(files, lambda: work.mark_of("last_file")),
            "checkpoints": Checkpoints(self.staging, reading, tenant, until, self.time),
            **way_of_rows(subject, until, self.staging, self.rows, self.time),
        }
        if erasure.byoc:
            custody = self._custody()
            work.places["own_checkpoints"] = OwnPlace(
                lambda: Checkpoints(custody.bucket(tenant), reading, tenant, until, self.time)
            )
            work.places |= {
                f"own_{name}": OwnPlace(partial(self._own_place, custody, name, subject, until))
                for name in WAY_OF_ROWS
            }
        work.places["traces"] = Traces(self.rows, tenant, lambda: work.mark_of("rows"), self.time)
        work.places["archives"] = self.copies(tenant, work.removed_at)
        return work

    def _custody(self) -> Custody:
        if self.custody is None:
            raise PermanentError("this function reaches no BYOC destination")
        return self.custody

    def _own_place(
        self, custody: Custody, name: str, subject: Subject, until: Callable[[], datetime]
    ) -> Place:
        bucket = custody.bucket(subject.tenant)
        warehouse = custody.warehouse(subject.tenant, STATEMENT_TIMEOUT_SECONDS)
        return way_of_rows(subject, until, bucket, EventRows(warehouse), self.time)[name]

    def copies(self, tenant: TenantId, until: Callable[[], float | None]) -> Copies:
        """Archives of `tenant` that were begun until then, in Unix seconds."""
        return Copies(self.exports, self.archives, self.exports_bucket, tenant, until, self.time)


def holding_of(table: str) -> Holding:
    """The entry of `table` in the data inventory."""
    return next(each for each in HOLDINGS if each.table == table)
