"""Several sync workers at once, on a DynamoDB of its own: one wins, and rows are stored once."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import boto3
import pytest
from obstore.store import MemoryStore

from bench.children import child
from bench.in_process import embedded_engine
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.tables.direct_client import DirectClient
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.ledger import Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.settle import Settler
from tests.aws_environment import set_aws_environment
from tests.crash.world import TABLE, World, create_ledger, found, later, stage

TIME = Deadline(lambda: 60.0, 30.0)


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with child("local.aws") as aws, embedded_engine() as room, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{aws.port}")
        set_aws_environment(patch)
        create_ledger(boto3.client("dynamodb"))
        warehouse = room.database("race")
        yield World(PlatformBucket(MemoryStore()), warehouse, warehouse)


def race(here: World, groups: list[list[StagedObject]]) -> list[set[str]]:
    """Settle each of `groups` at the same moment, each in a worker of its own."""
    together = Barrier(len(groups))

    def work(group: list[StagedObject]) -> set[str]:
        ledger = Ledger(TABLE, here.clock, DirectClient())
        settler = Settler(
            ledger, BatchProcessor(ledger, StagingBucket(here.bucket), EventsTable(here.warehouse))
        )
        together.wait()
        return settler.settle(group, TIME)

    with ThreadPoolExecutor(len(groups)) as pool:
        return list(pool.map(work, groups))


@pytest.mark.parametrize(
    "seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (3, 4, 5))]
)
def test_two_workers_with_the_same_objects_make_one_batch(here: World, seed: int) -> None:
    cast = stage(here, random.Random(seed), f"same{seed}", 40)
    settled = race(here, [cast.objects, cast.objects[::-1]])
    claims = here.ledger.claims(each.key for each in cast.objects)
    assert set.union(*settled) == {each.key for each in cast.objects}
    assert len(set(claims.values())) == 1
    assert found(here.warehouse, cast) == cast.expected


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (2, 3))])
def test_workers_with_overlapping_objects_store_each_row_once(here: World, seed: int) -> None:
    chance = random.Random(seed)
    cast = stage(here, chance, f"overlap{seed}", 130)
    keys = {each.key for each in cast.objects}
    settled: set[str] = set()
    for _ in range(10):
        left = [each for each in cast.objects if each.key not in settled]
        if not left:
            break
        groups = [chance.sample(left, max(1, len(left) * 3 // 4)) for _ in range(3)]
        settled |= set.union(*race(here, groups))
        later(here, seconds=91)
    assert settled == keys
    assert found(here.warehouse, cast) == cast.expected
    assert not any(here.has(key) for key in keys)


def test_the_ledger_is_real(here: World) -> None:
    """A transaction that meets one claim writes none of its own."""
    cast = stage(here, random.Random(0), "real", 3)
    client: Any = boto3.client("dynamodb")
    race(here, [cast.objects[:1]])
    before = client.scan(TableName=TABLE, Select="COUNT")["Count"]
    race(here, [cast.objects])
    after = client.scan(TableName=TABLE, Select="COUNT")["Count"]
    assert after - before == 3, "one batch and the two claims that were left"
