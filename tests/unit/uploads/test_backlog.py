"""Backlogs: the same contract in DynamoDB and in memory."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.uploads.backlog import BATCHES_A_LOOK, FILES_A_BATCH, BacklogBatch, Backlogs, WaitingFile
from tests.unit.uploads.memory_backlogs import MemoryBacklogs
from tests.unit.uploads.world import ACME, GLOBEX, UPLOADS, World

Make = Callable[[], Backlogs]


def files(*names: str) -> list[WaitingFile]:
    return [WaitingFile(DroppedFile("drop", name, "e", len(name)), 3) for name in names]


def names(batches: list[BacklogBatch]) -> list[list[str]]:
    return [[each.dropped.key for each in batch.files] for batch in batches]


@pytest.fixture(params=["DynamoDB", "memory"])
def backlogs(request: pytest.FixtureRequest, here: World) -> Backlogs:
    return here.backlogs if request.param == "DynamoDB" else MemoryBacklogs(lambda: here.clock() + here.later)


def test_batches_are_read_in_the_order_in_which_they_came_and_by_tenant(
    backlogs: Backlogs, here: World
) -> None:
    for name in ("a", "b ü%+\udc80"):
        backlogs.append(ACME, files(name, name.upper()))
        here.later += 0.01
    backlogs.append(GLOBEX, files("theirs"))
    backlogs.append(GLOBEX, [])
    state = backlogs.look(ACME)
    assert names(state.batches) == [["a", "A"], ["b ü%+\udc80", "B Ü%+\udc80"]]
    assert [file.receive_count for batch in state.batches for file in batch.files] == [3] * 4
    assert names(state.unleased) == names(state.batches)
    assert names(backlogs.look(GLOBEX).batches) == [["theirs"]]


def test_a_batch_is_small_and_only_the_first_ones_are_looked_at(backlogs: Backlogs) -> None:
    backlogs.append(ACME, files(*(f"{number:03d}" for number in range(FILES_A_BATCH * BATCHES_A_LOOK + 1))))
    found = names(backlogs.look(ACME).batches)
    assert len(found) == BATCHES_A_LOOK
    assert {len(each) for each in found} <= {FILES_A_BATCH, 1}


def test_a_batch_has_one_reader_until_it_is_finished_or_the_lease_expires(
    backlogs: Backlogs, here: World
) -> None:
    backlogs.append(ACME, files("a", "b"))
    here.later += 0.01
    backlogs.append(ACME, files("c"))
    batch = backlogs.look(ACME).batches[0]
    first = backlogs.lease(batch, 100)
    assert first is not None
    assert backlogs.lease(batch, 100) is None
    assert names(backlogs.look(ACME).unleased) == [["c"]]
    here.later += 102
    second = backlogs.lease(batch, 100)
    assert second is not None
    backlogs.finish(first, [])
    assert names(backlogs.look(ACME).batches) == [["a", "b"], ["c"]], "a late reader changes nothing"
    backlogs.finish(second, files("b"))
    assert backlogs.lease(batch, 100) is None, "it has other files now"
    state = backlogs.look(ACME)
    assert names(state.unleased) == [["b"], ["c"]]
    third = backlogs.lease(state.batches[0], 100)
    assert third is not None
    backlogs.finish(third, [])
    assert backlogs.lease(state.batches[0], 100) is None
    assert names(backlogs.look(ACME).batches) == [["c"]]


def test_when_an_account_is_looked_at_again_is_recorded(backlogs: Backlogs) -> None:
    now = backlogs.now()
    assert not backlogs.look(ACME).must_wait
    backlogs.note_wake_up(ACME, now + 300)
    backlogs.note_wait(ACME, now + 60)
    state = backlogs.look(ACME)
    assert (state.wakes_at, state.waits_until, state.must_wait, state.batches) == (
        now + 300,
        now + 60,
        True,
        [],
    )
    assert backlogs.look(GLOBEX).wakes_at == 0


def test_an_outage_of_dynamodb_is_a_retryable_error() -> None:
    class Down:
        def __getattr__(self, _name: str) -> Any:
            def fail(**_request: Any) -> Any:
                raise EndpointConnectionError(endpoint_url="dynamodb")

            return fail

    backlogs = Backlogs(UPLOADS, Down())
    batch = BacklogBatch(ACME, "backlog#1", tuple(files("a")))
    acts: list[Callable[[], Any]] = [
        lambda: backlogs.look(ACME),
        lambda: backlogs.append(ACME, files("a")),
        lambda: backlogs.lease(batch, 1),
        lambda: backlogs.finish(batch, []),
        lambda: backlogs.note_wake_up(ACME, 1),
        lambda: backlogs.note_wait(ACME, 1),
    ]
    for act in acts:
        with pytest.raises(StoreUnavailableError):
            act()
