"""Drop-in of BYOC: read files in customers' buckets into staged objects in the same buckets.

Trigger: SQS, with the notifications of customers' buckets, the sweeper's, or our own for a file that
continues. Promise: that of functions.uploads.dropin, while we store nothing of a file but its name and
status. A message counts only for the tenant under whose prefix the file is, in that tenant's own bucket. A
message that names another bucket is ignored before a slot is taken or credentials are decrypted. At most two
invocations work for a tenant at a time, and none while its bucket is known to fail.
Failure: messages are redelivered with backoff; a bucket that keeps denying access settles the file as failed.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from functions.shared import journal
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.buckets.contract import BucketError, BucketRefusedError
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.byoc.buckets import NoDestinationError, destination_store
from functions.shared.byoc.health import MAX_PAUSE_SECONDS, HealthStore, Slot, SlotWait
from functions.shared.byoc.settings import ByocSettings
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.notifications import NotifyingBucket, QueueNotifier
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tenancy import TenantId, own_drops
from functions.uploads.account_status import AccountStatuses
from functions.uploads.backlog import Backlogs, WaitingFile
from functions.uploads.bucket_names import BucketNameCache
from functions.uploads.counters import KeptOriginals, OpenUploads, StagedBytes
from functions.uploads.customer_buckets import CustomerDropBuckets, customer_drop_buckets
from functions.uploads.drop_worker import LEASE_MARGIN_SECONDS, NoSlot
from functions.uploads.file_place import FilePlace
from functions.uploads.file_processor import FileProcessor
from functions.uploads.files import KEEP
from functions.uploads.gate import AccountGate, UsagePendingError
from functions.uploads.notifications import is_file, tenant_of
from functions.uploads.queue import DropQueue, pause_seconds
from functions.uploads.register import HeldError, UploadRegister
from functions.uploads.turns import FairTurns

FUNCTION = "dropin-byoc"

REFUSED_RECEIVES = 12
"""About two hours of denied access."""

FILES_A_TURN = 1
"""The health of the bucket that a file shows is recorded before the next file."""


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    uploads_table: str
    accounts_table: str
    health_table: str
    dropped_queue: str
    byoc_queue: str


@dataclass(frozen=True, slots=True)
class ByocDropIn:
    """The parts of this function."""

    customer_buckets: CustomerDropBuckets
    bucket_names: BucketNameCache
    statuses: AccountStatuses
    staged: StagedBytes
    health: HealthStore
    notifier: QueueNotifier
    turns: FairTurns[Slot]
    work: FileProcessor

    def place(self, tenant: TenantId, now: float) -> FilePlace | None:
        """Where the tenant's files are and where their rows go; None when the tenant is not BYOC."""
        try:
            destination = self.customer_buckets.destination(tenant)
        except NoDestinationError:
            return None
        account_status = self.statuses.of(tenant)
        staging = NotifyingBucket(self.customer_buckets.bucket(tenant), self.notifier, tenant, FUNCTION)
        return FilePlace(
            tenant,
            self.customer_buckets.drops(tenant),
            staging,
            AccountGate(tenant, self.statuses, self.staged, AccountStatus.refusal),
            destination.retention_days,
            KEEP,
            account_status.refusal(now) if account_status else "",
            is_theirs=True,
        )


