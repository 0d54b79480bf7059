"""Whose files an invocation reads: one account's, as far as it has a slot free; the others' are not held up.

An invocation gets up to ten messages. It reads files of one account. Messages of accounts whose slots are all
taken are deferred: sent anew with a delay, so they are neither in flight nor failed attempts (docs/adr/0019).
All others are handed back to the queue before anything is read, and another invocation gets them at once.
That an account's slots are taken is remembered for a second: a flood of its messages costs no question each.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from functions.shared import journal
from functions.shared.buckets.drops import Dropped
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId
from functions.uploads.gate import UsagePendingError
from functions.uploads.notices import Message, read
from functions.uploads.queue import LONGEST_PAUSE_SECONDS, DropQueue, pause_seconds

FULL_SECONDS = 1.0
"""For so long that an account's slots are taken is believed without asking."""

LONGEST_FULL_SECONDS = 10.0
"""An account that must wait for longer is asked about again then: its bucket may have been repaired."""

RETURNS_A_SECOND = 10
"""Of one account's deferred messages, to each environment that deferred them."""

MAX_DEFERRALS = 200
"""Some two days: by then the sweeper finds the file, if it is still there."""

SMALL_BYTES = 1024 * 1024
"""Of files that are read one after the other with one slot."""

MORE_SECONDS = 5.0
"""How long after its beginning an invocation still begins another file."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class NoSlot:
    """None is free now; `seconds`: until asking makes sense, None if that is not known."""

    seconds: float | None = None


class Worker(Protocol[S]):
    """What one of the drop-in functions does."""

    def owner(self, file: Dropped) -> TenantId | None:
        """Whose file it is, without reading it; None when there is nothing to do for it."""
        ...

    def take_slot(self, tenant: TenantId) -> S | NoSlot:
        """A slot to read files of `tenant`; raises RetryableError when that cannot be known now."""
        ...

    def work(self, file: Dropped, slot: S, message: Message) -> int | None:
        """Do what can be done for the file; after how many seconds its message must come back, or None.

        Raises UsagePendingError when no file of the account may be read now.
        """
        ...

    def release_slot(self, slot: S) -> None:
        """Let others have it; never raises RetryableError."""
        ...


@dataclass(slots=True)
class _Round:
    """What becomes of the messages of one invocation; those in none of these are done."""

    deferred: list[tuple[TenantId, Message]] = field(default_factory=list)
    handed_back: list[Message] = field(default_factory=list)
    retried: list[tuple[Message, int]] = field(default_factory=list)


class FairTurns(Generic[S]):
    """Shares invocations among accounts; one for each environment.

    `files_a_turn`: how many small files of an account are read with one slot.
    """

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
        """Work on an event of SQS; the answer names the messages that must come back."""
        began, outcome = self._clock(), _Round()
        theirs = self._by_owner(read(event), worker, outcome)
        turn = self._turn(theirs, worker, outcome)
        self._defer(outcome)
        self._queue.hand_back(outcome.handed_back)
        self._queue.hide(outcome.retried)
        worked = _Round()
        if turn:
            self._work(*turn, worker, worked, began)
            self._queue.hide(worked.retried)
        back = [*outcome.handed_back, *worked.handed_back]
        failed = [*back, *(message for message, _ in (*outcome.retried, *worked.retried))]
        return {"batchItemFailures": [{"itemIdentifier": each.message_id} for each in failed]}

    def _by_owner(
        self, messages: Sequence[Message], worker: Worker[S], outcome: _Round
    ) -> dict[TenantId, list[Message]]:
        """The messages that there is something to do for, by the account; one with several files is split."""
        found: dict[TenantId, list[Message]] = {}
        for message in messages:
            try:
                owners = [worker.owner(each) for each in message.files or ()]
                if message.files is None:
                    outcome.retried.append((message, pause_seconds(message.receive_count)))
                elif len(message.files) > 1:
                    for file, owner in zip(message.files, owners, strict=True):
                        if owner:
                            self._queue.tell(file)
                elif owners and owners[0]:
                    found.setdefault(owners[0], []).append(message)
            except RetryableError as fault:
                self._put_back(message, fault, outcome)
        return found

    def _turn(
        self, theirs: dict[TenantId, list[Message]], worker: Worker[S], outcome: _Round
    ) -> tuple[TenantId, S, list[Message]] | None:
        """The account whose turn it is, its slot, and its messages; the other messages are sorted."""
        turn: tuple[TenantId, S, list[Message]] | None = None
        for tenant, messages in theirs.items():
            rest = messages
            if turn is None and not self._is_full(tenant):
                try:
                    slot = worker.take_slot(tenant)
                except RetryableError as fault:
                    for each in messages:
                        self._put_back(each, fault, outcome)
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
                outcome.handed_back += rest
        return turn

    def _small(self, messages: Sequence[Message]) -> list[Message]:
        """The smallest, and others while they are small together."""
        chosen: list[Message] = []
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
        messages: list[Message],
        worker: Worker[S],
        outcome: _Round,
        began: float,
    ) -> None:
        """Read files of `tenant` one after the other; what there is no time for is handed back."""
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
            self._queue.hand_back(waiting)
            outcome.handed_back += waiting

    def _defer(self, outcome: _Round) -> None:
        """Send each deferred message anew, with a delay; where that fails it is hidden for as long."""
        copies = [
            (message, self._delay(tenant, message))
            for tenant, message in outcome.deferred
            if not self._is_let_go(tenant, message)
        ]
        outcome.retried += self._queue.defer(copies)

    def _is_let_go(self, tenant: TenantId, message: Message) -> bool:
        if message.deferrals < MAX_DEFERRALS:
            return False
        journal.write("file_let_go", tenant_id=tenant, receive_count=message.deferrals)
        return True

    def _delay(self, tenant: TenantId, message: Message) -> int:
        """Twice as long each time, and as long as the account's backlog takes; less up to half at random."""
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
        """A thousand accounts are remembered; the first noted is forgotten first."""
        notes.pop(tenant, None)
        while len(notes) >= 1000:
            del notes[next(iter(notes))]
        notes[tenant] = value

    def _put_back(self, message: Message, fault: RetryableError, outcome: _Round) -> None:
        journal.write("file_put_back", error_type=type(fault).__name__, receive_count=message.receive_count)
        outcome.retried.append((message, pause_seconds(message.receive_count)))


def _size(message: Message) -> int:
    return sum(each.size_bytes for each in message.files or ())
