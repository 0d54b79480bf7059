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
from typing import Any

from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError

SLOTS = 2
MAX_PAUSE_SECONDS = 900
"""SQS can hide a message for longer, but after a repair the customer should not wait longer than this."""

OUTAGE_SECONDS = 300
"""After this time a failure is an outage: its owner is notified, and its bucket replaces the queue."""


class HealthUnavailableError(RetryableError):
    """DynamoDB did not answer, or throttled the request."""


class _HealthConditionError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class DestinationHealth:
    """A destination's state: times in Unix seconds, 0 for never or not now.

    `reason`: a code word of the last failure. `told_of`: the `failing_since` of the outage whose start was
    reported to the owner and whose end was not. `well_since`: when the circuit was closed after it.
    """

    destination: str
    failures: int = 0
    failing_since: float = 0
    resume_at: float = 0
    reason: str = ""
    well_since: float = 0
    told_of: float = 0
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
    """The table. Every method raises HealthUnavailableError when DynamoDB fails; reads are consistent."""

    def __init__(self, table: str, clock: Callable[[], float] = time.time, dynamodb: Any = None) -> None:
        self._table = table
        self._clock = clock
        self._dynamodb = dynamodb

    def of(self, destination: str) -> DestinationHealth:
        """The destination's state; a destination without an item is healthy."""
        found = self._call("get_item", destination, ConsistentRead=True).get("Item", {})
        return _condition(destination, found)

    def is_outage(self, condition: DestinationHealth) -> bool:
        """See Condition.outage_at."""
        return condition.outage_at(self._clock())

    def seconds_until_resume(self, condition: DestinationHealth) -> float:
        """How long the circuit stays open; 0 when it is closed."""
        return max(0.0, condition.resume_at - self._clock())

    def take(self, destination: str, owner: str, seconds: float) -> Slot | SlotWait:
        """Acquire a slot for `seconds`, if the circuit permits an attempt and a slot is free."""
        condition, now = self.of(destination), self._clock()
        if condition.resume_at > now:
            return SlotWait(condition, condition.resume_at - now)
        for number in range(1 if condition.failures else SLOTS):
            if condition.slots_until[number] >= now:
                continue
            slot = Slot(condition, number, owner, now + seconds)
            if self._acquire(slot, now):
                return slot
        return SlotWait(condition, None)

    def record_success(self, slot: Slot) -> None:
        """Release the slot and close the circuit."""
        mended = (
            f"SET {_until(slot)} = :zero, well_since = :now REMOVE failures, failing_since, resume_at, reason"
        )
        if not slot.condition.failures:
            self.release(slot)
            return
        self._update(slot.condition.destination, mended, _owned(slot), _values(slot, now=self._clock()))

    def release(self, slot: Slot) -> None:
        """Release the slot without a result for the destination."""
        self._update(slot.condition.destination, f"SET {_until(slot)} = :zero", _owned(slot), _values(slot))

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
        since = ":now" if anew else "if_not_exists(failing_since, :now)"
        until = "" if keeps_slot else f", {_until(slot)} = :zero"
        self._update(
            slot.condition.destination,
            "SET failures = :failures, resume_at = :resume_at, reason = :reason, "
            f"failing_since = {since}{until}",
            None if keeps_slot else _owned(slot),
            {
                ":now": _number(now),
                ":failures": _number(failures),
                ":resume_at": _number(resume_at),
                ":reason": {"S": reason},
                **({} if keeps_slot else _values(slot)),
            },
        )
        began = now if anew or not slot.condition.failures else slot.condition.failing_since
        return DestinationHealth(slot.condition.destination, failures, began, resume_at, reason)

    def allow_retry(self, destination: str) -> None:
        """Permit an immediate attempt, because the cause may be fixed: clear the circuit's pause."""
        self._update(destination, "REMOVE resume_at", "attribute_exists(resume_at)", {})

    def record_notified(self, condition: DestinationHealth) -> None:
        """Record that the owner was notified: of the outage, or, if that was already recorded, of its end."""
        if condition.told_of:
            known = {":told_of": _number(condition.told_of)}
            self._update(condition.destination, "REMOVE told_of", "told_of = :told_of", known)
            return
        since = {":since": _number(condition.failing_since)}
        self._update(condition.destination, "SET told_of = :since", "attribute_not_exists(told_of)", since)

    def _acquire(self, slot: Slot, now: float) -> bool:
        until = _until(slot)
        return self._update(
            slot.condition.destination,
            f"SET {until} = :until, {_owner(slot)} = :owner",
            f"(attribute_not_exists({until}) OR {until} < :now) "
            "AND (attribute_not_exists(resume_at) OR resume_at <= :now)",
            {":until": _number(slot.until), ":owner": {"S": slot.owner}, ":now": _number(now)},
        )

    def _update(self, destination: str, change: str, condition: str | None, values: dict[str, Any]) -> bool:
        """Update the item; whether the condition held."""
        parameters: dict[str, Any] = {"UpdateExpression": change}
        if condition:
            parameters["ConditionExpression"] = condition
        if values:
            parameters["ExpressionAttributeValues"] = values
        try:
            self._call("update_item", destination, **parameters)
        except _HealthConditionError:
            return False
        return True

    def _call(self, operation: str, destination: str, **parameters: Any) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        key = {"destination": {"S": destination}}
        return asked(
            lambda: getattr(self._dynamodb, operation)(TableName=self._table, Key=key, **parameters), _failure
        )


def pause_seconds(failures: int) -> float:
    """2, 4, 8 … seconds up to MAX_PAUSE_SECONDS, less up to half."""
    longest = min(2.0 ** min(failures, 20), MAX_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311


def _condition(destination: str, item: dict[str, Any]) -> DestinationHealth:
    def number(name: str) -> float:
        return float(item[name]["N"]) if name in item else 0.0

    return DestinationHealth(
        destination,
        failures=int(number("failures")),
        failing_since=number("failing_since"),
        resume_at=number("resume_at"),
        reason=item.get("reason", {}).get("S", ""),
        well_since=number("well_since"),
        told_of=number("told_of"),
        slots_until=tuple(number(f"slot_{each}_until") for each in range(SLOTS)),
    )


def _until(slot: Slot) -> str:
    return f"slot_{slot.number}_until"


def _owner(slot: Slot) -> str:
    return f"slot_{slot.number}_owner"


def _owned(slot: Slot) -> str:
    return f"{_owner(slot)} = :owner"


def _values(slot: Slot, **numbers: float) -> dict[str, Any]:
    return {
        ":owner": {"S": slot.owner},
        ":zero": _number(0),
        **{f":{name}": _number(value) for name, value in numbers.items()},
    }


def _number(value: float) -> dict[str, str]:
    return {"N": repr(float(value)) if value % 1 else str(int(value))}


def _failure(code: str) -> Exception:
    if code == "ConditionalCheckFailedException":
        return _HealthConditionError()
    return HealthUnavailableError(f"the table of health: {code}")
