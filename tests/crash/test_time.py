"""An invocation that runs out of time stops between batches; the next one continues."""

from random import Random

from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.settle import Settler
from tests.crash.world import World, found, stage


def test_what_there_is_no_time_for_is_left_for_the_next_delivery(here: World) -> None:
    cast = stage(here, Random(3), "slow", 6)
    settler = Settler(
        here.ledger, BatchProcessor(here.ledger, StagingBucket(here.bucket), EventsTable(here.warehouse))
    )
    assert settler.settle(cast.objects, Deadline(lambda: 10.0, 30.0)) == set()
    assert sum(found(here.warehouse, cast).values()) == 0
    assert settler.settle(cast.objects, Deadline(lambda: 60.0, 30.0)) == {each.key for each in cast.objects}
    assert found(here.warehouse, cast) == cast.expected
