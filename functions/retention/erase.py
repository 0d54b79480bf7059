"""Erasure: rows that tell of somebody are removed for good, wherever they are on their way.

Level-triggered: `erase` is run again until it says that nothing is left, and running it once more does no
harm. Rows still staged are not touched: they load first, a minute later, and the next run has them. To take
them out of their objects would change batches that are written down already, and to erase the rows of a batch
that is not done would look to sync like a batch that broke.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from functions.retention.subject import Subject
from functions.shared.tenancy import TenantId

STILL_BEING_STAGED = timedelta(minutes=1)
"""Longer than a request that was received before the erasure can take to put its object."""


class Rows(Protocol):
    """The events table of one warehouse."""

    def count(self, subject: Subject, until: datetime) -> int:
        """How many of the subject's rows that were received before `until` there are."""

    def erase(self, subject: Subject, until: datetime) -> None:
        """Remove them. On return no query finds them, and no part that is read holds them."""


class Underway(Protocol):
    """What is staged and what was set aside."""

    def forget_quarantined(self, subject: Subject) -> int:
        """Take the subject's rows out of the quarantine; return how many."""

    def waiting(self, tenant: TenantId, until: datetime) -> int:
        """How many staged objects may hold rows of `tenant` that were received before `until`."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What a run did and found. `verified`: it found nothing left in any place, nor can anything come."""

    rows: int
    quarantined: int
    waiting: int
    verified: bool


def erase(rows: Rows, underway: Underway, subject: Subject, until: datetime, now: datetime) -> Erased:
    """Erase what was received of the subject before `until`, which is when the erasure was asked for.

    The order matters: a replay from the quarantine stages its rows before it forgets them there, so that
    whoever looks at the quarantine first and at staging next misses none.
    """
    quarantined = underway.forget_quarantined(subject)
    waiting = underway.waiting(subject.tenant, until)
    if waiting or now < until + STILL_BEING_STAGED:
        return Erased(0, quarantined, waiting, verified=False)
    found = rows.count(subject, until)
    if found:
        rows.erase(subject, until)
    clean = quarantined == 0 and rows.count(subject, until) == 0
    return Erased(found, quarantined, 0, verified=clean)
