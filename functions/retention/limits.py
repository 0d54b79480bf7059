"""How long each tenant's rows are kept at a moment, from what the accounts say. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.shared.access import BYOC
from functions.shared.account.retention_terms import SECONDS_A_DAY, RetentionTerms
from functions.shared.tenancy import TenantId

STRAGGLING_DAYS = 31
"""How late a row may be loaded that was stamped before its plan changed: nothing stays staged for longer."""


@dataclass(frozen=True, slots=True)
class Account:
    """Of an account, what retention goes by."""

    tenant: TenantId
    plan: str
    terms: RetentionTerms


@dataclass(frozen=True, slots=True)
class Limit:
    """A tenant's rows are kept for `days` after the day of their receipt.

    `binding`: its plan has changed, so this counts for rows that were stamped with a later day too. Without,
    they are kept until then: a figure in an account that nobody announced deletes nothing.
    """

    days: int
    binding: bool = False


Limits = Mapping[TenantId, Limit]


def days_kept(terms: RetentionTerms, now: float) -> int:
    """For how many days rows are kept at `now`, in Unix seconds.

    What new rows are stamped with is never more than what is in force, unless somebody raised it by hand
    after a change: then those rows are to have their days.
    """
    return max(terms.in_force(now).days, terms.plan_days)


def limits_of(accounts: Iterable[Account], now: float) -> dict[TenantId, Limit]:
    """The limit of each account at `now`, in Unix seconds."""
    return {
        each.tenant: Limit(days_kept(each.terms, now), binding=bool(each.terms.steps)) for each in accounts
    }


def shortened(accounts: Iterable[Account], now: float) -> list[TenantId]:
    """Tenants who may have rows that were stamped with more days than they have at `now`.

    From the first day of a shorter term until what came before it would be gone by its own day.
    """
    found = []
    for each in accounts:
        step = each.terms.in_force(now)
        if each.terms.steps and now < step.since + (step.days + STRAGGLING_DAYS) * SECONDS_A_DAY:
            found.append(each.tenant)
    return sorted(found)


def moved(accounts: Sequence[Account], now: float) -> list[TenantId]:
    """Tenants who have a cloud of their own since a while, as long as anything of before may be with us."""
    gone = {each.tenant for each in accounts if each.plan == BYOC and days_kept(each.terms, now) == 0}
    return [each for each in shortened(accounts, now) if each in gone]