@dataclass(slots=True)
class _ByocDropInInvocation:
    """The worker of functions.uploads.turns, for one invocation. `is_slot_held`: its slot is not released."""

    parts: ByocDropIn
    seconds_left: Callable[[], float]
    is_slot_held: bool = False

    def owner(self, file: DroppedFile) -> TenantId | None:
        """The tenant of the prefix, if the bucket is the tenant's; files in other buckets are ignored."""
        tenant = tenant_of(file.key)
        if tenant is None or not is_file(file, tenant):
            return None
        if not self.parts.bucket_names.is_bucket_of(tenant, file.bucket):
            journal.write("foreign_bucket", objects=1)
            return None
        return tenant

    def lease_seconds(self) -> float:
        return self.seconds_left() + LEASE_MARGIN_SECONDS

    def no_slot(self, tenant: TenantId) -> NoSlot | None:
        wait = self.parts.health.wait(own_drops(tenant))
        return None if wait is None else NoSlot(wait.seconds)

    def take_slot(self, tenant: TenantId) -> Slot | NoSlot:
        slot = self.parts.health.take(own_drops(tenant), str(uuid4()), self.lease_seconds())
        if isinstance(slot, SlotWait):
            return NoSlot(slot.seconds)
        self.is_slot_held = True
        return slot

    def reject(self, files: Sequence[WaitingFile], slot: Slot) -> list[WaitingFile]:  # noqa: ARG002
        tenant = tenant_of(files[0].dropped.key)
        try:
            place = None if tenant is None else self.parts.place(tenant, time.time())
            if place is None or not place.refusal:
                return list(files)
            in_bucket = [each.dropped for each in files if each.dropped.bucket == place.drops.name]
            left = self.parts.work.refused.reject(in_bucket, place)
        except (RetryableError, PermanentError):
            return list(files)
        return [each for each in files if each.dropped not in in_bucket or each.dropped in left]

    def work(self, file: WaitingFile, slot: Slot) -> int | None:
        """Process the file, and record the health of the tenant's bucket."""
        tenant = tenant_of(file.dropped.key)
        if tenant is None:
            return None
        try:
            return self._in_slot(file, tenant, slot)
        except UsagePendingError:
            raise
        except (RetryableError, PermanentError) as fault:
            # Permanent: undecryptable credentials or a rejected address. Only the customer can fix that.
            journal.write("file_put_back", tenant_id=tenant, error_type=type(fault).__name__)
            return pause_seconds(file.receive_count)

    def release_slot(self, slot: Slot) -> None:
        if self.is_slot_held:
            self.is_slot_held = False
            with suppress(RetryableError):
                self.parts.health.release(slot)

    def _in_slot(self, file: WaitingFile, tenant: TenantId, slot: Slot) -> int | None:
        is_last_try = file.receive_count >= REFUSED_RECEIVES
        try:
            place = self.parts.place(tenant, time.time())
            # Checked again, now against the encrypted destination.
            if place is None or place.drops.name != file.dropped.bucket:
                return None
            self.parts.work.do(file.dropped, place, self.seconds_left, is_last_try=is_last_try)
        except HeldError as held:
            return held.seconds
        except BucketError as fault:
            return self._failed(tenant, slot, fault, file)
        self.is_slot_held = False
        self.parts.health.record_success(slot)
        return None

    def _failed(self, tenant: TenantId, slot: Slot, fault: BucketError, file: WaitingFile) -> int:
        if isinstance(fault, BucketRefusedError):
            self.parts.customer_buckets.evict(tenant)
        self.is_slot_held = False
        condition = self.parts.health.record_failure(slot, fault.reason)
        return _pause(SlotWait(condition, self.parts.health.seconds_until_resume(condition)), file)


@cache
def _drop_in() -> ByocDropIn:
    settings = load(Settings)
    queue = DropQueue(settings.dropped_queue, FUNCTION)
    table = settings.uploads_table
    return ByocDropIn(
        customer_drop_buckets(settings),
        BucketNameCache(destination_store(settings).summary),
        AccountStatuses(settings.accounts_table),
        StagedBytes(table),
        HealthStore(settings.health_table),
        QueueNotifier(settings.byoc_queue, FUNCTION),
        FairTurns(queue, Backlogs(table), FILES_A_TURN),
        FileProcessor(
            UploadRegister(table), queue.publish, FUNCTION, OpenUploads(table), KeptOriginals(table)
        ),
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Process the files that the messages name; return the messages that must be redelivered."""
    return answer_to(event, lambda: context.get_remaining_time_in_millis() / 1000, _drop_in())


def answer_to(
    event: dict[str, Any], seconds_left: Callable[[], float], drop_in: ByocDropIn
) -> dict[str, Any]:
    """Like `handler`, with its parts given; `seconds_left`: the time until the invocation is stopped."""
    return drop_in.turns.answer_to(event, _ByocDropInInvocation(drop_in, seconds_left))


def _pause(wait: SlotWait, file: WaitingFile) -> int:
    if wait.seconds is None:
        return pause_seconds(file.receive_count)
    return min(MAX_PAUSE_SECONDS, max(1, math.ceil(wait.seconds)))
