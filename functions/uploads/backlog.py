"""The backlog of an account: its files that wait for a slot, in the order in which their messages arrived.

Items of the table of uploads. `backlog#<time-ordered id>` is a batch: the files of the messages that one
invocation received. An invocation that reads files of a batch holds a lease on it. The batch is deleted, or
reduced to its other files, after they are read. So a file leaves the backlog only after it is settled or has
a message of its own, and a file that is in two batches is read once (functions.uploads.register).

`backlog` says when a wake-up message of the account arrives next, and until when its files must wait.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.uploads import BacklogItem
from functions.shared.tenancy import TenantId
from functions.uploads import items
from functions.uploads.items import BACKLOG, BATCH

BATCHES_A_LOOK = 4
"""Batches that are read at a time: two may be leased by other invocations of the account."""

FILES_A_BATCH = 10
"""At most 10 KB of keys: an item is as cheap as possible, and far from the limit of 400 KB."""

FORGET_AFTER_SECONDS = 14 * 86_400
"""As long as the queue retains a message. The sweeper finds the file for longer."""


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file to read. `receive_count`: how often its messages were received for another reason than turns."""

    dropped: DroppedFile
    receive_count: int


@dataclass(frozen=True, slots=True)
class BacklogBatch:
    """Files of `tenant`; leased by `owner` until `until`, Unix seconds."""

    tenant: TenantId
    entry: str
    files: tuple[WaitingFile, ...]
    until: int = 0
    owner: str = ""


@dataclass(frozen=True, slots=True)
class BacklogState:
    """The first batches of a backlog at the time `now`.

    `wakes_at`: when the next wake-up message arrives. `waits_until`: before that no file may be read. Both
    are Unix seconds, 0 for never.
    """

    now: int
    wakes_at: int = 0
    waits_until: int = 0
    batches: list[BacklogBatch] = field(default_factory=list)

    @property
    def must_wait(self) -> bool:
        return self.waits_until > self.now

    @property
    def unleased(self) -> list[BacklogBatch]:
        """The batches that no invocation reads."""
        return [each for each in self.batches if each.until < self.now]


class Backlogs:
    """The backlogs of all accounts. Every method raises StoreUnavailableError; reads are consistent."""

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = Table(BacklogItem, table, client)
        self._clock = clock

    def now(self) -> int:
        """Unix seconds, by the clock of the leases."""
        return int(self._clock())

    def append(self, tenant: TenantId, files: Sequence[WaitingFile]) -> None:
        """Add `files` at the end; one write for FILES_A_BATCH of them."""
        for start in range(0, len(files), FILES_A_BATCH):
            key = items.key(tenant, BATCH + time_ordered_id(int(1000 * self._clock())))
            listed = _as_json(files[start : start + FILES_A_BATCH])
            self._table.put(BacklogItem(*key, files=listed, forget_at=self._forget_at()))

    def look(self, tenant: TenantId) -> BacklogState:
        """The state of the backlog, and its first BATCHES_A_LOOK batches; one query."""
        between = BacklogItem.entry.between(BACKLOG, BATCH + "~")
        found = self._table.page(str(tenant), sort=between, limit=1 + BATCHES_A_LOOK).items
        head = next((each for each in found if each.entry == BACKLOG), None)
        now = self.now()
        batches = [
            BacklogBatch(tenant, each.entry, _files(each.files or "[]"), each.until or 0, each.owner or "")
            for each in found
            if each.entry != BACKLOG
        ]
        if head is None:
            return BacklogState(now, batches=batches[:BATCHES_A_LOOK])
        return BacklogState(now, head.wakes_at or 0, head.waits_until or 0, batches[:BATCHES_A_LOOK])

    def lease(self, batch: BacklogBatch, seconds: float) -> BacklogBatch | None:
        """Acquire a lease of `seconds`; None when another invocation has one, or has read the files."""
        now = self.now()
        leased = replace(batch, owner=str(uuid4()), until=now + int(seconds) + 1)
        is_free = BacklogItem.until.does_not_exist() | (BacklogItem.until < now)
        is_same = BacklogItem.files == _as_json(batch.files)
        try:
            self._table.update(
                items.key(batch.tenant, batch.entry),
                BacklogItem.until.set(leased.until),
                BacklogItem.owner.set(leased.owner),
                condition=is_same & is_free,
            )
        except ConditionFailedError:
            return None
        return leased

    def finish(self, batch: BacklogBatch, left: Sequence[WaitingFile]) -> None:
        """End the lease of `batch`, of which `left` must still be read; no effect if the lease was lost."""
        key, is_ours = items.key(batch.tenant, batch.entry), BacklogItem.owner == batch.owner
        try:
            if left:
                self._table.update(
                    key, BacklogItem.files.set(_as_json(left)), BacklogItem.until.set(0), condition=is_ours
                )
            else:
                self._table.delete(key, is_ours)
        except ConditionFailedError:
            return

    def note_wake_up(self, tenant: TenantId, at: int) -> None:
        """Record that a wake-up message was published that arrives at `at`, Unix seconds."""
        self._table.update(
            items.key(tenant, BACKLOG),
            BacklogItem.wakes_at.set(at),
            BacklogItem.forget_at.set(self._forget_at()),
        )

    def note_wait(self, tenant: TenantId, until: int) -> None:
        """Record that no file may be read before `until`, when a published wake-up message arrives."""
        self._table.update(
            items.key(tenant, BACKLOG),
            BacklogItem.waits_until.set(until),
            BacklogItem.forget_at.set(self._forget_at()),
        )

    def _forget_at(self) -> int:
        return self.now() + FORGET_AFTER_SECONDS


def _as_json(files: Sequence[WaitingFile]) -> str:
    listed = [
        [
            each.dropped.bucket,
            each.dropped.key,
            each.dropped.etag,
            each.dropped.size_bytes,
            each.receive_count,
        ]
        for each in files
    ]
    return json.dumps(listed, separators=(",", ":"))


def _files(listed: str) -> tuple[WaitingFile, ...]:
    return tuple(
        WaitingFile(DroppedFile(*file), receive_count) for *file, receive_count in json.loads(listed)
    )
