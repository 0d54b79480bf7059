"""One run of the purge: what is due is dropped, each partition for itself."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from functions.retention.plan import Partition, plan
from functions.shared import journal
from functions.shared.errors import AstralogError


class Store(Protocol):
    """Where logs lie in partitions, one a day of expiry; see functions.retention.partitions."""

    def all(self) -> list[Partition]:
        """Every partition that holds rows."""

    def drop(self, partition: Partition) -> None:
        """Drop every row of `partition`; one that is gone already is no fault."""


@dataclass(frozen=True, slots=True)
class Purged:
    """What a run did.

    `partitions`, `rows` and `bytes` were dropped; `failed` partitions were due and are still there,
    `overdue` of them for more than a day; `oldest_left` is the first day of expiry that still has rows.
    """

    partitions: int
    rows: int
    bytes: int
    failed: int
    overdue: int
    oldest_left: str | None


def purge(store: Store, today: date) -> Purged:
    """Drop what expired before `today`, a day in UTC. A drop that fails leaves the others to go on."""
    planned = plan(store.all(), today)
    dropped = {partition for partition in planned.drop if _drop(store, partition)}
    left = [partition for partition in (*planned.drop, *planned.keep) if partition not in dropped]
    return Purged(
        partitions=len(dropped),
        rows=sum(partition.rows for partition in dropped),
        bytes=sum(partition.bytes for partition in dropped),
        failed=len(planned.drop) - len(dropped),
        overdue=len(set(planned.overdue) - dropped),
        oldest_left=left[0].expires_on.isoformat() if left else None,
    )


def _drop(store: Store, partition: Partition) -> bool:
    day = partition.expires_on.isoformat()
    try:
        store.drop(partition)
    except AstralogError as fault:
        journal.write("purge_failed", expires_on=day, error_type=type(fault).__name__, reason=str(fault))
        return False
    journal.write("purged", expires_on=day, rows=partition.rows, bytes=partition.bytes)
    return True
