"""For how long each tenant's rows are kept at a point in time, according to the accounts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.shared.access import BYOC
from functions.shared.accounts.retention_terms import SECONDS_A_DAY, RetentionTerms
from functions.shared.tenancy import TenantId

STRAGGLING_DAYS = 31
"""How late a row may be loaded that was stamped before a change of plan: no object stays staged longer."""


@dataclass(frozen=True, slots=True)
class AccountRetention:
    """The attributes of an account that retention uses."""

    tenant: TenantId
    plan: str
    terms: RetentionTerms


@dataclass(frozen=True, slots=True)
class Limit:
    """A tenant's rows are kept for `days` after the day of their receipt.

    `binding`: its plan has changed, so the limit also applies to rows that are stamped with a later day.
    Otherwise they are kept until that day: a figure that was changed in an account without notice deletes
    nothing.
    """

    days: int
    binding: bool = False


Limits = Mapping[TenantId, Limit]


def days_kept(terms: RetentionTerms, now: float) -> int:
    """For how many days rows are kept at `now`, in Unix seconds.

    New rows are never stamped with more days than are in force, unless an operator raised the stamp by hand
    after a change: then those rows get their days.
    """
    return max(terms.in_force(now).days, terms.plan_days)


def limits_of(accounts: Iterable[AccountRetention], now: float) -> dict[TenantId, Limit]:
    """The limit of each account at `now`, in Unix seconds."""
    return {
        each.tenant: Limit(days_kept(each.terms, now), binding=bool(each.terms.steps)) for each in accounts
    }


def shortened(accounts: Iterable[AccountRetention], now: float) -> list[TenantId]:
    """Tenants who may have rows that were stamped with more days than they have at `now`.

    A tenant is listed from the first day of a shorter term until all earlier rows have reached their own
    expiry day.
    """
    found = []
    for each in accounts:
        step = each.terms.in_force(now)
        if each.terms.steps and now < step.since + (step.days + STRAGGLING_DAYS) * SECONDS_A_DAY:
            found.append(each.tenant)
    return sorted(found)


def moved_to_byoc(accounts: Sequence[AccountRetention], now: float) -> list[TenantId]:
    """Tenants who moved to BYOC a while ago, while we may still store anything from before the move."""
    gone = {each.tenant for each in accounts if each.plan == BYOC and days_kept(each.terms, now) == 0}
    return [each for each in shortened(accounts, now) if each in gone]
