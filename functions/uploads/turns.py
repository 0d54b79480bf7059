"""Fair turns: an invocation reads files of one account that has a free slot, and does not delay the others.

An invocation receives up to ten messages and reads files of one account. Files of an account without a free
slot are moved to the account's backlog (functions.uploads.backlog), and their messages are deleted: one write
for ten messages, none of which returns to the queue that all accounts share (docs/adr/0031). Messages of
other accounts are released to the queue before any file is read; another invocation gets them at once.

A backlog has one *wake-up message* at a time, not a message for each file. An invocation that released its
slot looks at the backlog and publishes one. An invocation that appended files publishes one if it sees a free
slot: either sees what the other wrote, because each writes first and reads then. A holder of a slot may die,
so one more wake-up arrives when its lease has expired, as long as the backlog is not empty.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from functions.shared import journal
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId
from functions.uploads.backlog import Backlogs, BacklogState, Batch, WaitingFile
from functions.uploads.gate import UsagePendingError
from functions.uploads.notifications import DropInMessage, read
from functions.uploads.queue import DropQueue, pause_seconds
from functions.uploads.wake_ups import WakeUps

SMALL_BYTES = 1024 * 1024
"""The total size of files that are read one after the other with one slot."""

MORE_SECONDS = 5.0
"""How long after its start an invocation may begin another file."""

LEASE_MARGIN_SECONDS = 10
"""How much longer than its invocation the lease of a slot or batch lasts."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class NoSlot:
    """No slot is free now; `seconds`: when to ask again, None while other invocations have the slots."""

    seconds: float | None = None


class Worker(Protocol[S]):
    """The work of one of the drop-in functions, for one invocation."""

    def owner(self, file: DroppedFile) -> TenantId | None:
        """The tenant of the file, without reading it; None when there is nothing to do."""
        ...

    def lease_seconds(self) -> float:
        """How long a lease must last so that the invocation has ended when it expires."""
        ...

    def no_slot(self, tenant: TenantId) -> NoSlot | None:
        """Why no slot is free now; None when one is. Raises RetryableError."""
        ...

    def take_slot(self, tenant: TenantId) -> S | NoSlot:
        """Acquire a slot to read files of `tenant`; raises RetryableError when its state is unavailable."""
        ...

    def work(self, file: WaitingFile, slot: S) -> int | None:
        """Process the file; return the seconds after which it must be tried again, or None.

        Raises UsagePendingError when no file of the account may be read now.
        """
        ...

    def release_slot(self, slot: S) -> None:
        """Release the slot; never raises RetryableError."""
        ...


