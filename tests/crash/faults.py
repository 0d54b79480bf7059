"""Where sync is killed: stand-ins that pass every call on, and end the process at one of them.

A crash is a BaseException, so that none of our `except Exception` catches what no process survives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.shared.buckets.contract import Bucket
from functions.shared.tables.ledger import BATCH, LedgerItem
from functions.shared.warehouse import OutcomeUnknownError, Warehouse
from functions.sync.ledger import Batch, Lease, Ledger
from functions.sync.load import EventsTable, Fetched, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.plan import Manifest

POINTS = (
    "received",
    "ledger read",
    "before plan",
    "before batch",
    "before claims",
    "half the claims",
    "after plan",
    "lease",
    "resume",
    "fetch",
    "seal",
    "probe",
    "before insert",
    "answer lost",
    "before done",
    "after done",
    "half the deletes",
    "after deletes",
    "half the acks",
)


AFTER_ANOTHER = ("lease", "resume", "probe")
"""Points that only a process reaches which finds the batch of one that has died."""


class Crash(BaseException):
    """The process is gone."""


@dataclass(slots=True)
class Trap:
    """Springs once, the first time `point` is reached."""

    point: str | None
    sprung: bool = False

    def reached(self, point: str) -> bool:
        """Whether it is sprung here and now."""
        if self.sprung or point != self.point:
            return False
        self.sprung = True
        return True

    def crash_at(self, point: str) -> None:
        if self.reached(point):
            raise Crash(point)


@dataclass(slots=True)
class Zombie:
    """An insert whose sender gave up while it was on its way: it arrives when `release` is called."""

    holds: bool = False
    held: Callable[[], None] | None = None
    release_after_probe: bool = False

    def release(self) -> None:
        if self.held:
            held, self.held = self.held, None
            held()


class TrappedTable:
    """The ledger's table, for the writes of a new batch: its manifest, the batch itself, its claims."""

    def __init__(self, table: Any, trap: Trap) -> None:
        self._table = table
        self._trap = trap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def put(self, item: LedgerItem, condition: Any = None) -> None:
        is_batch = item.entry.startswith(BATCH)
        if is_batch:
            self._trap.crash_at("before batch")
        self._table.put(item, condition)
        if is_batch:
            self._trap.crash_at("before claims")

    def insert_missing(self, items: Sequence[LedgerItem]) -> list[LedgerItem]:
        if self._trap.reached("half the claims"):
            self._table.insert_missing(items[: len(items) // 2])
            raise Crash("half the claims")
        existing: list[LedgerItem] = self._table.insert_missing(items)
        return existing


class TrappedLedger(Ledger):
    """A process's own ledger, but for the connection, which takes longer to make than a whole run."""

    def __init__(self, connected: Ledger, trap: Trap) -> None:
        vars(self).update(vars(connected))
        self._table: Any = TrappedTable(self._table, trap)
        self._trap = trap

    def claims(self, keys: Any) -> dict[str, str]:
        found = super().claims(keys)
        self._trap.crash_at("ledger read")
        return found

    def create_batch(self, manifest: Manifest, owner: str = "", seconds: float = 0) -> Batch | None:
        self._trap.crash_at("before plan")
        batch = super().create_batch(manifest, owner, seconds)
        self._trap.crash_at("after plan")
        return batch

    def lease(self, batch_id: str, owner: str, seconds: float) -> Lease | None:
        lease = super().lease(batch_id, owner, seconds)
        self._trap.crash_at("lease")
        return lease

    def seal(self, batch: Batch, gone: frozenset[str]) -> Batch:
        sealed = super().seal(batch, gone)
        self._trap.crash_at("seal")
        return sealed

    def resume(self, lease: Lease) -> Batch:
        batch = super().resume(lease)
        self._trap.crash_at("resume")
        return batch

    def done(self, batch: Batch) -> None:
        self._trap.crash_at("before done")
        super().done(batch)
        self._trap.crash_at("after done")


class TrappedStaged(StagingBucket):
    def __init__(self, bucket: Bucket, trap: Trap) -> None:
        super().__init__(bucket)
        self._trap = trap

    def fetch(self, members: tuple[StagedObject, ...]) -> Fetched:
        fetched = super().fetch(members)
        self._trap.crash_at("fetch")
        return fetched

    def delete(self, members: Sequence[StagedObject]) -> None:
        if self._trap.reached("half the deletes"):
            super().delete(members[: len(members) // 2])
            raise Crash("half the deletes")
        super().delete(members)
        self._trap.crash_at("after deletes")


@dataclass
class TrappedLoader(EventsTable):
    warehouse: Warehouse
    trap: Trap
    zombie: Zombie = field(default_factory=Zombie)

    def __post_init__(self) -> None:
        super().__init__(self.warehouse)

    def insert(self, batch: Batch, frames: bytes) -> None:
        insert = super().insert
        if self.zombie.holds:
            self.zombie.holds = False
            self.zombie.held = lambda: insert(batch, frames)
            raise OutcomeUnknownError("it may yet arrive")
        self.trap.crash_at("before insert")
        insert(batch, frames)
        if self.trap.reached("answer lost"):
            raise OutcomeUnknownError("the answer was lost")

    def count(self, batch: Batch) -> int:
        count = super().count(batch)
        if self.zombie.release_after_probe:
            self.zombie.release()
        self.trap.crash_at("probe")
        return count
