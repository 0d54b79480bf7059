"""Fair turns: an invocation reads files of one account that has a free slot, and does not delay the others.

An invocation receives up to ten messages and reads files of one account. Messages of accounts without a free
slot are deferred: sent anew with a delay, so they are neither in flight nor failed attempts (docs/adr/0019).
All other messages are released to the queue before any file is read; another invocation gets them at once.
That an account has no free slot is cached for a second, so a flood of its messages costs no request each.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from functions.shared import journal
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId
from functions.uploads.gate import UsagePendingError
from functions.uploads.notifications import DropInMessage, read
from functions.uploads.queue import LONGEST_PAUSE_SECONDS, DropQueue, pause_seconds

FULL_SECONDS = 1.0
"""How long the result "no free slot" is cached."""

LONGEST_FULL_SECONDS = 10.0
"""The longest time for which it is cached when an account must wait: its bucket may have been fixed."""

RETURNS_A_SECOND = 10
"""The rate at which deferred messages of one account return, for each environment that deferred them."""

MAX_DEFERRALS = 200
"""About two days: by then the sweeper finds the file, if it is still there."""

SMALL_BYTES = 1024 * 1024
"""The total size of files that are read one after the other with one slot."""

MORE_SECONDS = 5.0
"""How long after its start an invocation may begin another file."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class NoSlot:
    """No slot is free now; `seconds`: when to ask again, None if that is not known."""

    seconds: float | None = None


class Worker(Protocol[S]):
    """The work of one of the drop-in functions."""

    def owner(self, file: DroppedFile) -> TenantId | None:
        """The tenant of the file, without reading it; None when there is nothing to do."""
        ...

    def take_slot(self, tenant: TenantId) -> S | NoSlot:
        """Acquire a slot to read files of `tenant`; raises RetryableError when its state is unavailable."""
        ...

    def work(self, file: DroppedFile, slot: S, message: DropInMessage) -> int | None:
        """Process the file; return the seconds after which its message must be redelivered, or None.

        Raises UsagePendingError when no file of the account may be read now.
        """
        ...

    def release_slot(self, slot: S) -> None:
        """Release the slot; never raises RetryableError."""
        ...


@dataclass(slots=True)
class _MessageOutcomes:
    """The outcome for the messages of one invocation; a message that is in no list is done."""

    deferred: list[tuple[TenantId, DropInMessage]] = field(default_factory=list)
    released: list[DropInMessage] = field(default_factory=list)
    retried: list[tuple[DropInMessage, int]] = field(default_factory=list)


