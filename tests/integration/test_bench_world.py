"""The benchmark's own wiring of sync: `make bench` must not be the first to notice that it no longer fits.

In a process of its own, because the benchmark points the environment at its own servers.
"""

from tests.measured import cost_of

ROWS = 10


def settle_a_few() -> int:
    """How often sync settled everything that the benchmark staged: once."""
    from backports import zstd

    from bench import events
    from bench.sync_world import TENANT, sync_world

    body = zstd.compress(b"".join(events.rows(ROWS, TENANT)), 1)
    with sync_world() as world:
        world.settle(world.stage([body] * 3, ROWS))
    return 1


def test_sync_settles_what_the_benchmark_stages() -> None:
    cost = cost_of("tests.integration.test_bench_world:settle_a_few", {}, memory_mb=2048)
    assert cost.result == 1
