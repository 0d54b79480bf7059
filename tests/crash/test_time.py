"""An invocation that runs out of time stops between batches; the next one goes on."""

from random import Random

from functions.sync.drive import Driver, Time
from functions.sync.load import Loader, Staged
from functions.sync.settle import Settler
from tests.crash.world import World, found, stage


def test_what_there_is_no_time_for_is_left_for_the_next_delivery(here: World) -> None:
    cast = stage(here, Random(3), "slow", 6)
    settler = Settler(here.ledger, Driver(here.ledger, Staged(here.bucket), Loader(here.warehouse)))
    assert settler.settle(cast.objects, Time(lambda: 10.0, 30.0)) == set()
    assert sum(found(here.warehouse, cast).values()) == 0
    assert settler.settle(cast.objects, Time(lambda: 60.0, 30.0)) == {each.key for each in cast.objects}
    assert found(here.warehouse, cast) == cast.expected
