"""Find tenants with rows where none may be, from the rows themselves and not from earlier actions. Pure.

A partition's name says when its rows were to expire on the day they arrived. It does not say what the
tenants' plans say today, nor which tenants the rows belong to. So the census asks for each tenant: when was
its oldest row received?
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.retention.limits import AccountRetention, days_kept
from functions.retention.plan import Cut
from functions.shared.access import BYOC
from functions.shared.tenancy import TenantId

ALARM_AFTER = timedelta(days=1)
"""Rows that exceed their limit by more than this mean that purging does not work."""


@dataclass(frozen=True, slots=True)
class TenantRowCount:
    """The rows of one tenant, by `tenant_id` as rows have it: how many, and when the oldest was received."""

    tenant: str
    oldest: datetime
    rows: int


def past_retention(
    found: Iterable[TenantRowCount], accounts: Iterable[AccountRetention], now: datetime
) -> list[Cut]:
    """The tenants with rows that exceed their limit by ALARM_AFTER: rows received before the cut's day.

    A row's limit is the end of the last day that its tenant's plan gives it, or the time at which a shorter
    plan took effect, if that is later. The plan decides, whatever expiry day the rows are stamped with.
    """
    days_of = {each.tenant: _days_allowed(each, now) for each in accounts if not _is_byoc_only(each, now)}
    late: dict[int, list[TenantId]] = defaultdict(list)
    day = (now - ALARM_AFTER).date()
    for each in found:
        if each.tenant in days_of:
            days = days_of[TenantId(each.tenant)]
            if each.oldest.astimezone(UTC).date() < day - timedelta(days=days):
                late[days].append(TenantId(each.tenant))
    return [Cut(tuple(sorted(late[days])), day - timedelta(days=days)) for days in sorted(late)]


def byoc_tenants(accounts: Iterable[AccountRetention], now: datetime) -> list[TenantId]:
    """BYOC tenants of whom we may store nothing; not those in the grace period of their previous plan."""
    return sorted(each.tenant for each in accounts if _is_byoc_only(each, now))


def rows_of(tenants: Sequence[TenantId], found: Iterable[TenantRowCount]) -> dict[TenantId, int]:
    """How many rows each of `tenants` has; tenants without rows are left out."""
    wanted = frozenset(tenants)
    return {TenantId(each.tenant): each.rows for each in found if each.tenant in wanted}


def rows_without_account(found: Iterable[TenantRowCount], accounts: Iterable[AccountRetention]) -> int:
    """How many rows belong to tenants without an account."""
    known = frozenset(each.tenant for each in accounts)
    return sum(each.rows for each in found if each.tenant not in known)


def _is_byoc_only(account: AccountRetention, now: datetime) -> bool:
    return account.plan == BYOC and _days_allowed(account, now) == 0


def _days_allowed(account: AccountRetention, now: datetime) -> int:
    """The longest retention, in days, that was in force in the time since ALARM_AFTER ago."""
    moments = (now, now - ALARM_AFTER)
    return max(days_kept(account.terms, moment.timestamp()) for moment in moments)
