"""Invocations are shared among accounts: a flood of one's files holds up no file of another."""

import json

import pytest
from botocore.exceptions import EndpointConnectionError

from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from functions.uploads.notifications import wake_up_body
from tests.unit.uploads.turns import WAKE_ACME, Turns, body


def test_files_of_an_account_without_a_free_slot_wait_in_its_backlog_and_the_others_file_is_read(
    here_now: Turns,
) -> None:
    worker = here_now.worker(small=1)
    bodies = [body("flood", f"f{number}") for number in range(9)]
    assert here_now.answer_to(worker, *bodies, body("small", "mine")) == []
    assert worker.happened == ["take small", "read mine, 0 released"], "the account with the fewest first"
    assert here_now.waiting("flood") == [f"f{number}" for number in range(9)]
    assert here_now.waiting("small") == []


@pytest.mark.parametrize("messages", [1_000, 5_000])
def test_a_flood_costs_two_requests_for_ten_messages_and_nothing_returns(
    here_now: Turns, messages: int
) -> None:
    worker, requests = here_now.worker(), here_now.backlogs.requests
    for number in range(0, messages, 10):
        bodies = [body("flood", f"f{each}") for each in range(number, number + 10)]
        assert here_now.answer_to(worker, *bodies) == []
        here_now.now += 0.05
    assert requests["append"] == messages / 10
    assert worker.asked == messages / 10, "whether a slot became free"
    assert worker.happened == ["take flood"], "that none is free is noted"
    assert requests["look"] + requests["note"] <= 3
    assert here_now.sqs.bodies == []
    assert (here_now.sqs.released, here_now.sqs.hidden) == (0, [])
    assert len(here_now.sqs.delayed) == 1, "one wake-up for all of them"


def test_a_flood_that_lasts_longer_than_a_lease_has_one_wake_up_for_each_lease(here_now: Turns) -> None:
    worker = here_now.worker()
    for number in range(4 * 310):
        here_now.answer_to(worker, body("flood", f"f{number}"))
        here_now.now += 1
    assert 4 <= len(here_now.sqs.delayed) <= 5


def test_files_of_an_account_that_may_have_a_slot_are_handed_back_before_another_is_read(
    here_now: Turns,
) -> None:
    worker = here_now.worker(first=1, second=1)
    assert here_now.answer_to(worker, body("first", "a"), body("second", "b")) == ["m1"]
    assert worker.happened == ["take first", "read a, 1 released"]


def test_files_of_another_account_without_a_free_slot_are_not_handed_back(here_now: Turns) -> None:
    """They would be received again, to no purpose."""
    worker = here_now.worker(small=2)
    bodies = [body("flood", f"f{number}") for number in range(9)]
    assert here_now.answer_to(worker, body("small", "mine"), *bodies) == []
    assert worker.read == ["mine"]
    assert len(here_now.waiting("flood")) == 9
    assert here_now.sqs.released == 0


def test_small_files_of_an_account_are_read_one_after_the_other_and_large_ones_alone(
    here_now: Turns,
) -> None:
    worker, sizes = here_now.worker(acme=2), [10**9, 100, 100, 10**7, 100]
    bodies = [body("acme", str(number), size) for number, size in enumerate(sizes)]
    assert here_now.answer_to(worker, *bodies) == ["m0", "m3"], "for the other slot"
    assert worker.read == ["1", "2", "4"]
    assert worker.free["acme"] == 2
    worker = here_now.worker(acme=1)
    assert here_now.answer_to(worker, *bodies) == [], "there is no other slot"
    assert here_now.waiting("acme") == ["0", "3"]
    for name in ("3", "0"):
        assert here_now.sqs.bodies == [WAKE_ACME]
        assert here_now.answer_to(worker, here_now.sqs.bodies.pop()) == []
        assert worker.read[-1] == name, "the smaller one first"
    assert here_now.sqs.bodies == []


def test_a_turn_begins_with_the_backlog_and_a_new_file_waits_behind_it(here_now: Turns) -> None:
    full, worker = here_now.worker(), here_now.worker(acme=1, globex=1)
    for name in ("a", "b"):
        here_now.answer_to(full, body("acme", name, 10**7))
    here_now.answer_to(full, body("globex", "theirs"))
    here_now.now += 2
    assert here_now.answer_to(worker, body("acme", "c", 10**7)) == []
    assert worker.read == ["a"]
    while here_now.sqs.bodies:
        here_now.answer_to(worker, here_now.sqs.bodies.pop())
    assert worker.read == ["a", "b", "c"]
    assert here_now.waiting("globex") == ["theirs"]


