"""The path of rows through a bucket into ClickHouse: places of a person's erasure, in their order."""

from collections.abc import Callable
from datetime import datetime, timedelta

from functions.privacy.erasure.objects import Quarantined, StagedObjects, count_staged
from functions.privacy.erasure.place import ErasureClock, ErasurePlace
from functions.privacy.erasure.rows import EventRows, Rows
from functions.privacy.erasure.subject import Subject
from functions.shared.buckets.contract import Bucket

ROW_LOCATIONS = ("staged", "quarantined", "replayed", "rows")

STILL_BEING_WRITTEN = timedelta(minutes=2)
"""From the removal of a person's rows until no process that had read them before can write them again.

A replay from the quarantine lasts 29 s, sync a minute: it may quarantine rows that another run has
quarantined.
"""


def row_locations(
    subject: Subject, until: Callable[[], datetime], bucket: Bucket, rows: EventRows, time: ErasureClock
) -> dict[str, ErasurePlace]:
    """The places of ROW_LOCATIONS, for what was received before `until`.

    Rows go from staging into ClickHouse or into the quarantine, and by a replay back into staging; each step
    writes them to the new place before it deletes them from the old one. So a search of staging before and
    after the quarantine, and of the rows last, misses none.
    """
    staged = StagedObjects(bucket, subject.tenant, time, until)
    return {
        "staged": staged,
        "quarantined": Quarantined(bucket, subject, time),
        "replayed": staged,
        "rows": Rows(rows, subject, lambda: count_staged(bucket, subject.tenant, time, until()), time, until),
    }
