"""Bars 5 and 7: the cost of sync's own Python relative to the insert, and the gain of batching.

Also, how fast a backlog drains, which is bar 6 with all of sync around it.

Own CPU is this process's, from the queue's messages to the last deletion; the engine's is that of the
ClickHouse child over the same time. Staging the objects comes before and is not counted.
"""

from collections.abc import Iterator
from itertools import islice
from statistics import median

from backports import zstd

from bench import events
from bench.measuring import Bar, bar
from bench.sync_world import TENANT, SyncWorld, sync_world

ROUNDS = 5
EVENTS = 100_000
INSERTED_ONE_BY_ONE = 100
OBJECT_SIZES = ((100, "5 at 100", 0.25), (1000, "5", 0.07), (10_000, "5 at 10k", 0.05))
"""Events per object, bar, limit."""


def share_bars() -> Iterator[Bar]:
    """Bar 5."""
    with sync_world() as world:
        for events_each, number, limit in OBJECT_SIZES:
            bodies = _bodies(events_each)
            spent = [world.settle(world.stage(bodies, events_each)) for _ in range(ROUNDS + 1)][1:]
            own = median(each.own for each in spent) / EVENTS * 1e6
            engine = median(each.engine for each in spent) / EVENTS * 1e6
            what = f"sync's own CPU against the engine's insert, objects of {events_each:,} events"
            method = f"{EVENTS:,} events a round, medians of {ROUNDS} rounds; DynamoDB and S3 by plain HTTP"
            yield bar(number, what, own, engine, limit, method, "µs an event")


def batching_bars() -> Iterator[Bar]:
    """Bar 7: against one insert of all rows, and against one insert per object."""
    bodies = _bodies(100)
    whole = [zstd.compress(b"".join(events.rows(EVENTS, TENANT)), 1)]
    spent: dict[str, list[float]] = {"synced": [], "whole": [], "single": []}
    with sync_world() as world:
        for _ in range(ROUNDS + 1):
            spent["synced"].append(world.settle(world.stage(bodies, 100)).both)
            spent["whole"].append(world.insert(whole).both)
            spent["single"].append(_scaled(world, bodies))
    synced, one, single = (median(times[1:]) for times in spent.values())
    method = f"CPU of sync and engine, {len(bodies):,} objects of 100 events, medians of {ROUNDS} rounds"
    yield bar("7a", "sync of 1,000 objects against one insert of their rows", synced, one, 1.3, method, "s")
    method = f"{method}; {INSERTED_ONE_BY_ONE} inserted one by one, scaled to {len(bodies):,}"
    yield bar("7b", "sync of 1,000 objects against an insert each", synced, single, 0.05, method, "s")


def drain_bars() -> Iterator[Bar]:
    """After an outage: the time sync takes for a backlog, against one insert of its rows."""
    bodies = _bodies(1000)
    whole = [zstd.compress(b"".join(events.rows(EVENTS, TENANT)), 1)]
    drained, inserted = [], []
    with sync_world() as world:
        for _ in range(ROUNDS + 1):
            drained.append(world.settle(world.stage(bodies, 1000)).elapsed)
            inserted.append(world.insert(whole).elapsed)
    ours, peer = median(drained[1:]), median(inserted[1:])
    what = f"a backlog drains, {EVENTS / ours:,.0f} rows/s, against one insert of its rows"
    method = f"{len(bodies)} objects of 1,000 events, seconds on the clock, medians of {ROUNDS} rounds"
    yield bar("6 drain", what, ours, peer, None, method, "s")


def _scaled(world: SyncWorld, bodies: list[bytes]) -> float:
    return world.insert(bodies[:INSERTED_ONE_BY_ONE]).both * len(bodies) / INSERTED_ONE_BY_ONE


def _bodies(events_each: int) -> list[bytes]:
    """EVENTS events as staged objects of `events_each` each."""
    rows = events.rows(EVENTS, TENANT)
    return [zstd.compress(b"".join(islice(rows, events_each)), 1) for _ in range(EVENTS // events_each)]