def test_two_invocations_read_the_backlog_of_an_account_with_two_slots(here_now: Turns) -> None:
    here_now.answer_to(here_now.worker(), *(body("acme", name, 10**7) for name in "ab"))
    worker = here_now.worker(acme=2)
    here_now.answer_to(here_now.worker(), body("acme", "c", 10**7))
    assert here_now.sqs.bodies == []
    assert here_now.answer_to(worker, WAKE_ACME) == []
    assert worker.read == ["a"]
    assert here_now.sqs.bodies[0] == WAKE_ACME, "for the other slot, before the file was read"


def test_a_file_of_the_backlog_that_must_be_tried_again_has_its_own_message_with_its_receive_count(
    here_now: Turns,
) -> None:
    here_now.answer_to(here_now.worker(), body("acme", "a", receives=6), body("acme", "b"))
    here_now.sqs.delayed.clear()
    worker = here_now.worker(acme=1)
    worker.pause = 40
    assert here_now.answer_to(worker, WAKE_ACME) == []
    assert worker.read == ["a", "b"]
    delays = {json.loads(each).get("receives", 0): seconds for each, seconds in here_now.sqs.delayed}
    assert delays == {7: 40, 1: 40}
    assert here_now.waiting("acme") == []


def test_a_file_that_cannot_be_published_again_stays_in_the_backlog(here_now: Turns) -> None:
    here_now.answer_to(here_now.worker(), body("acme", "a"))
    worker = here_now.worker(acme=1)
    worker.pause, here_now.sqs.fault = 40, EndpointConnectionError(endpoint_url="sqs")
    assert here_now.answer_to(worker, WAKE_ACME) == []
    assert here_now.waiting("acme") == ["a"]
    assert worker.free["acme"] == 1


def test_a_message_is_redelivered_when_its_backlog_or_a_wake_up_cannot_be_written(here_now: Turns) -> None:
    here_now.sqs.fault = EndpointConnectionError(endpoint_url="sqs")
    assert here_now.answer_to(here_now.worker(), body("acme", "a"), body("acme", "b")) == ["m0", "m1"]
    assert here_now.sqs.hidden == [1, 1]


def test_slots_that_cannot_be_asked_about_put_the_messages_back(here_now: Turns) -> None:
    worker = here_now.worker(acme=1)
    worker.fault = StoreUnavailableError("DynamoDB: down")
    assert here_now.answer_to(worker, body("acme", "a"), body("acme", "b")) == ["m0", "m1"]


def test_a_file_that_ends_its_reader_takes_no_message_of_another_account_with_it(here_now: Turns) -> None:
    worker = here_now.worker(acme=1, globex=1)
    worker.fault = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        here_now.answer_to(worker, body("acme", "a"), body("globex", "c"))
    assert here_now.sqs.released == 1
    assert worker.free["acme"] == 1


def test_a_turn_rejects_four_batches_at_once_and_leaves_what_is_not_rejected(here_now: Turns) -> None:
    for number in range(5):
        bodies = [body("capped", f"f{number}-{each}") for each in range(10)]
        assert here_now.answer_to(here_now.worker(), *bodies) == []
    here_now.answer_to(here_now.worker(), body("other", "theirs"))
    here_now.now += 5
    here_now.backlogs.requests.clear()
    worker = here_now.worker(capped=1)
    worker.rejected = frozenset(f"f{number}-{each}" for number in range(5) for each in range(10)) - {"f2-7"}
    assert here_now.answer_to(worker, wake_up_body(TenantId("capped"), "tests")) == []
    assert len([each for each in worker.happened if each.startswith("reject")]) == 39
    assert worker.read == []
    assert here_now.backlogs.requests == {"look": 2, "lease": 4, "finish": 4}
    assert here_now.waiting("capped") == ["f2-7", *(f"f4-{each}" for each in range(10))]
    assert here_now.waiting("other") == ["theirs"]

    assert here_now.sqs.bodies == [wake_up_body(TenantId("capped"), "tests")]
    assert here_now.answer_to(worker, *here_now.sqs.bodies) == []
    assert worker.read == ["f2-7"]


@pytest.mark.parametrize("waits", [False, True], ids=["messages", "backlog"])
def test_files_that_are_rejected_together_are_not_read_and_the_others_are(
    here_now: Turns, waits: bool
) -> None:
    bodies = [body("capped", name) for name in ("f0", "f1", "f2")]
    if waits:
        assert here_now.answer_to(here_now.worker(), *bodies) == []
        here_now.now += 5
        bodies = [wake_up_body(TenantId("capped"), "tests")]
    worker = here_now.worker(capped=1, small=1)
    worker.rejected = frozenset({"f0", "f2"})
    assert here_now.answer_to(worker, *bodies) == []
    assert worker.happened[0] == "take capped"
    assert (worker.happened[1:3], worker.read) == (["reject f0", "reject f2"], ["f1"])
    assert here_now.waiting("capped") == []
    assert here_now.answer_to(worker, body("small", "f0")) == []
    assert worker.read == ["f1", "f0"], "a single file of another account is not asked about"
