"""Viewers who follow the logs of two tenants while sync loads, dies and repeats; and what they saw."""

import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.query.tail_handler import ManagedReads
from functions.query.tailing.commit_reader import MANAGED_LOG, CommitReader
from functions.query.tailing.request import tail_request
from functions.query.tailing.tail import FollowedStore, Tail
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.settle import Settler
from tests.crash.faults import POINTS, Crash, Trap, TrappedLedger, TrappedLoader, TrappedStaged, Zombie
from tests.crash.runs import SECONDS_A_BATCH, SECONDS_LEFT
from tests.crash.world import TABLE, Cast, World, found, later, roll_window, stage
from tests.integration.stores import WithoutHttp

LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=1)

Readers = Callable[[], CommitReader]


def tail_of(world: World, warehouse: Warehouse, tenant: TenantId, commits: CommitReader) -> Tail:
    """A tail of `tenant` in `warehouse`, without waits."""
    search = ManagedSearch(EventSearch(WithoutHttp(warehouse), LIMITS), 5)  # type: ignore[arg-type]
    stores = [FollowedStore("managed", MANAGED_LOG, ManagedReads(search, tenant))]
    return Tail(tenant, commits, stores, sleep=lambda _: None, now=world.clock)


@dataclass(slots=True)
class Viewer:
    """Follows one tenant; `seen` counts the messages of the responses that arrived."""

    world: World
    warehouse: Warehouse
    tenant: TenantId
    readers: Readers
    cursor: str = ""
    seen: Counter[str] = field(default_factory=Counter)

    def poll(self, limit: int, *, lost: bool = False) -> int:
        """The number of events; with `lost` the response never arrives, and the cursor stays as it was."""
        query = {"wait": "0", "limit": str(limit)} | ({"cursor": self.cursor} if self.cursor else {})
        request = tail_request(query, self.tenant)
        response = json.loads(
            tail_of(self.world, self.warehouse, self.tenant, self.readers()).answer(request)
        )
        if lost:
            return len(response["events"])
        self.cursor = response["cursor"]
        self.seen.update(event["message"] for event in response["events"])
        return len(response["events"])


def tail_faults(
    world: World,
    seed: int,
    readers: Readers = lambda: CommitReader(TABLE),
    limits: tuple[int, ...] = (1, 2, 500),
    steps: int = 25,
) -> tuple[int, int]:
    """Follow a random schedule of deliveries, crashes and polls; rows that viewers missed, and doubled."""
    chance = random.Random(seed)
    warehouse = world.narrow if chance.random() < 0.3 else world.warehouse
    name = f"t{uuid4().hex[:10]}"
    cast = stage(world, chance, name, 2)
    viewers = [Viewer(world, warehouse, tenant, readers) for tenant in cast.tenants]
    for viewer in viewers:
        viewer.poll(5)
    left = list(cast.objects)
    for step in range(steps):
        if step < steps // 2 and chance.random() < 0.6:
            more = stage(world, chance, name, chance.randint(1, 4))
            cast.expected += more.expected
            left += more.objects
        if left and chance.random() < 0.7:
            group = chance.sample(left, chance.randint(1, len(left)))
            settled = _deliver(world, warehouse, group, chance.choice([None, *POINTS]), chance)
            left = [each for each in left if each.key not in settled]
        if chance.random() < 0.1:
            roll_window(world, warehouse, f"{name} {step}")
        for viewer in viewers:
            if chance.random() < 0.6:
                viewer.poll(chance.choice(limits), lost=chance.random() < 0.3)
    return _verdict(world, warehouse, cast, left, viewers)


def _deliver(
    world: World, warehouse: Warehouse, group: Any, point: str | None, chance: random.Random
) -> set[str]:
    """One process that settles `group`, and may die at `point`."""
    trap = Trap(point)
    ledger = TrappedLedger(world.ledger, trap)
    loader = TrappedLoader(warehouse, trap, Zombie())
    settler = Settler(ledger, BatchProcessor(ledger, TrappedStaged(world.bucket, trap), loader))
    settled: set[str] = set()
    with suppress(Crash):
        settled = settler.settle(group, Deadline(lambda: SECONDS_LEFT, SECONDS_A_BATCH))
    if trap.sprung and chance.random() < 0.7:
        later(world, seconds=SECONDS_LEFT + SECONDS_A_BATCH + 1)
    return settled


def _verdict(
    world: World, warehouse: Warehouse, cast: Cast, left: list[Any], viewers: list[Viewer]
) -> tuple[int, int]:
    for _ in range(12):
        later(world, seconds=SECONDS_LEFT + SECONDS_A_BATCH + 1)
        left = [
            each for each in left if each.key not in _deliver(world, warehouse, left, None, random.Random(1))
        ]
        if not left:
            break
    assert not left
    stored = found(warehouse, cast)
    assert stored == cast.expected, (stored - cast.expected, cast.expected - stored)
    missed = doubled = 0
    for viewer in viewers:
        cursor = ""
        while cursor != viewer.cursor or viewer.poll(500):
            cursor = viewer.cursor
            viewer.poll(500)
        mine = Counter({row: n for row, n in stored.items() if row.startswith(f"{viewer.tenant} ")})
        missed += sum((mine - viewer.seen).values())
        doubled += sum((viewer.seen - mine).values())
    return missed, doubled