class FairTurns(Generic[S]):
    """Shares invocations among accounts; one instance for each environment."""

    def __init__(
        self, queue: DropQueue, files_a_turn: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._queue = queue
        self._files_a_turn = files_a_turn
        self._clock = clock
        self._full_until: dict[TenantId, float] = {}
        self._waits_until: dict[TenantId, float] = {}
        self._backlog: dict[TenantId, tuple[int, int]] = {}

    def answer_to(self, event: dict[str, Any], worker: Worker[S]) -> dict[str, Any]:
        """Process an SQS event; the response names the messages that must be redelivered."""
        began, outcome = self._clock(), _MessageOutcomes()
        theirs = self._by_owner(read(event), worker, outcome)
        turn = self._turn(theirs, worker, outcome)
        self._defer(outcome)
        self._queue.release(outcome.released)
        self._queue.hide(outcome.retried)
        worked = _MessageOutcomes()
        if turn:
            self._work(*turn, worker, worked, began)
            self._queue.hide(worked.retried)
        back = [*outcome.released, *worked.released]
        failed = [*back, *(message for message, _ in (*outcome.retried, *worked.retried))]
        return {"batchItemFailures": [{"itemIdentifier": each.message_id} for each in failed]}

    def _by_owner(
        self, messages: Sequence[DropInMessage], worker: Worker[S], outcome: _MessageOutcomes
    ) -> dict[TenantId, list[DropInMessage]]:
        """The messages with work to do, by account; a message of several files is split into one for each."""
        found: dict[TenantId, list[DropInMessage]] = {}
        for message in messages:
            try:
                owners = [worker.owner(each) for each in message.files or ()]
                if message.files is None:
                    outcome.retried.append((message, pause_seconds(message.receive_count)))
                elif len(message.files) > 1:
                    for file, owner in zip(message.files, owners, strict=True):
                        if owner:
                            self._queue.publish(file)
                elif owners and owners[0]:
                    found.setdefault(owners[0], []).append(message)
            except RetryableError as fault:
                self._redeliver(message, fault, outcome)
        return found

    def _turn(
        self, theirs: dict[TenantId, list[DropInMessage]], worker: Worker[S], outcome: _MessageOutcomes
    ) -> tuple[TenantId, S, list[DropInMessage]] | None:
        """The account whose turn it is, its slot and messages; other messages are deferred or released."""
        turn: tuple[TenantId, S, list[DropInMessage]] | None = None
        for tenant, messages in theirs.items():
            rest = messages
            if turn is None and not self._is_full(tenant):
                try:
                    slot = worker.take_slot(tenant)
                except RetryableError as fault:
                    for each in messages:
                        self._redeliver(each, fault, outcome)
                    continue
                if isinstance(slot, NoSlot):
                    self._note_full(tenant, slot.seconds)
                else:
                    mine = self._small(messages)
                    turn = tenant, slot, mine
                    rest = [each for each in messages if each not in mine]
            if self._is_full(tenant):
                outcome.deferred += [(tenant, each) for each in rest]
            else:
                outcome.released += rest
        return turn

    def _small(self, messages: Sequence[DropInMessage]) -> list[DropInMessage]:
        """The smallest message, and further ones while they are small together."""
        chosen: list[DropInMessage] = []
        size_bytes = 0
        for each in sorted(messages, key=_size):
            size_bytes += _size(each)
            if chosen and (size_bytes > SMALL_BYTES or len(chosen) >= self._files_a_turn):
                break
            chosen.append(each)
        return chosen

    def _work(
        self,
        tenant: TenantId,
        slot: S,
        messages: list[DropInMessage],
        worker: Worker[S],
        outcome: _MessageOutcomes,
        began: float,
    ) -> None:
        """Read files of `tenant` one after the other; release those that there is no time for."""
        waiting = list(messages)
        try:
            while waiting and (len(waiting) == len(messages) or self._clock() - began < MORE_SECONDS):
                message = waiting.pop(0)
                for file in message.files or ():
                    if (pause := worker.work(file, slot, message)) is not None:
                        outcome.retried.append((message, pause))
        except UsagePendingError as fault:
            self._note_full(tenant, fault.seconds)
            outcome.deferred += [(tenant, each) for each in (message, *waiting)]
            waiting = []
            self._defer(outcome)
        finally:
            worker.release_slot(slot)
            self._queue.release(waiting)
            outcome.released += waiting

    def _defer(self, outcome: _MessageOutcomes) -> None:
        """Send each deferred message anew, with a delay; if that fails, hide it for as long."""
        copies = [
            (message, self._delay(tenant, message))
            for tenant, message in outcome.deferred
            if not self._is_abandoned(tenant, message)
        ]
        outcome.retried += self._queue.defer(copies)

    def _is_abandoned(self, tenant: TenantId, message: DropInMessage) -> bool:
        if message.deferrals < MAX_DEFERRALS:
            return False
        journal.write("file_let_go", tenant_id=tenant, receive_count=message.deferrals)
        return True

    def _delay(self, tenant: TenantId, message: DropInMessage) -> int:
        """Exponential backoff, at least as long as the account's backlog takes; less up to half as jitter."""
        minute = int(self._clock() // 60)
        since, count = self._backlog.get(tenant, (minute, 0))
        count = count + 1 if minute - since <= 1 else 1
        self._keep(self._backlog, tenant, (since if minute - since <= 1 else minute, count))
        waits = self._waits_until.get(tenant, 0.0) - self._clock()
        longest = max(2.0 ** min(message.deferrals, 20), count / RETURNS_A_SECOND)
        delay = max(0.0, waits) + random.uniform(longest / 2, longest)  # noqa: S311
        return min(LONGEST_PAUSE_SECONDS, max(1, round(delay)))

    def _is_full(self, tenant: TenantId) -> bool:
        return self._full_until.get(tenant, 0.0) > self._clock()

    def _note_full(self, tenant: TenantId, seconds: float | None) -> None:
        now = self._clock()
        believed = min(max(seconds or 0.0, FULL_SECONDS), LONGEST_FULL_SECONDS)
        self._keep(self._full_until, tenant, now + believed)
        self._keep(self._waits_until, tenant, now + (seconds or 0.0))

    def _keep(self, notes: dict[TenantId, Any], tenant: TenantId, value: Any) -> None:
        """Cache a value for each of a thousand accounts; the oldest entry is evicted first."""
        notes.pop(tenant, None)
        while len(notes) >= 1000:
            del notes[next(iter(notes))]
        notes[tenant] = value

    def _redeliver(self, message: DropInMessage, fault: RetryableError, outcome: _MessageOutcomes) -> None:
        journal.write("file_put_back", error_type=type(fault).__name__, receive_count=message.receive_count)
        outcome.retried.append((message, pause_seconds(message.receive_count)))


def _size(message: DropInMessage) -> int:
    return sum(each.size_bytes for each in message.files or ())
