"""Sync of two versions on one ledger: an upgrade with batches open, a rollback, and both at once.

A batch of the earlier version is finished by either. A batch of this version waits while only the earlier one
runs: its messages stay on the queue, and nothing is lost or doubled.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, repeat
from random import Random
from typing import Any

import pytest

from functions.billing.usage.count_transactions import plan_transactions
from functions.billing.usage.done_batches import DoneBatches
from functions.query.tailing.commit_reader import CommitReader
from functions.shared.tables.ledger import BATCH, LedgerItem
from functions.shared.tables.table import Table
from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.ledger import DONE, PLANNED, Batch, Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.plan import plan
from functions.sync.settle import Settler
from tests.crash.earlier_ledger import EarlierLedger, earlier_id
from tests.crash.faults import (
    AFTER_ANOTHER,
    POINTS,
    Trap,
    TrappedLedger,
    TrappedLoader,
    TrappedStaged,
    Zombie,
)
from tests.crash.runs import Make, Settles, real, run
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.world import TABLE, Cast, World, found, later, stage

TIME = Deadline(lambda: 60.0, 30.0)
PAST_THE_LEASE_SECONDS = 91

IN_THE_TABLE = {"before batch", "before claims", "half the claims"}
EARLIER_POINTS = tuple(point for point in POINTS if point not in IN_THE_TABLE)
"""The traps in the table are those of this version's ledger."""


class TrappedEarlierLedger(TrappedLedger):
    """The traps of TrappedLedger, around the earlier version's methods."""

    def __init__(self, connected: Ledger, trap: Trap) -> None:
        self._earlier = EarlierLedger(TABLE, connected._clock, connected._client)
        self._trap = trap

    def __getattribute__(self, name: str) -> Any:
        trapped = {"claims": ("ledger read", None), "create_batch": ("after plan", "before plan"),
                   "lease": ("lease", None), "resume": ("resume", None), "seal": ("seal", None),
                   "done": ("after done", "before done")}  # fmt: skip
        if name.startswith("_"):
            return super().__getattribute__(name)
        method = getattr(self._earlier, name)
        if name not in trapped:
            return method
        after, before = trapped[name]

        def call(*arguments: Any) -> Any:
            self._trap.crash_at(before or "")
            result = method(*arguments)
            self._trap.crash_at(after)
            return result

        return call


def earlier(world: World, warehouse: Warehouse, trap: Trap, zombie: Zombie) -> Settles:
    """Sync of the earlier version, with a trap on its way."""
    ledger = TrappedEarlierLedger(world.ledger, trap)
    driver = BatchProcessor(ledger, TrappedStaged(world.bucket, trap), TrappedLoader(warehouse, trap, zombie))
    return Settler(ledger, driver)


def in_turn(name: str, *versions: Make, then: Make) -> Make:
    """The version of each delivery: `versions`, and afterwards `then`."""
    deliveries = chain(versions, repeat(then))

    def make(*arguments: Any) -> Settles:
        return next(deliveries)(*arguments)

    make.__name__ = name
    return make


def cells(points: Sequence[str]) -> list[Any]:
    """Every point with two of the scenarios; with the others in a soak."""
    return [
        pytest.param(
            point,
            scenario,
            id=f"{point}, {scenario.name}",
            marks=[] if (row + column) % 5 == 0 else pytest.mark.soak,
        )
        for row, point in enumerate(points)
        for column, scenario in enumerate(SCENARIOS)
    ]


@pytest.mark.parametrize(("point", "scenario"), cells(EARLIER_POINTS))
def test_a_batch_that_the_earlier_version_left_open_is_finished(
    here: World, point: str, scenario: Scenario
) -> None:
    before = (earlier, earlier) if scenario.zombie or point in AFTER_ANOTHER else (earlier,)
    verdict = run(here, in_turn("upgrade", *before, then=real), point, scenario, 0)
    assert verdict.clean, verdict
    assert verdict.crashed


@pytest.mark.parametrize(("point", "scenario"), cells(POINTS))
def test_after_a_rollback_and_another_upgrade_nothing_is_lost_or_doubled(
    here: World, point: str, scenario: Scenario
) -> None:
    before = (real, real) if scenario.zombie or point in AFTER_ANOTHER else (real,)
    verdict = run(
        here, in_turn("rollback", *before, earlier, earlier, earlier, then=real), point, scenario, 0
    )
    assert verdict.clean, verdict
    assert verdict.crashed


@pytest.mark.parametrize("seed", range(20))
def test_versions_that_alternate_at_random_lose_and_double_nothing(here: World, seed: int) -> None:
    chance = Random(seed)
    versions = chance.choices((earlier, real), k=8)
    scenario = chance.choice([each for each in SCENARIOS if not each.zombie])
    verdict = run(here, in_turn("mixed", *versions, then=real), chance.choice(EARLIER_POINTS), scenario, seed)
    assert verdict.clean, verdict


def settle(here: World, ledger: Any, cast: Cast) -> set[str]:
    driver = BatchProcessor(ledger, StagingBucket(here.bucket), EventsTable(here.warehouse))
    return Settler(ledger, driver).settle(cast.objects, TIME)


def earlier_ledger(here: World) -> EarlierLedger:
    return EarlierLedger(TABLE, here.clock, here.ledger._client)


