"""A notice in the outbox: its index entry, its contents, and its outcome."""

from dataclasses import dataclass, field
from datetime import date

from functions.shared.tables.notices import NoticeItem
from functions.shared.tenancy import TenantId


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


def due_of(item: NoticeItem) -> DueNotice:
    """The index entry of a notice."""
    return DueNotice(TenantId(item.tenant_id), item.notice, item.due, item.due_at)


def notice_of(item: NoticeItem) -> Notice:
    """A notice that was just taken."""
    return Notice(
        tenant=TenantId(item.tenant_id),
        notice_id=item.notice,
        kind=item.kind,
        title=item.title,
        text=item.text,
        announce=item.announce,
        effective_on=date.fromisoformat(item.effective_on) if item.effective_on else None,
        campaign=item.campaign,
        mailed=frozenset(item.mailed or ()),
        tries=item.tries,
        lease_until=item.due_at,
    )
