"""The erasure of a person's rows by itself: all that can be done at one moment, with nothing written down."""

from dataclasses import dataclass, replace
from datetime import datetime

from functions.privacy.erasure.objects import STILL_BEING_STAGED
from functions.privacy.erasure.place import ErasureClock
from functions.privacy.erasure.record import PERSON, RUNNING, Erasure
from functions.privacy.erasure.row_locations import row_locations
from functions.privacy.erasure.rows import EventRows
from functions.privacy.erasure.run import ErasureRun
from functions.privacy.erasure.subject import Subject
from functions.shared.buckets.contract import Bucket
from functions.shared.warehouse import Warehouse

PATIENCE_SECONDS = 60.0
"""A busy machine rewrites a part in more than the eraser's own patience, which leaves it to its next run."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed, whether anything was waited for, and whether nothing is left."""

    rows: int
    quarantined: int
    waited: bool
    verified: bool


class Unwritten:
    """Takes every change of an erasure for written down."""

    def save(self, erasure: Erasure) -> Erasure:
        return replace(erasure, revision=erasure.revision + 1)


def erase(warehouse: Warehouse, bucket: Bucket, subject: Subject, until: datetime, now: datetime) -> Erased:
    """Erase what was received of `subject` before `until`, as of `now`."""
    time = ErasureClock(now.timestamp, lambda: 300.0)
    asked_at = int(until.timestamp())
    erasure = Erasure(subject.tenant, "era_1", PERSON, RUNNING, asked_at, asked_at, subject)
    work = ErasureRun(erasure, quiet_at=(until + STILL_BEING_STAGED).timestamp())
    work.places |= row_locations(subject, lambda: until, bucket, EventRows(warehouse, PATIENCE_SECONDS), time)
    verified = work.advance(Unwritten(), time)
    progress = work.erasure.progress
    return Erased(
        progress.removed.get("rows", 0),
        progress.removed.get("quarantined", 0),
        waited="staged" in progress.pending,
        verified=verified,
    )
