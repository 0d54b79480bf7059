"""Which days of logs have had their time: a decision from values to values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

ALARM_AFTER = timedelta(days=1)
"""A partition that outlives its day by more than this means that purging does not work."""


@dataclass(frozen=True, slots=True)
class Partition:
    """All rows that expire on one day, whosever they are; `bytes` as compressed on disk."""

    expires_on: date
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """`drop`: oldest first. `keep`: the others. `overdue`: those of `drop` that should be gone by now."""

    drop: tuple[Partition, ...]
    keep: tuple[Partition, ...]
    overdue: tuple[Partition, ...]


def plan(partitions: Iterable[Partition], today: date) -> PurgePlan:
    """What to drop on `today`, a day in UTC.

    Rows that expire on a day are kept until it is over, so nothing is lost before its time; a plan of 30
    days keeps a row for 30 days at least and 31 at most.
    """
    ordered = sorted(partitions, key=lambda partition: partition.expires_on)
    drop = tuple(partition for partition in ordered if partition.expires_on < today)
    return PurgePlan(
        drop=drop,
        keep=tuple(partition for partition in ordered if partition.expires_on >= today),
        overdue=tuple(partition for partition in drop if partition.expires_on + ALARM_AFTER < today),
    )
