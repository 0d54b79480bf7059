"""The health of BYOC destinations: work slots, and a circuit that opens on failures.

One item per destination in a DynamoDB table keyed by `destination`.

*Slots*: at most SLOTS invocations work on a destination at a time, so that a slow one occupies no more of
them. A slot is a lease: if it is not released, because its thread hangs or its process died, it expires.
There are two, because a slow destination still gets twice the throughput of one; a failing one has one slot.

*Circuit*: after a failure there is no attempt before `resume_at`. The pause is 2 seconds and doubles with
each failure up to MAX_PAUSE_SECONDS, minus up to half at random. The first success closes the circuit. While
it is open, no connection is made.

The item describes the destination as a whole, never a batch: the ledger ensures correctness.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.shared.tables.health import HealthItem, HealthTable

SLOTS = 2
TAKE_TRIES = 4
"""How often a slot is asked for that another invocation acquires first."""

MAX_PAUSE_SECONDS = 900
"""SQS can hide a message for longer, but after a repair the customer should not wait longer than this."""

OUTAGE_SECONDS = 300
"""After this time a failure is an outage: its owner is notified, and its bucket replaces the queue."""


@dataclass(frozen=True, slots=True)
class DestinationHealth:
    """A destination's state: times in Unix seconds, 0 for never or not now.

    `reason`: a code word of the last failure. `notified_of`: the `failing_since` of the outage whose start
    was reported to the owner and whose end was not. `well_since`: when the circuit was closed after it.
    """

    destination: str
    failures: int = 0
    failing_since: float = 0
    resume_at: float = 0
    reason: str = ""
    well_since: float = 0
    notified_of: float = 0
    slots_until: tuple[float, ...] = (0.0,) * SLOTS

    def outage_at(self, now: float) -> bool:
        """Whether the failure has lasted so long that messages need not wait in the queue."""
        return bool(self.failures) and now - self.failing_since >= OUTAGE_SECONDS


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to work on a destination until `until`; `condition` is its state at acquisition."""

    condition: DestinationHealth
    number: int
    owner: str
    until: float


@dataclass(frozen=True, slots=True)
class SlotWait:
    """No slot now: `seconds` until the circuit permits an attempt, None when only the slots are in use."""

    condition: DestinationHealth
    seconds: float | None


class HealthStore:
    """The table. Every method raises StoreUnavailableError when DynamoDB fails; reads are consistent."""

    def __init__(self, table: str, clock: Callable[[], float] = time.time, dynamodb: Any = None) -> None:
        self._table = table
        self._clock = clock
        self._dynamodb = dynamodb
        self._made: HealthTable | None = None

    def of(self, destination: str) -> DestinationHealth:
        """The destination's state; a destination without an item is healthy."""
        return _condition(destination, self._items.get(destination))

    def is_outage(self, condition: DestinationHealth) -> bool:
        """See Condition.outage_at."""
        return condition.outage_at(self._clock())

    def seconds_until_resume(self, condition: DestinationHealth) -> float:
        """How long the circuit stays open; 0 when it is closed."""
        return max(0.0, condition.resume_at - self._clock())

    def take(self, destination: str, owner: str, seconds: float) -> Slot | SlotWait:
        """Acquire a slot for `seconds`, if the circuit permits an attempt and a slot is free.

        After a lost lease the slots are read again: one that was held at the first look may be free.
        """
        for _ in range(TAKE_TRIES):
            condition, now = self.of(destination), self._clock()
            free = _free_slots(condition, now)
            if not free:
                break
            slot = Slot(condition, free[0], owner, now + seconds)
            if self._items.lease(destination, slot.number, owner, slot.until, now):
                return slot
        return _slot_wait(condition, now)

    def wait(self, destination: str) -> SlotWait | None:
        """Why no slot can be acquired now; None when one can."""
        condition, now = self.of(destination), self._clock()
        return None if _free_slots(condition, now) else _slot_wait(condition, now)

    def record_success(self, slot: Slot) -> None:
        """Release the slot and close the circuit."""
        if not slot.condition.failures:
            self.release(slot)
            return
        self._items.close_circuit(slot.condition.destination, slot.number, slot.owner, self._clock())

    def release(self, slot: Slot) -> None:
        """Release the slot without a result for the destination."""
        self._items.release(slot.condition.destination, slot.number, slot.owner)

    def record_failure(
        self, slot: Slot, reason: str, *, keeps_slot: bool = False, anew: bool = False
    ) -> DestinationHealth:
        """Open the circuit for longer than last time, and release the slot.

        `keeps_slot`: keep the slot until it expires, because our work may still be running there.
        `anew`: the destination worked before it failed, so the failure count restarts.
        """
        now = self._clock()
        failures = 1 if anew else slot.condition.failures + 1
        resume_at = now + pause_seconds(failures)
        self._items.open_circuit(
            slot.condition.destination,
            failures,
            reason,
            now,
            resume_at,
            anew=anew,
            release=None if keeps_slot else (slot.number, slot.owner),
        )
        began = now if anew or not slot.condition.failures else slot.condition.failing_since
        return DestinationHealth(slot.condition.destination, failures, began, resume_at, reason)

    def allow_retry(self, destination: str) -> None:
        """Permit an immediate attempt, because the cause may be fixed: clear the circuit's pause."""
        self._items.end_pause(destination)

    def record_notified(self, condition: DestinationHealth) -> None:
        """Record that the owner was notified: of the outage, or, if that was already recorded, of its end."""
        if condition.notified_of:
            self._items.note_end_reported(condition.destination, condition.notified_of)
        else:
            self._items.note_outage_reported(condition.destination, condition.failing_since)

    @property
    def _items(self) -> "HealthTable":
        """Loaded on first use: query loads neither boto3 nor pynamodb for managed tenants."""
        if self._made is None:
            from functions.shared.tables.health import HealthTable

            self._made = HealthTable(self._table, self._dynamodb)
        return self._made


def _free_slots(condition: DestinationHealth, now: float) -> list[int]:
    """The numbers of the slots that can be acquired: none while the circuit is open."""
    if condition.resume_at > now:
        return []
    return [each for each in range(1 if condition.failures else SLOTS) if condition.slots_until[each] < now]


def _slot_wait(condition: DestinationHealth, now: float) -> SlotWait:
    return SlotWait(condition, condition.resume_at - now if condition.resume_at > now else None)


def pause_seconds(failures: int) -> float:
    """2, 4, 8 … seconds up to MAX_PAUSE_SECONDS, less up to half."""
    longest = min(2.0 ** min(failures, 20), MAX_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311


def _condition(destination: str, item: "HealthItem") -> DestinationHealth:
    from functions.shared.tables.health import slot_until

    return DestinationHealth(
        destination,
        failures=item.failures or 0,
        failing_since=item.failing_since or 0.0,
        resume_at=item.resume_at or 0.0,
        reason=item.reason or "",
        well_since=item.well_since or 0.0,
        notified_of=item.notified_of or 0.0,
        slots_until=tuple(slot_until(item, number) for number in range(SLOTS)),
    )
