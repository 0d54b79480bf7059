"""Read the files of one turn: those of messages, or of the first batches of the account's backlog.

At most ten files that are small together, or one. A file without time or permission stays in the backlog.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from functions.shared import journal
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId
from functions.uploads.backlog import BacklogBatch, Backlogs, WaitingFile
from functions.uploads.drop_worker import Worker
from functions.uploads.gate import UsagePendingError
from functions.uploads.notifications import DropInMessage
from functions.uploads.queue import DropQueue, pause_seconds

SMALL_BYTES = 1024 * 1024
"""The total size of files that are read one after the other with one slot."""

MORE_SECONDS = 5.0
"""How long after its start an invocation may begin another file."""

S = TypeVar("S")
T = TypeVar("T")

Retries = list[tuple[DropInMessage, int]]
"""Messages that must be redelivered, each after so many seconds."""


@dataclass(frozen=True, slots=True)
class Turn(Generic[S]):
    """The account whose files are read with `slot`: those of `messages`, or else of `batches`."""

    tenant: TenantId
    slot: S
    messages: list[DropInMessage]
    batches: list[BacklogBatch]


class TurnReader(Generic[S]):
    """Reads the files of turns; `clock`: that of `began`, in seconds."""

    def __init__(
        self,
        queue: DropQueue,
        backlogs: Backlogs,
        files_a_turn: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._backlogs = backlogs
        self._files_a_turn = files_a_turn
        self._clock = clock

    def small(self, messages: Sequence[DropInMessage]) -> list[DropInMessage]:
        """Those of `messages` that one turn has."""
        sized = [(each, sum(file.size_bytes for file in each.files or ())) for each in messages]
        return _small(sized, self._files_a_turn, SMALL_BYTES)

    def read(self, turn: Turn[S], worker: Worker[S], began: float) -> Retries:
        """Read files of the turn one after the other, in an invocation that began at `began`."""
        if turn.messages:
            return self._read_messages(turn, worker, began)
        try:
            self._read_batches(turn, worker, began)
        except RetryableError as fault:
            # The files stay in the backlog until the lease of their batch expires.
            journal.write("backlog_left", tenant_id=turn.tenant, error_type=type(fault).__name__)
        return []

    def _read_messages(self, turn: Turn[S], worker: Worker[S], began: float) -> Retries:
        """Read the files of the turn's messages; those without time are moved to the backlog."""
        waiting, retries, wait_seconds = self._not_rejected(turn, worker), Retries(), 0
        first = len(waiting)
        try:
            try:
                while waiting and (len(waiting) == first or self._has_time(began)):
                    for file in files_of(waiting[:1]):
                        if (pause := worker.work(file, turn.slot)) is not None:
                            retries.append((waiting[0], pause))
                    waiting.pop(0)
            except UsagePendingError as fault:
                wait_seconds = fault.seconds
            self._backlogs.append(turn.tenant, files_of(waiting))
            self._wait(turn.tenant, wait_seconds)
        except RetryableError as fault:
            retries += redelivered(waiting, fault)
        return retries

    def _not_rejected(self, turn: Turn[S], worker: Worker[S]) -> list[DropInMessage]:
        """The turn's messages, each of one file, without those whose files are rejected together."""
        files = files_of(turn.messages)
        left = worker.reject(files, turn.slot) if len(files) > 1 else files
        return [each for each in turn.messages if files_of([each])[0] in left]

    def _read_batches(self, turn: Turn[S], worker: Worker[S], began: float) -> None:
        """Read files of the first batches, as many as one turn has, or reject those of all batches."""
        files_left, bytes_left = self._files_a_turn, SMALL_BYTES
        for number, batch in enumerate(turn.batches):
            sized = [(each, each.dropped.size_bytes) for each in batch.files]
            is_first = files_left == self._files_a_turn
            chosen = _small(sized, files_left, bytes_left, at_least_one=is_first)
            if not chosen or not (is_first or self._has_time(began)):
                return
            leased = self._backlogs.lease(batch, worker.lease_seconds())
            if leased is None:
                continue
            mine = _owned(chosen, leased, worker)
            waiting = worker.reject(mine, turn.slot) if len(mine) > 1 else mine
            left = [each for each in batch.files if each not in chosen]
            if mine and not waiting:
                self._backlogs.finish(leased, left)
                self._reject_batches(turn.batches[number + 1 :], turn.slot, worker)
                return
            if not self._read_batch(leased, waiting, left, turn.slot, worker, began):
                return
            files_left -= len(chosen)
            bytes_left -= sum(each.dropped.size_bytes for each in chosen)

    def _reject_batches(self, batches: Sequence[BacklogBatch], slot: S, worker: Worker[S]) -> None:
        """Reject the files of `batches`, of an account whose files were just rejected, with one call.

        A turn has few reads and writes of its own then, so that a flood of such files ends sooner. Files that
        are not rejected stay in the backlog.
        """
        leases = [self._backlogs.lease(each, worker.lease_seconds()) for each in batches]
        mine = {each.entry: _owned(each.files, each, worker) for each in leases if each}
        files = [each for of_batch in mine.values() for each in of_batch]
        waiting = worker.reject(files, slot) if files else []
        for leased in leases:
            if leased:
                self._backlogs.finish(leased, [each for each in mine[leased.entry] if each in waiting])

    def _read_batch(
        self,
        batch: BacklogBatch,
        waiting: Sequence[WaitingFile],
        left: Sequence[WaitingFile],
        slot: S,
        worker: Worker[S],
        began: float,
    ) -> bool:
        """Read the `waiting` files, and leave those `left` of the batch; whether the turn may continue."""
        unread, wait_seconds = list(waiting), 0
        try:
            while unread and (len(unread) == len(waiting) or self._has_time(began)):
                self._read(unread[0], slot, worker)
                unread.pop(0)
        except UsagePendingError as fault:
            wait_seconds = fault.seconds
        self._backlogs.finish(batch, [*unread, *left])
        self._wait(batch.tenant, wait_seconds)
        return not unread

    def _read(self, file: WaitingFile, slot: S, worker: Worker[S]) -> None:
        """Read a file of the backlog; publish it again if it must be tried again."""
        if (pause := worker.work(file, slot)) is not None:
            self._queue.publish(file.dropped, pause, file.receive_count)

    def _wait(self, tenant: TenantId, seconds: int) -> None:
        """No file of the account is read for so long: its wake-up is published before that is recorded."""
        if not seconds:
            return
        until = self._backlogs.now() + seconds
        self._queue.wake(tenant, seconds + 1)
        self._backlogs.note_wait(tenant, until)

    def _has_time(self, began: float) -> bool:
        return self._clock() - began < MORE_SECONDS


