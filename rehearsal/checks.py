"""What must hold at the end of every rehearsal, whatever its scenarios."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rehearsal.calls import API
from rehearsal.deployed import Deployed


@dataclass(frozen=True, slots=True)
class Check:
    """A check; `faults` is empty if it holds."""

    name: str
    faults: list[str]


def final_checks(here: Deployed, calls: list[dict[str, Any]]) -> list[Check]:
    """All checks, in the order of the report."""
    return [
        Check("no call was denied", _denied(calls)),
        Check("no message is in a dead-letter queue", _dead_letters(here)),
        Check("no invocation failed", [f"{name}: {count}" for name, count in here.cloud.errors().items()]),
        Check("every function was invoked", _never_invoked(here)),
        Check("every accepted row is stored exactly once", _rows(here)),
    ]


def _denied(calls: list[dict[str, Any]]) -> list[str]:
    return sorted({each["denied"] for each in calls if each["denied"]})


def _dead_letters(here: Deployed) -> list[str]:
    return [f"{queue}: {len(bodies)}" for queue, bodies in here.cloud.dead_letters().items()]


def _never_invoked(here: Deployed) -> list[str]:
    return [name for name, count in here.cloud.invocations().items() if not count]


def _rows(here: Deployed) -> list[str]:
    faults = []
    for customer in here.customers:
        found = here.rows(f"SELECT message FROM events WHERE tenant_id = '{customer.tenant}'")  # noqa: S608
        faults += differences(customer.name, customer.sent, (row["message"] for row in found))
    return faults


def differences(name: str, sent: Iterable[str], stored: Iterable[str]) -> list[str]:
    """Sentences about rows that are missing, doubled or were never sent."""
    wanted, there = Counter(sent), Counter(stored)
    missing, more = sum((wanted - there).values()), sum((there - wanted).values())
    return [f"{name}: {missing} rows are missing, {more} are too many"] if missing or more else []


def requests_of(calls: list[dict[str, Any]]) -> int:
    """The requests to our own API."""
    return sum(each["count"] for each in calls if each["service"] == API)
