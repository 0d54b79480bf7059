"""Items of the table of usage, and the values in them."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from functions.billing.reporting.reported_usage import PendingReport, ReportedUsage
from functions.shared.batch_usage import DAY
from functions.shared.tenancy import TenantId

TOTAL, REPORTED, RECONCILED = "total", "reported", "reconciled#"

ALL_TENANTS = "*"
"""The partition of entries for all tenants; no tenant's id contains this character."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class UsageDay:
    """A tenant's day."""

    tenant: TenantId
    day: date
    rows: int
    raw_bytes: int
    own_rows: int = 0
    own_bytes: int = 0


def item_of(reported: ReportedUsage) -> Item:
    """The item of the reported usage."""
    pending = {} if reported.pending is None else {"pending": {"M": _attributes(reported.pending)}}
    return {**key(reported.tenant, REPORTED), **_attributes(reported), **pending}


def reported_of(tenant: TenantId, item: Item) -> ReportedUsage:
    """The reported usage in an item."""
    pending = PendingReport(**_values(item["pending"]["M"], PendingReport)) if "pending" in item else None
    return ReportedUsage(tenant, **_values(item, ReportedUsage), pending=pending)


def _attributes(thing: ReportedUsage | PendingReport) -> Item:
    """The texts and numbers of `thing`; the tenant is in its key."""
    named = {each.name: getattr(thing, each.name) for each in fields(thing)}
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in named.items()
        if name != "tenant" and isinstance(value, int | str)
    }


def _values(item: Item, kind: type[ReportedUsage | PendingReport]) -> dict[str, Any]:
    names = [each.name for each in fields(kind) if each.name in item and each.name != "pending"]
    return {name: int(item[name]["N"]) if "N" in item[name] else item[name]["S"] for name in names}


def key(tenant: str, entry: str) -> Item:
    """The key of an item."""
    return {"tenant_id": {"S": str(tenant)}, "entry": {"S": entry}}


def day_of(item: Item) -> UsageDay:
    """The day in an item."""
    names = {"rows": "rows", "raw_bytes": "bytes", "own_rows": "own_rows", "own_bytes": "own_bytes"}
    return UsageDay(
        TenantId(item["tenant_id"]["S"]),
        date.fromisoformat(item["entry"]["S"].removeprefix(DAY)),
        **{field: number(item, name) for field, name in names.items()},
    )


def number(item: Item | None, name: str) -> int:
    """A numeric attribute of an item; 0 without the item or the attribute."""
    return int(item[name]["N"]) if item and name in item else 0
