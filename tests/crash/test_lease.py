"""What happened to a batch between planning it and writing it down must not go unnoticed."""

from dataclasses import dataclass, field
from random import Random

import pytest

from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.ledger import Batch, Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.plan import Manifest
from functions.sync.settle import Settler
from tests.crash.faults import Crash, Trap, TrappedLedger, TrappedLoader
from tests.crash.world import TABLE, World, found, later, stage

TIME = Deadline(lambda: 60.0, 30.0)
PAST_THE_LEASE_SECONDS = 91


@dataclass
class CountingLoader(EventsTable):
    warehouse: Warehouse
    inserted: list[str] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.warehouse)

    def insert(self, batch: Batch, frames: bytes) -> None:
        self.inserted.append(batch.batch_id)
        super().insert(batch, frames)

    def count(self, batch: Batch) -> int:
        self.probed.append(batch.batch_id)
        return super().count(batch)


class _OutpacedLedger(Ledger):
    """Before it writes a batch, another delivery loads the same one and dies before it says so."""

    def __init__(self, here: World, other: Settler, settled: object) -> None:
        super().__init__(TABLE, here.clock)
        self._here, self._other, self._settled = here, other, settled
        self._outpaced = False

    def create_batch(self, manifest: Manifest, owner: str = "", seconds: float = 0) -> Batch | None:
        if not self._outpaced:
            self._outpaced = True
            with pytest.raises(Crash):
                self._other.settle(self._settled, TIME)  # type: ignore[arg-type]
            later(self._here, seconds=PAST_THE_LEASE_SECONDS)
        return super().create_batch(manifest, owner, seconds)


def test_an_insert_between_planning_and_writing_down_is_probed_for_and_not_repeated(here: World) -> None:
    cast = stage(here, Random(1), "outpaced", 5)
    trap = Trap("before done")
    trapped = TrappedLedger(here.ledger, trap)
    other = Settler(
        trapped, BatchProcessor(trapped, StagingBucket(here.bucket), TrappedLoader(here.warehouse, trap))
    )
    ledger, loader = _OutpacedLedger(here, other, cast.objects), CountingLoader(here.warehouse)
    settled = Settler(ledger, BatchProcessor(ledger, StagingBucket(here.bucket), loader)).settle(
        cast.objects, TIME
    )
    assert settled == {each.key for each in cast.objects}
    assert (len(loader.probed), loader.inserted) == (1, [])
    assert found(here.warehouse, cast) == cast.expected


def test_a_new_batch_is_inserted_without_a_probe(here: World) -> None:
    cast = stage(here, Random(2), "undisturbed", 5)
    loader = CountingLoader(here.warehouse)
    settled = Settler(here.ledger, BatchProcessor(here.ledger, StagingBucket(here.bucket), loader)).settle(
        cast.objects, TIME
    )
    assert settled == {each.key for each in cast.objects}
    assert (loader.probed, len(loader.inserted)) == ([], 1)
    assert found(here.warehouse, cast) == cast.expected
