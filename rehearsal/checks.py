"""What must hold at the end of every rehearsal, whatever its scenarios."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rehearsal.alarms import ringing
from rehearsal.at_rest import unreadable_stores
from rehearsal.calls import API
from rehearsal.deployed import Deployed
from rehearsal.site import CUSTOMERS_USER, WAREHOUSE_USER
from rehearsal.triggers import forbidden_triggers

EVERY_FUNCTION = "every function was invoked"


@dataclass(frozen=True, slots=True)
class Check:
    """A check; `faults` is empty if it holds."""

    name: str
    faults: list[str]


def final_checks(here: Deployed, calls: list[dict[str, Any]], expected: frozenset[str]) -> list[Check]:
    """All checks, in the order of the report. `expected`: the metrics whose alarms were to ring."""
    return [
        Check("every trigger may invoke its function", forbidden_triggers(here.cloud)),
        Check("every role may use the key of the data that it reads", unreadable_stores(here.cloud)),
        Check("no call was denied", _denied(calls)),
        Check("no message is in a dead-letter queue", _dead_letters(here)),
        Check("no invocation failed", [f"{name}: {count}" for name, count in here.cloud.errors().items()]),
        Check("the expected alarms rang, and no others", _alarms(here, calls, expected)),
        Check(EVERY_FUNCTION, _never_invoked(here)),
        Check("every accepted row is stored exactly once", _rows(here)),
    ]


def after_an_upgrade(here: Deployed, calls: list[dict[str, Any]]) -> list[Check]:
    """The checks that hold although a deployment failed before, and without all scenarios."""
    return [
        Check("every trigger may invoke its function", forbidden_triggers(here.cloud)),
        Check("every role may use the key of the data that it reads", unreadable_stores(here.cloud)),
        Check("no call was denied", _denied(calls)),
        Check("no message is in a dead-letter queue", _dead_letters(here)),
        Check("every accepted row is stored exactly once", _rows(here)),
    ]


def _denied(calls: list[dict[str, Any]]) -> list[str]:
    return sorted({each["denied"] for each in calls if each["denied"]})


def _dead_letters(here: Deployed) -> list[str]:
    return [f"{queue}: {len(bodies)}" for queue, bodies in here.cloud.dead_letters().items()]


def _alarms(here: Deployed, calls: list[dict[str, Any]], expected: frozenset[str]) -> list[str]:
    rang = ringing(here.cloud, calls)
    silent = expected - {each.metric for each in rang}
    return [str(each) for each in rang if each.metric not in expected] + [
        f"{metric} has no alarm that rang" for metric in sorted(silent)
    ]


def _never_invoked(here: Deployed) -> list[str]:
    return [name for name, count in here.cloud.invocations().items() if not count]


def _rows(here: Deployed) -> list[str]:
    faults = []
    for customer in here.customers:
        sql = f"SELECT message FROM events WHERE tenant_id = '{customer.tenant}'"  # noqa: S608 - our own id
        found = here.rows(sql, CUSTOMERS_USER if customer.has_own_clickhouse else WAREHOUSE_USER)
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
