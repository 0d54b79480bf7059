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
from typing import Any, Generic, TypeVar

from functions.shared import journal
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId
from functions.uploads.backlog import Backlogs, BacklogState
from functions.uploads.drop_worker import NoSlot, Worker
from functions.uploads.notifications import DropInMessage, read
from functions.uploads.queue import DropQueue, pause_seconds
from functions.uploads.turn_reader import Retries, Turn, TurnReader, files_of, redelivered
from functions.uploads.wake_ups import WakeUps

S = TypeVar("S")


@dataclass(slots=True)
class _MessageOutcomes:
    """The outcome for the messages of one invocation; a message that is in no list is done."""

    released: list[DropInMessage] = field(default_factory=list)
    retried: Retries = field(default_factory=list)


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
        self._reader = TurnReader[S](queue, backlogs, files_a_turn, clock)
        self._clock = clock

    def answer_to(self, event: dict[str, Any], worker: Worker[S]) -> dict[str, Any]:
        """Process an SQS event; the response names the messages that must be redelivered."""
        began, outcome = self._clock(), _MessageOutcomes()
        turn: Turn[S] | None = None
        for tenant, messages in self._by_owner(read(event), worker, outcome).items():
            try:
                if turn is None:
                    turn = self._begin(tenant, messages, worker, outcome)
                else:
                    self._leave(tenant, messages, worker, outcome)
            except RetryableError as fault:
                outcome.retried += redelivered(messages, fault)
        self._queue.release(outcome.released)
        self._queue.hide(outcome.retried)
        if turn:
            try:
                retries = self._reader.read(turn, worker, began)
            finally:
                worker.release_slot(turn.slot)
            self.hand_on(turn.tenant)
            self._queue.hide(retries)
            outcome.retried += retries
        failed = [*outcome.released, *(message for message, _ in outcome.retried)]
        return {"batchItemFailures": [{"itemIdentifier": each.message_id} for each in failed]}

    def _by_owner(
        self, messages: Sequence[DropInMessage], worker: Worker[S], outcome: _MessageOutcomes
    ) -> dict[TenantId, list[DropInMessage]]:
        """The messages with work to do, by account, the account with the fewest first.

        A message of several files is split into one for each.
        """
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
                outcome.retried += redelivered([message], fault)
        return dict(sorted(found.items(), key=lambda of_tenant: len(of_tenant[1])))

    def _begin(
        self,
        tenant: TenantId,
        messages: list[DropInMessage],
        worker: Worker[S],
        outcome: _MessageOutcomes,
    ) -> Turn[S] | None:
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
    ) -> Turn[S]:
        if state.unleased:
            self._append(tenant, messages, worker)
            return Turn(tenant, slot, [], state.unleased)
        with_files = [each for each in messages if each.files]
        mine = self._reader.small(with_files)
        if rest := [each for each in with_files if each not in mine]:
            self._leave(tenant, rest, worker, outcome)
        return Turn(tenant, slot, mine, [])

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
        self._backlogs.append(tenant, files_of(messages))
        if self._wake_ups.must_wait(tenant):
            return
        taken = worker.no_slot(tenant)
        if taken is None:
            self._wake_ups.note_free(tenant)
            self._queue.wake(tenant)
            return
        self._wake_ups.note_full(tenant, taken.seconds)
        self._wake_ups.ensure(tenant, taken.seconds or worker.lease_seconds())

    def hand_on(self, tenant: TenantId) -> None:
        """Wake another invocation for the rest of the backlog; the slot is released already."""
        try:
            state = self._backlogs.look(tenant)
            if state.unleased and not state.must_wait:
                self._queue.wake(tenant)
        except RetryableError as fault:
            # A wake-up arrives when the lease of the slot would have expired.
            journal.write("backlog_left", tenant_id=tenant, error_type=type(fault).__name__)
