"""Retention terms: for how many days we keep an account's rows, now and from known times on.

A plan with longer retention applies immediately, and restores nothing. A plan with shorter retention applies
to new rows immediately and to existing rows after GRACE_DAYS, so that a mistaken change can be reverted
before data is lost. Billing writes these terms together with the account status; retention reads them. After
a move to BYOC, our ClickHouse keeps the account's rows for 0 days.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.shared.access import BYOC
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.plans import Plan

GRACE_DAYS = 7
"""Stated in docs/retention.md and in the mail about the change."""

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class RetentionStep:
    """From `since` (Unix seconds) on, rows are kept for `days` after the day of receipt."""

    since: int
    days: int


@dataclass(frozen=True, slots=True)
class RetentionTerms:
    """The retention attributes of an account's item.

    `plan_days`: written into new rows. `steps`, oldest first: the retention of existing rows after a plan
    change; without steps, rows keep the retention they were written with. Steps that no longer apply are not
    stored.
    """

    plan_days: int
    steps: tuple[RetentionStep, ...] = ()

    def in_force(self, now: float) -> RetentionStep:
        """The step in force at `now`; if the plan has never changed, the plan's days since the beginning."""
        current = self.steps[0] if self.steps else RetentionStep(0, self.plan_days)
        for step in self.steps:
            if step.since <= now:
                current = step
        return current

    @property
    def managed_until(self) -> int:
        """Until then our ClickHouse keeps rows from before a move to BYOC (Unix seconds); 0 without a move.

        The purge deletes them within the hour after that.
        """
        moved = (step.since for step in self.steps if step.days == 0) if self.plan_days == 0 else ()
        return next(iter(moved), 0)

    def pending(self, now: float) -> RetentionStep | None:
        """The first future step: the owner is notified of it, and can still prevent it."""
        return next((step for step in self.steps if step.since > now), None)


def terms_after(terms: RetentionTerms, account_status: AccountStatus, now: int) -> RetentionTerms:
    """The terms of an account that had `terms` and gets `account_status` at `now`; a repeat changes nothing.

    Fewer days take effect after GRACE_DAYS, behind any pending step. More days raise the retention in force
    and all pending steps, and postpone nothing.
    """
    days = days_of_status(account_status)
    if days == terms.plan_days:
        return terms
    current = terms.in_force(now)
    steps = [current if current.days >= days else RetentionStep(now, days)]
    steps += [RetentionStep(step.since, max(step.days, days)) for step in terms.steps if step.since > now]
    if steps[-1].days > days:
        steps.append(RetentionStep(now + GRACE_DAYS * SECONDS_A_DAY, days))
    return RetentionTerms(days, _without_repetition(steps))


def days_of_plan(plan: Plan) -> int:
    """The days for which we keep the rows of `plan`."""
    return 0 if plan.name == BYOC else plan.retention_days


def days_of_status(account_status: AccountStatus) -> int:
    """Like `days_of_plan`, but from the account's actual retention, which an operator may have changed."""
    return 0 if account_status.plan == BYOC else account_status.retention_days


def _without_repetition(steps: Iterable[RetentionStep]) -> tuple[RetentionStep, ...]:
    """Remove steps that do not change the days."""
    kept: list[RetentionStep] = []
    for step in steps:
        if not kept or kept[-1].days != step.days:
            kept.append(step)
    return tuple(kept)