def test_the_earlier_version_leaves_an_open_batch_of_this_one_alone(here: World) -> None:
    """It would take the batch for one without members, and delete the objects as loaded."""
    cast = stage(here, Random(1), "rolled-back", 9)
    for manifest in plan(cast.objects):
        assert here.ledger.create_batch(manifest)

    for _ in range(3):
        assert settle(here, earlier_ledger(here), cast) == set()
        later(here, seconds=PAST_THE_LEASE_SECONDS)
    assert all(here.has(each.key) for each in cast.objects)
    assert found(here.warehouse, cast) == Counter()

    assert settle(here, here.ledger, cast) == {each.key for each in cast.objects}
    assert found(here.warehouse, cast) == cast.expected


def test_a_batch_without_claims_of_this_version_does_not_stop_the_earlier_one(here: World) -> None:
    cast = stage(here, Random(2), "unclaimed", 4)
    with pytest.raises(InterruptedError):
        _without_claims(here).create_batch(plan(cast.objects)[0])

    assert settle(here, earlier_ledger(here), cast) == {each.key for each in cast.objects}
    assert found(here.warehouse, cast) == cast.expected


def _without_claims(here: World) -> Ledger:
    """A ledger whose process ends after it has written a batch."""

    class Ended(TrappedLedger):
        def _claim(self, *_arguments: Any) -> Any:
            raise InterruptedError

    return Ended(here.ledger, Trap(None))


def test_what_the_earlier_version_had_half_claimed_has_the_same_members_in_both(here: World) -> None:
    """Its planner stopped between its claims; another batch took some objects."""
    cast = stage(here, Random(3), "half", 60)
    ledger = earlier_ledger(here)
    (manifest,) = plan(cast.objects)
    batch_id = earlier_id(manifest)
    batch = Batch(manifest, batch_id, PLANNED, manifest.objects)
    ledger._table.put(ledger._put_manifest(batch))
    assert not ledger._table.insert_missing(ledger._claims(batch_id, manifest.objects[:25]))
    other = Cast(cast.tenants, list(manifest.objects[-10:]))
    settle(here, here.ledger, other)

    ours, theirs = here.ledger.complete(here.ledger.batch(batch_id)), ledger.complete(ledger.batch(batch_id))
    assert (ours.has_earlier_form, ours.state) == (True, PLANNED)
    assert ours.members == theirs.members == manifest.objects[:-10]

    assert settle(here, here.ledger, cast) == {each.key for each in cast.objects}
    assert found(here.warehouse, cast) == cast.expected
    assert here.ledger.batch(batch_id).state == DONE


def test_what_this_version_excludes_stays_readable_for_the_earlier_one(here: World) -> None:
    cast = stage(here, Random(4), "sealed", 5)
    ledger = earlier_ledger(here)
    batch = ledger.create_batch(plan(cast.objects)[0])
    assert batch
    cast.lose(here, cast.objects[0])
    lease = here.ledger.lease(batch.batch_id, "now", 60)
    assert lease
    here.ledger.seal(here.ledger.resume(lease), frozenset([cast.objects[0].key]))
    here.ledger.release(lease)

    assert cast.objects[0] not in ledger.batch(batch.batch_id).members
    assert settle(here, ledger, cast) == {each.key for each in cast.objects}
    assert found(here.warehouse, cast) == cast.expected


def test_a_batch_that_both_versions_finish_is_counted_once(here: World) -> None:
    """Whichever is first: the other one comes to its end after its lease."""
    for ours_first in (True, False):
        cast = stage(here, Random(6), f"both{ours_first:d}", 4)
        ledger, start = earlier_ledger(here), CommitReader(TABLE).newest("managed")
        batch = ledger.create_batch(plan(cast.objects)[0])
        assert batch
        sealed = ledger.seal(batch, frozenset())
        ours = here.ledger.batch(batch.batch_id)
        versions: list[tuple[Any, Batch]] = [(ledger, sealed), (here.ledger, ours)]
        for version, of_version in reversed(versions) if ours_first else versions:
            version.done(of_version)
        assert CommitReader(TABLE).after("managed", start).batch_ids == (batch.batch_id,)
        assert here.ledger.batch(batch.batch_id).state == DONE
        assert metered(cast) == sum(cast.expected.values())


def test_what_either_version_has_done_is_metered_once(here: World) -> None:
    """Single batches of the earlier version wait beside pages, which name these batches too."""
    casts = [stage(here, Random(number), f"metered{number}", 2) for number in range(4)]
    for number, cast in enumerate(casts):
        settle(here, earlier_ledger(here) if number % 2 else here.ledger, cast)
    assert [metered(cast) for cast in casts] == [sum(cast.expected.values()) for cast in casts]


def metered(cast: Cast) -> int:
    """The rows of the cast's tenants in what waits to be counted, of which nothing was counted yet."""
    batches = DoneBatches(TABLE)
    entries = batches.read([each.entry for each in batches.waiting()])
    totals = [totals for count in plan_transactions(entries) for totals in count.totals.items()]
    return sum(sums.rows for tenant, sums in totals if tenant in cast.tenants)


def test_every_batch_of_this_version_has_a_state_that_the_earlier_one_cannot_lease(here: World) -> None:
    cast = stage(here, Random(5), "states", 3)
    batch = here.ledger.create_batch(plan(cast.objects)[0])
    assert batch
    states = []
    for change in (_nothing, lambda: here.ledger.seal(batch, frozenset([batch.members[0].key]))):
        change()
        item = Table(LedgerItem, TABLE).get(f"{BATCH}{batch.batch_id}")
        assert item
        states.append(item.state)
        assert earlier_ledger(here).lease(batch.batch_id, "earlier", 60) is None
    assert states == ["planned-3", "sealed-3"]
    assert here.ledger.lease(batch.batch_id, "now", 60)


def _nothing() -> None: ...
