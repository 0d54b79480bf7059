"""Drop-in of customers' own clouds: files in their buckets become staged objects there.

Trigger: SQS, with the notifications that a customer's bucket sends us, the sweeper's, or our own for a file
that goes on. Promise: that of functions.uploads.dropin, with nothing of a file on our side but its name and
status; a message counts only for the tenant under whose prefix the file lies, in that tenant's own bucket.
At most two invocations work for a tenant at a time, and none while its bucket is known to fail.
Failure: messages come back at their own pace; a bucket that goes on refusing us settles the file as failed.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from functions.shared import journal
from functions.shared.buckets.contract import BucketError, BucketRefusedError
from functions.shared.buckets.drops import Dropped
from functions.shared.custody.buckets import NoDestinationError
from functions.shared.custody.health import MAX_PAUSE_SECONDS, Health, Slot, Wait
from functions.shared.custody.settings import CustodySettings
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.settings import load
from functions.shared.telling import NotifyingBucket, Teller
from functions.shared.tenancy import TenantId, own_drops
from functions.uploads.files import KEEP
from functions.uploads.notices import Message, is_file, tenant_of
from functions.uploads.own_clouds import DropCustody, drop_custody
from functions.uploads.queue import DropQueue, pause_seconds
from functions.uploads.register import HeldError, Register
from functions.uploads.standings import Standings
from functions.uploads.work import Place, Work

FUNCTION = "dropin-byoc"

REFUSED_RECEIVES = 12
"""Some two hours of finding that the bucket refuses us."""

SLOT_MARGIN_SECONDS = 10


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
    standings: Standings
    health: Health
    teller: Teller
    queue: DropQueue
    work: Work

    def place(self, tenant: TenantId, now: float) -> Place | None:
        """Where the tenant's files lie and where their rows go; None when it has no cloud of its own."""
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
            destination.retention_days,
            KEEP,
            standing.refusal(now) if standing else "",
            is_theirs=True,
        )


@cache
def _drop_in() -> OwnDropIn:
    settings = load(Settings)
    queue = DropQueue(settings.dropped_queue, FUNCTION)
    return OwnDropIn(
        drop_custody(settings),
        Standings(settings.accounts_table),
        Health(settings.health_table),
        Teller(settings.byoc_queue, FUNCTION),
        queue,
        Work(Register(settings.uploads_table), queue.tell, FUNCTION),
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on what the messages tell of; name the messages that must come back."""
    return answer_to(event, lambda: context.get_remaining_time_in_millis() / 1000, _drop_in())


def answer_to(event: dict[str, Any], seconds_left: Callable[[], float], drop_in: OwnDropIn) -> dict[str, Any]:
    """The same with the parts given; `seconds_left` tells when the invocation is stopped."""
    return drop_in.queue.answer_to(event, lambda message: _worked_on(message, seconds_left, drop_in))


def _worked_on(message: Message, seconds_left: Callable[[], float], drop_in: OwnDropIn) -> int | None:
    """After how many seconds the message must come back; None when it need not."""
    if message.files is None:
        return pause_seconds(message.receive_count)
    pauses = [_one(file, message, seconds_left, drop_in) for file in message.files]
    return max((each for each in pauses if each is not None), default=None)


def _one(
    file: Dropped, message: Message, seconds_left: Callable[[], float], drop_in: OwnDropIn
) -> int | None:
    tenant = tenant_of(file.key)
    if tenant is None or not is_file(file, tenant):
        return None
    try:
        slot = drop_in.health.take(own_drops(tenant), str(uuid4()), seconds_left() + SLOT_MARGIN_SECONDS)
        if isinstance(slot, Wait):
            return _pause(slot, message)
        return _in_slot(file, tenant, slot, message, seconds_left, drop_in)
    except RetryableError as fault:
        journal.write("file_put_back", tenant_id=tenant, error_type=type(fault).__name__)
        return pause_seconds(message.receive_count)


def _in_slot(
    file: Dropped,
    tenant: TenantId,
    slot: Slot,
    message: Message,
    seconds_left: Callable[[], float],
    drop_in: OwnDropIn,
) -> int | None:
    """Work on the file, and write down what that says of the tenant's bucket."""
    try:
        place = drop_in.place(tenant, time.time())
        # Who else may have told us of a file: a bucket that is not this tenant's proves nothing.
        if place is None or place.drops.name != file.bucket:
            drop_in.health.give_back(slot)
            return None
        is_last_try = message.receive_count >= REFUSED_RECEIVES
        drop_in.work.do(file, place, seconds_left, is_last_try=is_last_try)
    except HeldError as held:
        drop_in.health.give_back(slot)
        return held.seconds
    except BucketError as fault:
        if isinstance(fault, BucketRefusedError):
            drop_in.custody.forget(tenant)
        condition = drop_in.health.failed(slot, fault.reason)
        return _pause(Wait(condition, drop_in.health.seconds_until_resume(condition)), message)
    except PermanentError as fault:
        # Its credentials cannot be opened, or its address is refused: only its owner can mend that.
        drop_in.health.give_back(slot)
        journal.write("file_put_back", tenant_id=tenant, error_type=type(fault).__name__)
        return pause_seconds(message.receive_count)
    except BaseException:
        drop_in.health.give_back(slot)
        raise
    drop_in.health.well(slot)
    return None


def _pause(wait: Wait, message: Message) -> int:
    if wait.seconds is None:
        return pause_seconds(message.receive_count)
    return min(MAX_PAUSE_SECONDS, max(1, math.ceil(wait.seconds)))