def _owned(files: Sequence[WaitingFile], batch: BacklogBatch, worker: Worker[S]) -> list[WaitingFile]:
    """Those of `files` that are still files of the batch's account."""
    return [each for each in files if worker.owner(each.dropped) == batch.tenant]


def files_of(messages: Sequence[DropInMessage]) -> list[WaitingFile]:
    """The files that `messages` name."""
    return [WaitingFile(each, message.receive_count) for message in messages for each in message.files or ()]


def redelivered(messages: Sequence[DropInMessage], fault: RetryableError) -> Retries:
    """`messages` after a `fault`, each with exponential backoff."""
    for each in messages:
        journal.write("file_put_back", error_type=type(fault).__name__, receive_count=each.receive_count)
    return [(each, pause_seconds(each.receive_count)) for each in messages]


def _small(
    sized: Sequence[tuple[T, int]], most: int, most_bytes: int, *, at_least_one: bool = True
) -> list[T]:
    """The smallest of `sized`, and further ones while they are small together."""
    chosen: list[T] = []
    for each, size_bytes in sorted(sized, key=lambda pair: pair[1]):
        most_bytes -= size_bytes
        if len(chosen) >= most or (most_bytes < 0 and (chosen or not at_least_one)):
            break
        chosen.append(each)
    return chosen
