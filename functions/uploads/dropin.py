"""Drop-in: files in our own bucket become staged objects, whatever they are.

Trigger: SQS, with S3's notifications of files under `dropin/`, or the sweeper's, or our own for a file that
goes on. Promise: every record of a file is staged exactly once, or told of in the file's status; a file that
outlasts the invocation is put down between two objects and taken up by another; what comes into an account
that was erased is deleted unread. Failure: the message comes back after a pause; a file that ends whoever
reads it is given up after five attempts, and says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.shared import journal
from functions.shared.access import BYOC
from functions.shared.account.tombstones import RecentTombstones, Tombstones
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.drops import DropBucket, Dropped
from functions.shared.buckets.own import open_bucket
from functions.shared.errors import RetryableError
from functions.shared.settings import load
from functions.shared.tenancy import TenantId
from functions.uploads.files import DELETE
from functions.uploads.notices import Message, is_file, tenant_of
from functions.uploads.own_drops import open_drops
from functions.uploads.queue import DropQueue, pause_seconds
from functions.uploads.register import HeldError, Register
from functions.uploads.standings import Standings
from functions.uploads.work import ELSEWHERE, Place, Work

FUNCTION = "dropin"


@dataclass(frozen=True, slots=True)
class Settings:
    drop_bucket: str
    staging_bucket: str
    uploads_table: str
    accounts_table: str
    tombstones_table: str
    dropped_queue: str


@dataclass(frozen=True, slots=True)
class DropIn:
    """The parts of this function. `buried`: whether an account was erased."""

    drops: DropBucket
    staging: Bucket
    standings: Standings
    queue: DropQueue
    work: Work
    buried: Callable[[TenantId], bool]

    def place(self, file: Dropped) -> Place | None:
        """Whose the file is and where its rows go; None when it is nobody's."""
        tenant = tenant_of(file.key)
        standing = self.standings.of(tenant) if tenant and file.bucket == self.drops.name else None
        if tenant is None or standing is None or not is_file(file, tenant):
            return None
        now = datetime.now(UTC).timestamp()
        refusal = ELSEWHERE if standing.plan == BYOC else standing.refusal(now)
        return Place(tenant, self.drops, self.staging, standing.retention_days, DELETE, refusal)

    def is_of_an_erased_account(self, file: Dropped) -> bool:
        """Whether it came after the end of its account: a PUT by a link may last longer than the link."""
        tenant = tenant_of(file.key)
        return tenant is not None and file.bucket == self.drops.name and self.buried(tenant)


@cache
def _drop_in() -> DropIn:
    settings = load(Settings)
    tombstones = RecentTombstones(Tombstones(settings.tombstones_table))
    queue = DropQueue(settings.dropped_queue, FUNCTION)
    return DropIn(
        open_drops(settings.drop_bucket),
        open_bucket(settings.staging_bucket),
        Standings(settings.accounts_table),
        queue,
        Work(Register(settings.uploads_table), queue.tell, FUNCTION),
        tombstones.buried,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on what the messages tell of; name the messages that must come back."""
    return answer_to(event, lambda: context.get_remaining_time_in_millis() / 1000, _drop_in())


def answer_to(event: dict[str, Any], seconds_left: Callable[[], float], drop_in: DropIn) -> dict[str, Any]:
    """The same with the parts given; `seconds_left` tells when the invocation is stopped."""
    return drop_in.queue.answer_to(event, lambda message: _worked_on(message, seconds_left, drop_in))


def _worked_on(message: Message, seconds_left: Callable[[], float], drop_in: DropIn) -> int | None:
    """After how many seconds the message must come back; None when it need not."""
    if message.files is None:
        return pause_seconds(message.receive_count)
    try:
        for file in message.files:
            place = drop_in.place(file)
            if place:
                drop_in.work.do(file, place, seconds_left)
            elif drop_in.is_of_an_erased_account(file):
                drop_in.drops.delete(file)
                journal.write("erased_tenant_dropped", objects=1)
    except HeldError as held:
        return held.seconds
    except RetryableError as fault:
        journal.write(
            "file_put_back",
            error_type=type(fault).__name__,
            reason=getattr(fault, "reason", ""),
            receive_count=message.receive_count,
        )
        return pause_seconds(message.receive_count)
    return None
