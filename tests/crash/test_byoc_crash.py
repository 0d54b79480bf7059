"""Sync to a BYOC destination dies at every step too: same protocol, their bucket, their database."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from bench.in_process import embedded_engine
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.tenancy import TenantId, own_destination
from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import BatchProcessor
from functions.sync.settle import Settler
from local import transactions
from tests.aws_environment import set_aws_environment
from tests.crash.faults import Trap, TrappedLedger, TrappedLoader, TrappedStaged, Zombie
from tests.crash.runs import Settles, run
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.world import World, create_ledger
from tests.signed_connection import signed_requests_to

DESTINATION = own_destination(TenantId("initech"))
POINTS = ("after plan", "fetch", "answer lost", "before done", "half the deletes")
WAYS_BACK = ("split", "merged", "after the window", "zombie insert", "object gone")


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    transactions.install()
    with pytest.MonkeyPatch.context() as patch:
        set_aws_environment(patch)
        with mock_aws(), signed_requests_to(dynamodb := boto3.client("dynamodb")), embedded_engine() as room:
            create_ledger(dynamodb)
            s3 = boto3.client("s3")
            s3.create_bucket(Bucket="theirs")
            narrow = room.database("byoc_narrow")
            narrow.command("ALTER TABLE events MODIFY SETTING non_replicated_deduplication_window = 1")
            warehouse = room.database("byoc")
            for each in (warehouse, narrow):
                each.command("SYSTEM START MERGES events")
            yield World(CustomerBucket(s3, "theirs"), warehouse, narrow)  # type: ignore[arg-type]


def theirs(world: World, warehouse: Warehouse, trap: Trap, zombie: Zombie) -> Settles:
    ledger = TrappedLedger(world.ledger, trap)
    driver = BatchProcessor(ledger, TrappedStaged(world.bucket, trap), TrappedLoader(warehouse, trap, zombie))
    return Settler(ledger, driver, DESTINATION)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    "scenario", [each for each in SCENARIOS if each.name in WAYS_BACK], ids=lambda each: each.name
)
def test_nothing_is_lost_or_doubled_wherever_it_dies(here: World, point: str, scenario: Scenario) -> None:
    verdict = run(here, theirs, point, scenario, seed=7, log=DESTINATION)
    assert verdict.clean, verdict
    assert verdict.crashed, "the step was never reached"
