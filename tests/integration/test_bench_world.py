"""The benchmark's own wiring of sync: `make bench` must not be the first to notice that it no longer fits."""

from backports import zstd

from bench import events
from bench.sync_world import TENANT, sync_world


def test_sync_settles_what_the_benchmark_stages() -> None:
    body = zstd.compress(b"".join(events.rows(10, TENANT)), 1)
    with sync_world() as world:
        spent = world.settle(world.stage([body] * 3, 10))
    assert spent.own > 0