@dataclass(slots=True)
class _MessageOutcomes:
    """The outcome for the messages of one invocation; a message that is in no list is done."""

    released: list[DropInMessage] = field(default_factory=list)
    retried: list[tuple[DropInMessage, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Turn(Generic[S]):
    """The account whose files are read with `slot`: those of `messages`, or else of `batches`."""

    tenant: TenantId
    slot: S
    messages: list[DropInMessage]
    batches: list[Batch]


class FairTurns(Generic[S]):
    """Shares invocations among accounts; one instance for each environment."""

    def __init__(
        self,
        queue: DropQueue,
        backlogs: Backlogs,
        files_a_turn: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._backlogs = backlogs
        self._wake_ups = WakeUps(queue, backlogs)
        self._files_a_turn = files_a_turn
        self._clock = clock

    def answer_to(self, event: dict[str, Any], worker: Worker[S]) -> dict[str, Any]:
        """Process an SQS event; the response names the messages that must be redelivered."""
        began, outcome = self._clock(), _MessageOutcomes()
        turn: _Turn[S] | None = None
        for tenant, messages in self._by_owner(read(event), worker, outcome).items():
            try:
                if turn is None:
                    turn = self._begin(tenant, messages, worker, outcome)
                else:
                    self._leave(tenant, messages, worker, outcome)
            except RetryableError as fault:
                for each in messages:
                    _redeliver(each, fault, outcome)
        self._queue.release(outcome.released)
        self._queue.hide(outcome.retried)
        worked = _MessageOutcomes()
        if turn:
            self._work(turn, worker, worked, began)
            self._queue.hide(worked.retried)
        retried = [message for message, _ in (*outcome.retried, *worked.retried)]
        failed = [each.message_id for each in (*outcome.released, *retried)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    def _by_owner(
        self, messages: Sequence[DropInMessage], worker: Worker[S], outcome: _MessageOutcomes
    ) -> dict[TenantId, list[DropInMessage]]:
        """The messages with work to do, by account; a message of several files is split into one for each."""
        found: dict[TenantId, list[DropInMessage]] = {}
        for message in messages:
            try:
                owners = [worker.owner(each) for each in message.files or ()]
                if message.wakes:
                    found.setdefault(message.wakes, []).append(message)
                elif message.files is None:
                    outcome.retried.append((message, pause_seconds(message.receive_count)))
                elif len(message.files) > 1:
                    for file, owner in zip(message.files, owners, strict=True):
                        if owner:
                            self._queue.publish(file)
                elif owners and owners[0]:
                    found.setdefault(owners[0], []).append(message)
            except RetryableError as fault:
                _redeliver(message, fault, outcome)
        return found

    def _begin(
        self,
        tenant: TenantId,
        messages: list[DropInMessage],
        worker: Worker[S],
        outcome: _MessageOutcomes,
    ) -> _Turn[S] | None:
        """The turn of the account if it has a free slot; its other messages are moved or released.

        If its backlog is not empty, the turn begins with the backlog, so files are read in order.
        """
        # A wake-up is published when a slot becomes free: what was noted before does not count.
        if self._wake_ups.is_full(tenant) and not any(each.wakes for each in messages):
            self._append(tenant, messages, worker)
            return None
        state = self._backlogs.look(tenant)
        if state.must_wait:
            self._wake_ups.note_wait(tenant, state)
            self._append(tenant, messages, worker)
            return None
        if state.batches:
            self._wake_ups.ensure(tenant, worker.lease_seconds(), state)
        if not state.unleased and not any(each.files for each in messages):
            return None
        slot = worker.take_slot(tenant)
        if isinstance(slot, NoSlot):
            self._wake_ups.note_full(tenant, slot.seconds)
            self._append(tenant, messages, worker)
            return None
        try:
            return self._turn(tenant, slot, messages, state, worker, outcome)
        except RetryableError:
            worker.release_slot(slot)
            raise

    def _turn(
        self,
        tenant: TenantId,
        slot: S,
        messages: list[DropInMessage],
        state: BacklogState,
        worker: Worker[S],
        outcome: _MessageOutcomes,
    ) -> _Turn[S]:
        if state.unleased:
            self._append(tenant, messages, worker)
            return _Turn(tenant, slot, [], state.unleased)
        sized = [(each, _size(each)) for each in messages if each.files]
        mine = _small(sized, self._files_a_turn, SMALL_BYTES)
        if rest := [each for each, _ in sized if each not in mine]:
            self._leave(tenant, rest, worker, outcome)
        return _Turn(tenant, slot, mine, [])

    def _leave(
        self,
        tenant: TenantId,
        messages: list[DropInMessage],
        worker: Worker[S],
        outcome: _MessageOutcomes,
    ) -> None:
        """Release messages that are not for this invocation if a slot is free for them; else move them."""
        if not self._wake_ups.is_full(tenant) and worker.no_slot(tenant) is None:
            outcome.released += messages
        else:
            self._append(tenant, messages, worker)

    def _append(self, tenant: TenantId, messages: Sequence[DropInMessage], worker: Worker[S]) -> None:
        """Move the files of `messages` to the backlog; a wake-up is on its way when this returns.

        Also for wake-up messages: they are deleted when this invocation ends.
        """
        self._backlogs.append(tenant, [each for message in messages for each in _waiting(message)])
        if self._wake_ups.must_wait(tenant):
            return
        taken = worker.no_slot(tenant)
        if taken is None:
            self._wake_ups.note_free(tenant)
            self._queue.wake(tenant)
            return
        self._wake_ups.note_full(tenant, taken.seconds)
        self._wake_ups.ensure(tenant, taken.seconds or worker.lease_seconds())

    def _work(self, turn: _Turn[S], worker: Worker[S], outcome: _MessageOutcomes, began: float) -> None:
        """Read files of the account one after the other, release its slot, then look at its backlog."""
        try:
            if turn.messages:
                self._read_messages(turn, worker, outcome, began)
            else:
                self._read_batches(turn, worker, began)
        except RetryableError as fault:
            # The files stay in the backlog until the lease of their batch expires.
            journal.write("backlog_left", tenant_id=turn.tenant, error_type=type(fault).__name__)
        finally:
            worker.release_slot(turn.slot)
        self.hand_on(turn.tenant)

    def hand_on(self, tenant: TenantId) -> None:
        """Wake another invocation for the rest of the backlog; the slot is released already."""
        try:
            state = self._backlogs.look(tenant)
            if state.unleased and not state.must_wait:
                self._queue.wake(tenant)
        except RetryableError as fault:
            # A wake-up arrives when the lease of the slot would have expired.
            journal.write("backlog_left", tenant_id=tenant, error_type=type(fault).__name__)

    def _read_messages(
        self, turn: _Turn[S], worker: Worker[S], outcome: _MessageOutcomes, began: float
    ) -> None:
        """Read the files of the turn's messages; those without time go to the backlog."""
        waiting, wait_seconds = list(turn.messages), 0
        try:
            try:
                while waiting and (len(waiting) == len(turn.messages) or self._has_time(began)):
                    for file in _waiting(waiting[0]):
                        if (pause := worker.work(file, turn.slot)) is not None:
                            outcome.retried.append((waiting[0], pause))
                    waiting.pop(0)
            except UsagePendingError as fault:
                wait_seconds = fault.seconds
            self._backlogs.append(turn.tenant, [each for message in waiting for each in _waiting(message)])
            self._wait(turn.tenant, wait_seconds)
        except RetryableError as fault:
            for each in waiting:
                _redeliver(each, fault, outcome)

    def _read_batches(self, turn: _Turn[S], worker: Worker[S], began: float) -> None:
        """Read files of the first batches, as many as one turn has."""
        files_left, bytes_left = self._files_a_turn, SMALL_BYTES
        for batch in turn.batches:
            sized = [(each, each.dropped.size_bytes) for each in batch.files]
            is_first = files_left == self._files_a_turn
            chosen = _small(sized, files_left, bytes_left, at_least_one=is_first)
            if not chosen or not (is_first or self._has_time(began)):
                return
            leased = self._backlogs.lease(batch, worker.lease_seconds())
            if leased is None:
                continue
            if not self._read_batch(leased, chosen, turn.slot, worker, began):
                return
            files_left -= len(chosen)
            bytes_left -= sum(each.dropped.size_bytes for each in chosen)

    def _read_batch(
        self, batch: Batch, chosen: Sequence[WaitingFile], slot: S, worker: Worker[S], began: float
    ) -> bool:
        """Read the `chosen` files; whether the turn may continue."""
        left, waiting = [each for each in batch.files if each not in chosen], list(chosen)
        wait_seconds = 0
        try:
            while waiting and (len(waiting) == len(chosen) or self._has_time(began)):
                self._read(batch.tenant, waiting[0], slot, worker)
                waiting.pop(0)
        except UsagePendingError as fault:
            wait_seconds = fault.seconds
        self._backlogs.finish(batch, [*waiting, *left])
        self._wait(batch.tenant, wait_seconds)
        return not waiting

    def _read(self, tenant: TenantId, file: WaitingFile, slot: S, worker: Worker[S]) -> None:
        """Read a file of the backlog; publish it again if it must be tried again."""
        if worker.owner(file.dropped) != tenant:
            return
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


T = TypeVar("T")


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


def _waiting(message: DropInMessage) -> list[WaitingFile]:
    return [WaitingFile(each, message.receive_count) for each in message.files or ()]


def _redeliver(message: DropInMessage, fault: RetryableError, outcome: _MessageOutcomes) -> None:
    journal.write("file_put_back", error_type=type(fault).__name__, receive_count=message.receive_count)
    outcome.retried.append((message, pause_seconds(message.receive_count)))


def _size(message: DropInMessage) -> int:
    return sum(each.size_bytes for each in message.files or ())
