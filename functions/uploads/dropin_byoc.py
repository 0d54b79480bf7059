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
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from functions.shared import journal
from functions.shared.account.standing import Standing
from functions.shared.buckets.contract import BucketError, BucketRefusedError
from functions.shared.buckets.drops import Dropped
from functions.shared.custody.bucket_names import RecentBucketNames
from functions.shared.custody.buckets import NoDestinationError, destinations
from functions.shared.custody.health import MAX_PAUSE_SECONDS, Health, Slot, Wait
from functions.shared.custody.settings import CustodySettings
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.telling import NotifyingBucket, Teller
from functions.shared.tenancy import TenantId, own_drops
from functions.uploads.counters import KeptOriginals, OpenUploads, StagedBytes
from functions.uploads.files import KEEP
from functions.uploads.gate import AccountGate, UsagePendingError
from functions.uploads.notices import Message, is_file, tenant_of
from functions.uploads.own_clouds import DropCustody, drop_custody
from functions.uploads.queue import DropQueue, pause_seconds
from functions.uploads.register import HeldError, Register
from functions.uploads.standings import Standings
from functions.uploads.turns import FairTurns, NoSlot
from functions.uploads.work import Place, Work

FUNCTION = "dropin-byoc"

REFUSED_RECEIVES = 12
"""About two hours of denied access."""

SLOT_MARGIN_SECONDS = 10

FILES_A_TURN = 1
"""The health of the bucket that a file shows is recorded before the next file."""


@dataclass(frozen=True, slots=True)
class Settings(CustodySettings):
    uploads_table: str
    accounts_table: str
    health_table: str
    dropped_queue: str
    byoc_queue: str


@dataclass(frozen=True, slots=True)
class OwnDropIn:
    """The parts of this function."""

    custody: DropCustody
    bucket_names: RecentBucketNames
    standings: Standings
    staged: StagedBytes
    health: Health
    teller: Teller
    turns: FairTurns[Slot]
    work: Work

    def place(self, tenant: TenantId, now: float) -> Place | None:
        """Where the tenant's files are and where their rows go; None when the tenant is not BYOC."""
        try:
            destination = self.custody.destination(tenant)
        except NoDestinationError:
            return None
        standing = self.standings.of(tenant)
        staging = NotifyingBucket(self.custody.bucket(tenant), self.teller, tenant, FUNCTION)
        return Place(
            tenant,
            self.custody.drops(tenant),
            staging,
            AccountGate(tenant, self.standings, self.staged, Standing.refusal),
            destination.retention_days,
            KEEP,
            standing.refusal(now) if standing else "",
            is_theirs=True,
        )


@dataclass(slots=True)
class _Invocation:
    """The worker of functions.uploads.turns, for one invocation. `is_slot_held`: its slot is not released."""

    parts: OwnDropIn
    seconds_left: Callable[[], float]
    is_slot_held: bool = False

    def owner(self, file: Dropped) -> TenantId | None:
        """The tenant of the prefix, if the bucket is the tenant's; files in other buckets are ignored."""
        tenant = tenant_of(file.key)
        if tenant is None or not is_file(file, tenant):
            return None
        if not self.parts.bucket_names.is_bucket_of(tenant, file.bucket):
            journal.write("foreign_bucket", objects=1)
            return None
        return tenant

    def take_slot(self, tenant: TenantId) -> Slot | NoSlot:
        seconds = self.seconds_left() + SLOT_MARGIN_SECONDS
        slot = self.parts.health.take(own_drops(tenant), str(uuid4()), seconds)
        if isinstance(slot, Wait):
            return NoSlot(slot.seconds)
        self.is_slot_held = True
        return slot

    def work(self, file: Dropped, slot: Slot, message: Message) -> int | None:
        """Process the file, and record the health of the tenant's bucket."""
        tenant = tenant_of(file.key)
        if tenant is None:
            return None
        try:
            return self._in_slot(file, tenant, slot, message)
        except UsagePendingError:
            raise
        except (RetryableError, PermanentError) as fault:
            # Permanent: undecryptable credentials or a rejected address. Only the customer can fix that.
            journal.write("file_put_back", tenant_id=tenant, error_type=type(fault).__name__)
            return pause_seconds(message.receive_count)

    def release_slot(self, slot: Slot) -> None:
        if self.is_slot_held:
            self.is_slot_held = False
            with suppress(RetryableError):
                self.parts.health.give_back(slot)

    def _in_slot(self, file: Dropped, tenant: TenantId, slot: Slot, message: Message) -> int | None:
        is_last_try = message.receive_count >= REFUSED_RECEIVES
        try:
            place = self.parts.place(tenant, time.time())
            # Checked again, now against the encrypted destination.
            if place is None or place.drops.name != file.bucket:
                return None
            self.parts.work.do(file, place, self.seconds_left, is_last_try=is_last_try)
        except HeldError as held:
            return held.seconds
        except BucketError as fault:
            return self._failed(tenant, slot, fault, message)
        self.is_slot_held = False
        self.parts.health.well(slot)
        return None

    def _failed(self, tenant: TenantId, slot: Slot, fault: BucketError, message: Message) -> int:
        if isinstance(fault, BucketRefusedError):
            self.parts.custody.forget(tenant)
        self.is_slot_held = False
        condition = self.parts.health.failed(slot, fault.reason)
        return _pause(Wait(condition, self.parts.health.seconds_until_resume(condition)), message)


@cache
def _drop_in() -> OwnDropIn:
    settings = load(Settings)
    queue = DropQueue(settings.dropped_queue, FUNCTION)
    table = settings.uploads_table
    return OwnDropIn(
        drop_custody(settings),
        RecentBucketNames(destinations(settings).summary),
        Standings(settings.accounts_table),
        StagedBytes(table),
        Health(settings.health_table),
        Teller(settings.byoc_queue, FUNCTION),
        FairTurns(queue, FILES_A_TURN),
        Work(Register(table), queue.tell, FUNCTION, OpenUploads(table), KeptOriginals(table)),
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Process the files that the messages name; return the messages that must be redelivered."""
    return answer_to(event, lambda: context.get_remaining_time_in_millis() / 1000, _drop_in())


def answer_to(event: dict[str, Any], seconds_left: Callable[[], float], drop_in: OwnDropIn) -> dict[str, Any]:
    """Like `handler`, with its parts given; `seconds_left`: the time until the invocation is stopped."""
    return drop_in.turns.answer_to(event, _Invocation(drop_in, seconds_left))


def _pause(wait: Wait, message: Message) -> int:
    if wait.seconds is None:
        return pause_seconds(message.receive_count)
    return min(MAX_PAUSE_SECONDS, max(1, math.ceil(wait.seconds)))
