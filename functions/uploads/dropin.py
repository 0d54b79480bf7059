"""Drop-in: read files in our drop bucket into staged objects, whatever their format.

Trigger: SQS, with S3's notifications of files under `dropin/`, the sweeper's, or our own for a file that
continues. Promise: every record of a file is staged exactly once, or reported in the file's status. A file
that outlasts the invocation is paused between two objects and resumed by another invocation. A file of an
erased account is deleted unread. No account has more than its slots of the invocations; its cap and status
are checked before each object. Failure: the message is redelivered with backoff; a file that crashes its
reader is abandoned after five attempts, and its status says so.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.shared import journal
from functions.shared.access import BYOC
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.accounts.tombstones import TombstoneCache, Tombstones
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.drop_bucket import DropBucket, DroppedFile
from functions.shared.buckets.platform import open_bucket
from functions.shared.errors import RetryableError
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from functions.uploads.account_status import AccountStatuses
from functions.uploads.backlog import Backlogs, WaitingFile
from functions.uploads.counters import KeptOriginals, OpenUploads, StagedBytes
from functions.uploads.drop_worker import LEASE_MARGIN_SECONDS, NoSlot
from functions.uploads.file_place import FilePlace
from functions.uploads.file_processor import FileProcessor
from functions.uploads.files import DELETE
from functions.uploads.gate import ELSEWHERE, AccountGate, UsagePendingError
from functions.uploads.managed_drop_bucket import open_drops
from functions.uploads.notifications import is_file, tenant_of
from functions.uploads.queue import DropQueue, pause_seconds
from functions.uploads.register import HeldError, UploadRegister
from functions.uploads.slots import TenantSlot, TenantSlots
from functions.uploads.turns import FairTurns

FUNCTION = "dropin"


FILES_A_TURN = 10


@dataclass(frozen=True, slots=True)
class Settings:
    drop_bucket: str
    staging_bucket: str
    uploads_table: str
    accounts_table: str
    tombstones_table: str
    dropped_queue: str
    slots_a_tenant: int


@dataclass(frozen=True, slots=True)
class DropIn:
    """The parts of this function. `is_deleted`: whether an account was erased."""

    drops: DropBucket
    staging: Bucket
    statuses: AccountStatuses
    staged: StagedBytes
    slots: TenantSlots
    turns: FairTurns[TenantSlot]
    work: FileProcessor
    is_deleted: Callable[[TenantId], bool]

    def place(self, tenant: TenantId) -> FilePlace | None:
        """The place of the tenant's files; None when there is no such account."""
        account_status = self.statuses.of(tenant)
        if account_status is None:
            return None
        gate = AccountGate(tenant, self.statuses, self.staged, _refusal)
        refusal = _refusal(account_status, datetime.now(UTC).timestamp())
        return FilePlace(
            tenant, self.drops, self.staging, gate, account_status.retention_days, DELETE, refusal
        )


@dataclass(frozen=True, slots=True)
class _DropInInvocation:
    """The worker of functions.uploads.turns, for one invocation."""

    parts: DropIn
    seconds_left: Callable[[], float]

    def owner(self, file: DroppedFile) -> TenantId | None:
        """The tenant of a file in our drop bucket, else None; delete the file of an erased account.

        A PUT with a signed URL may end after the URL expired, and after the account was erased.
        """
        tenant = tenant_of(file.key)
        if file.bucket != self.parts.drops.name:
            journal.write("foreign_bucket", objects=1)
            return None
        if tenant is None or not is_file(file, tenant):
            return None
        if self.parts.is_deleted(tenant) and self.parts.statuses.of(tenant) is None:
            self.parts.drops.delete(file)
            journal.write("erased_tenant_dropped", objects=1)
            return None
        return tenant

    def lease_seconds(self) -> float:
        return self.seconds_left() + LEASE_MARGIN_SECONDS

    def no_slot(self, tenant: TenantId) -> NoSlot | None:
        return None if self.parts.slots.has_free(tenant) else NoSlot()

    def take_slot(self, tenant: TenantId) -> TenantSlot | NoSlot:
        return self.parts.slots.take(tenant, self.lease_seconds()) or NoSlot()

    def reject(self, files: Sequence[WaitingFile], slot: TenantSlot) -> list[WaitingFile]:
        try:
            place = self.parts.place(slot.tenant)
            if place is None or not place.refusal:
                return list(files)
            left = self.parts.work.refused.reject([each.dropped for each in files], place)
        except RetryableError:
            return list(files)
        return [each for each in files if each.dropped in left]

    def work(self, file: WaitingFile, slot: TenantSlot) -> int | None:
        try:
            if place := self.parts.place(slot.tenant):
                self.parts.work.do(file.dropped, place, self.seconds_left)
        except UsagePendingError:
            raise
        except HeldError as held:
            return held.seconds
        except RetryableError as fault:
            journal.write(
                "file_put_back",
                error_type=type(fault).__name__,
                reason=getattr(fault, "reason", ""),
                receive_count=file.receive_count,
            )
            return pause_seconds(file.receive_count)
        return None

    def release_slot(self, slot: TenantSlot) -> None:
        with suppress(StoreUnavailableError):
            self.parts.slots.release(slot)


@cache
def _drop_in() -> DropIn:
    settings = load(Settings)
    tombstones = TombstoneCache(Tombstones(settings.tombstones_table))
    queue = DropQueue(settings.dropped_queue, FUNCTION)
    table = settings.uploads_table
    return DropIn(
        open_drops(settings.drop_bucket),
        open_bucket(settings.staging_bucket),
        AccountStatuses(settings.accounts_table),
        StagedBytes(table),
        TenantSlots(table, settings.slots_a_tenant),
        FairTurns(queue, Backlogs(table), FILES_A_TURN),
        FileProcessor(
            UploadRegister(table), queue.publish, FUNCTION, OpenUploads(table), KeptOriginals(table)
        ),
        tombstones.is_deleted,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Process the files that the messages name; return the messages that must be redelivered."""
    return answer_to(event, lambda: context.get_remaining_time_in_millis() / 1000, _drop_in())


def answer_to(event: dict[str, Any], seconds_left: Callable[[], float], drop_in: DropIn) -> dict[str, Any]:
    """Like `handler`, with its parts given; `seconds_left`: the time until the invocation is stopped."""
    return drop_in.turns.answer_to(event, _DropInInvocation(drop_in, seconds_left))


def _refusal(account_status: AccountStatus, now: float) -> str:
    """The code with which files in our bucket are rejected for that account status; empty if accepted."""
    return ELSEWHERE if account_status.plan == BYOC else account_status.refusal(now)
