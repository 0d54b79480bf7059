"""For how many days an account's rows are kept with us: now, and from a known moment on.

A plan that keeps more counts at once, and brings nothing back. One that keeps less counts for new rows at
once and for those that are there after GRACE_DAYS, so that a change that was a mistake can be taken back
before anything is lost. Billing writes these terms with an account's standing, in the same write; retention
reads them. A customer who moves to their own cloud is one whose rows are kept with us for 0 days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.shared.access import BYOC
from functions.shared.account.standing import Standing, standing_of

GRACE_DAYS = 7
"""Stated in docs/retention.md and in the mail that tells of the change."""

SECONDS_A_DAY = 86_400

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """From `since` (Unix seconds) on, rows are kept for `days` after the day of their receipt."""

    since: int
    days: int


@dataclass(frozen=True, slots=True)
class RetentionTerms:
    """What an account's item says of retention.

    `plan_days` is what new rows are stamped with. `steps`, oldest first, are what counts for the rows that
    are there, once a plan has changed; without any, rows keep what they were stamped with. What no longer
    counts is not kept.
    """

    plan_days: int
    steps: tuple[Step, ...] = ()

    def in_force(self, now: float) -> Step:
        """The step that counts at `now`; where no plan has ever changed, the plan's days since ever."""
        current = self.steps[0] if self.steps else Step(0, self.plan_days)
        for step in self.steps:
            if step.since <= now:
                current = step
        return current

    def pending(self, now: float) -> Step | None:
        """The first step that is yet to come: what an owner is told of, and may still avert."""
        return next((step for step in self.steps if step.since > now), None)


def terms_after(terms: RetentionTerms, standing: Standing, now: int) -> RetentionTerms:
    """The terms of an account that had `terms`, once it has `standing` at `now`; again, they stay the same.

    Fewer days come GRACE_DAYS later, after whatever is pending already. More days raise what is kept now and
    what is pending, and postpone nothing.
    """
    days = _days_of(standing)
    if days == terms.plan_days:
        return terms
    current = terms.in_force(now)
    steps = [current if current.days >= days else Step(now, days)]
    steps += [Step(step.since, max(step.days, days)) for step in terms.steps if step.since > now]
    if steps[-1].days > days:
        steps.append(Step(now + GRACE_DAYS * SECONDS_A_DAY, days))
    return RetentionTerms(days, _without_repetition(steps))


def terms_of(item: Mapping[str, Any]) -> RetentionTerms:
    """The terms in an account's item."""
    listed = item.get("retention_steps", {}).get("L", ())
    steps = (Step(int(each["M"]["since"]["N"]), int(each["M"]["days"]["N"])) for each in listed)
    return RetentionTerms(_days_of(standing_of(item)), tuple(steps))


def terms_item(terms: RetentionTerms) -> Item:
    """The attribute of an account's item that holds the terms, beside those of its standing."""
    return {"retention_steps": {"L": [_written(step) for step in terms.steps]}}


def _days_of(standing: Standing) -> int:
    return 0 if standing.plan == BYOC else standing.retention_days


def _without_repetition(steps: Iterable[Step]) -> tuple[Step, ...]:
    """A step that changes nothing says nothing."""
    kept: list[Step] = []
    for step in steps:
        if not kept or kept[-1].days != step.days:
            kept.append(step)
    return tuple(kept)


def _written(step: Step) -> Item:
    return {"M": {"since": {"N": str(step.since)}, "days": {"N": str(step.days)}}}
