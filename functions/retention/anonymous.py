"""Anonymous telemetry: a day's usage in groups of tenants so large that no figure reveals a tenant. Pure.

A group is published when it has at least MIN_TENANTS tenants, all of which used something, and none of which
used more than LARGEST_SHARE of it. All other groups are merged into one. If that is not enough, the smallest
published groups are merged too, so that subtraction reveals no unpublished group: either every tenant is in
exactly one published group, or no group is published. There is no total beside the groups. Figures are
rounded to two digits.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from functions.shared.errors import PermanentError
from functions.shared.plans import PLANS
from functions.shared.tenancy import TenantId

MIN_TENANTS = 10
LARGEST_SHARE = 0.5

OTHER = "other"
"""The group of all merged groups."""

VOLUME, SERVICE, WITHHELD = "volume", "service", "withheld"

FIELDS: Mapping[str, frozenset[str]] = {
    VOLUME: frozenset({"kind", "day", "group", "tenants", "rows", "bytes"}),
    SERVICE: frozenset(
        {
            "kind", "day", "function", "requests", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms",
            "server_error_share", "rejected_share",
        }
    ),
    WITHHELD: frozenset({"kind", "day", "what"}),
}  # fmt: skip
"""All fields that are ever written, by the kind of line; docs/telemetry.md explains each."""

Line = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class TenantUsage:
    """What one tenant stored in a day. `raw_bytes`: as NDJSON, before compression."""

    tenant: TenantId
    plan: str
    rows: int
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class FunctionHealth:
    """The health of one of our functions on a day; None for unknown figures. Shares are from 0 to 1."""

    function: str
    requests: float
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    server_error_share: float | None
    rejected_share: float | None


def document(used: Iterable[TenantUsage], vitals: Iterable[FunctionHealth], day: date) -> list[Line]:
    """The lines of `day`: how much was stored, by plan, and the health of the service.

    If fewer than MIN_TENANTS used anything on that day, the only line says that the day is withheld.
    """
    active = [each for each in used if each.rows > 0 and each.raw_bytes > 0]
    groups = publishable_groups(active)
    lines: list[Line] = [_volume(name, groups[name], day) for name in sorted(groups)]
    if not groups:
        lines.append({"kind": WITHHELD, "day": day.isoformat(), "what": VOLUME})
    if len(active) >= MIN_TENANTS:
        lines += [_service(each, day) for each in vitals]
    else:
        lines.append({"kind": WITHHELD, "day": day.isoformat(), "what": SERVICE})
    return [allowed(line) for line in lines]


def publishable_groups(active: Iterable[TenantUsage]) -> dict[str, list[TenantUsage]]:
    """Groups by plan that may all be published; none if even one group of all tenants may not be.

    A plan outside the catalogue was made for one customer, and its name may identify that customer.
    """
    by_plan: dict[str, list[TenantUsage]] = defaultdict(list)
    for each in active:
        by_plan[each.plan if each.plan in PLANS else OTHER].append(each)
    shown = {plan: group for plan, group in by_plan.items() if plan != OTHER and may_be_shown(group)}
    other = [each for plan, group in by_plan.items() if plan not in shown for each in group]
    while other and not may_be_shown(other):
        if not shown:
            return {}
        smallest = min(shown, key=lambda plan: (len(shown[plan]), plan))
        other += shown.pop(smallest)
    return {**shown, OTHER: other} if other else shown


def may_be_shown(group: Sequence[TenantUsage]) -> bool:
    """Whether the sums of `group` reveal none of its tenants."""
    if len(group) < MIN_TENANTS:
        return False
    return all(
        max(amounts) <= LARGEST_SHARE * sum(amounts)
        for amounts in ([each.rows for each in group], [each.raw_bytes for each in group])
    )


def allowed(line: Line) -> Line:
    """`line`, if the list FIELDS has all of its fields.

    Raises
    ------
    PermanentError: a bug; nothing is written.
    """
    unknown = line.keys() - FIELDS[str(line["kind"])]
    if unknown:
        raise PermanentError(f"telemetry has fields that are not on the list: {sorted(unknown)}")
    return line


def two_digits(number: float) -> int:
    """`number`, a whole number from 0 on, rounded to its first two digits."""
    whole = round(number)
    return round(whole, min(2 - len(str(whole)), 0))


def _volume(name: str, group: Sequence[TenantUsage], day: date) -> Line:
    return {
        "kind": VOLUME,
        "day": day.isoformat(),
        "group": name,
        "tenants": two_digits(len(group)),
        "rows": two_digits(sum(each.rows for each in group)),
        "bytes": two_digits(sum(each.raw_bytes for each in group)),
    }


def _service(each: FunctionHealth, day: date) -> Line:
    return {
        "kind": SERVICE,
        "day": day.isoformat(),
        "function": each.function,
        "requests": two_digits(each.requests),
        "latency_p50_ms": _rounded(each.latency_p50_ms, 0),
        "latency_p95_ms": _rounded(each.latency_p95_ms, 0),
        "latency_p99_ms": _rounded(each.latency_p99_ms, 0),
        "server_error_share": _rounded(each.server_error_share, 4),
        "rejected_share": _rounded(each.rejected_share, 4),
    }


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)


def encoded(lines: Iterable[Line]) -> bytes:
    """NDJSON."""
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
