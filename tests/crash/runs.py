"""One run: stage, deliver, crash, deliver again until nothing is left, count."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from functions.query.tailing.commit_reader import CommitPosition
from functions.shared.tenancy import owner_of
from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.notifications import StagedObject
from functions.sync.plan import MANAGED
from functions.sync.settle import Settler
from tests.crash.faults import AFTER_ANOTHER, Crash, Trap, TrappedLedger, TrappedLoader, TrappedStaged, Zombie
from tests.crash.scenarios import Group, Scenario
from tests.crash.world import Cast, World, found, later, roll_window, stage

MAX_ROUNDS = 12
SECONDS_LEFT = 60.0
SECONDS_A_BATCH = 30.0


class Settles(Protocol):
    """What is put to the test: functions.sync.settle.Settler, or one that only looks right."""

    def settle(self, objects: Iterable[StagedObject], deadline: Deadline) -> set[str]: ...


Make = Callable[[World, Warehouse, Trap, Zombie], Settles]


def real(world: World, warehouse: Warehouse, trap: Trap, zombie: Zombie) -> Settles:
    """Sync itself, with a trap on its way."""
    ledger = TrappedLedger(world.ledger, trap)
    driver = BatchProcessor(ledger, TrappedStaged(world.bucket, trap), TrappedLoader(warehouse, trap, zombie))
    return Settler(ledger, driver)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lost` and `doubled` rows; `stuck` messages that never settled; `littered` objects never deleted.

    `miscounted`: rows by which the commit log, which is billed, differs from what is stored.
    `crashed`: the step was reached and sync died there; a matrix in which it does not proves nothing.
    """

    lost: int
    doubled: int
    stuck: int
    littered: int
    miscounted: int
    crashed: bool

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.stuck or self.littered or self.miscounted)


def run(
    world: World,
    make: Make,
    point: str,
    scenario: Scenario,
    seed: int,
    objects: int | None = None,
    *,
    log: str | None = MANAGED,
) -> Verdict:
    """One run of the matrix; the same arguments make the same run. `log`: where what is tested commits."""
    chance = random.Random(f"{point} {scenario.name} {seed}")
    name = f"{abs(hash((point, scenario.name, seed, make.__name__))):x}"[:12]
    warehouse = world.narrow if scenario.past_window else world.warehouse
    cast = stage(world, chance, name, objects or chance.randint(2, 9))
    committed = _Committed(world, log, world.commits.newest(log)) if log else None
    if scenario.gone:
        cast.lose(world, chance.choice(cast.objects))
    zombie = Zombie(holds=scenario.zombie, release_after_probe=chance.random() < 0.5)
    queue = _Queue(list(cast.objects))
    delivery = _Delivery(world, make, warehouse, queue, zombie)

    crashed = _deliver(delivery, [queue.left], "answer lost" if point in AFTER_ANOTHER else point)
    if scenario.zombie or point in AFTER_ANOTHER:
        later(world, seconds=SECONDS_LEFT + SECONDS_A_BATCH + 1)
        crashed |= _deliver(delivery, [queue.left], point)
    if scenario.past_window:
        roll_window(world, warehouse, name)
    if scenario.name == "merged":
        newcomers = stage(world, chance, name, 3)
        cast.expected += newcomers.expected
        queue.left += newcomers.objects
    if not scenario.within_lease_first:
        later(world, days=scenario.days_later, seconds=SECONDS_LEFT + SECONDS_A_BATCH + 1)
    _drain(delivery, scenario, chance)
    zombie.release()
    return _verdict(delivery, cast, committed, crashed)


@dataclass(slots=True)
class _Queue:
    """The messages that were not acknowledged: one an object."""

    left: Group

    def acknowledge(self, settled: set[str], trap: Trap) -> None:
        if trap.reached("half the acks"):
            settled = set(sorted(settled)[: len(settled) // 2])
        self.left = [each for each in self.left if each.key not in settled]


@dataclass(frozen=True, slots=True)
class _Delivery:
    """Who delivers what to whom."""

    world: World
    make: Make
    warehouse: Warehouse
    queue: _Queue
    zombie: Zombie


def _deliver(to: _Delivery, groups: list[Group], point: str | None) -> bool:
    """Deliver `groups`, each to a new process; the first to reach `point` dies there. Whether one did."""
    trap = Trap(point)
    for group in groups:
        with suppress(Crash):
            trap.crash_at("received")
            deadline = Deadline(lambda: SECONDS_LEFT, SECONDS_A_BATCH)
            settled = to.make(to.world, to.warehouse, trap, to.zombie).settle(group, deadline)
            to.queue.acknowledge(settled, trap)
    return trap.sprung


def _drain(to: _Delivery, scenario: Scenario, chance: random.Random) -> None:
    for _ in range(MAX_ROUNDS):
        if not to.queue.left:
            return
        _deliver(to, scenario.regroup(to.queue.left, chance), None)
        later(to.world, seconds=SECONDS_LEFT + SECONDS_A_BATCH + 1)


def _verdict(of: _Delivery, cast: Cast, committed: "_Committed | None", crashed: bool) -> Verdict:
    stored: Counter[str] = found(of.warehouse, cast)
    return Verdict(
        lost=sum((cast.expected - stored).values()),
        doubled=sum((stored - cast.expected).values()),
        stuck=len(of.queue.left),
        littered=sum(of.world.has(each.key) for each in cast.objects),
        miscounted=abs(committed.rows(cast) - stored.total()) if committed else 0,
        crashed=crashed,
    )


@dataclass(frozen=True, slots=True)
class _Committed:
    """What is committed to a log from a position on."""

    world: World
    log: str
    start: CommitPosition

    def rows(self, cast: Cast) -> int:
        """Rows of the cast's tenants; in a customer's own ClickHouse all are the customer's."""
        at, rows = self.start, 0
        owner = owner_of(self.log)
        while (commits := self.world.commits.after(self.log, at)).batch_ids:
            for tenant in [owner] if owner else cast.tenants:
                rows += sum(each.rows for each in self.world.commits.batches_of(tenant, commits.batch_ids, 0))
            at = commits.end
        return rows
