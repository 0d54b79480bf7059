"""A notice in the outbox: its index entry, its contents, and its outcome."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from functions.shared.tenancy import TenantId

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice as listed by the index."""

    tenant: TenantId
    notice_id: str
    state: str
    due_at: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice leased until `lease_until`. `tries` counts this attempt; `mailed`: subjects already mailed."""

    tenant: TenantId
    notice_id: str
    kind: str
    title: str
    text: str = field(repr=False)
    announce: bool
    effective_on: date | None
    campaign: str | None
    mailed: frozenset[str]
    tries: int
    lease_until: str


@dataclass(frozen=True, slots=True)
class RecipientCounts:
    """A notice's readers, counted by outcome."""

    mailed: int = 0
    suppressed: int = 0
    opted_out: int = 0


def due_of(item: Item) -> DueNotice:
    """The index entry of a notice."""
    return DueNotice(
        TenantId(item["tenant_id"]["S"]), item["notice"]["S"], item["due"]["S"], item["due_at"]["S"]
    )


def notice_of(item: Item) -> Notice:
    """A notice that was just taken."""
    effective_on = item.get("effective_on", {}).get("S")
    return Notice(
        tenant=TenantId(item["tenant_id"]["S"]),
        notice_id=item["notice"]["S"],
        kind=item["kind"]["S"],
        title=item["title"]["S"],
        text=item["text"]["S"],
        announce=item["announce"]["BOOL"],
        effective_on=date.fromisoformat(effective_on) if effective_on else None,
        campaign=item.get("campaign", {}).get("S"),
        mailed=frozenset(item.get("mailed", {}).get("SS", ())),
        tries=int(item["tries"]["N"]),
        lease_until=item["due_at"]["S"],
    )
