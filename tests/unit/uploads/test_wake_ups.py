"""Wake-up messages, and files whose account cannot have them read yet."""

import json

import pytest

from functions.uploads.gate import UsagePendingError
from tests.unit.uploads.turns import WAKE_ACME, Turns, body


def test_an_account_whose_usage_is_not_counted_yet_waits_with_all_of_its_files(here_now: Turns) -> None:
    worker = here_now.worker(acme=1)
    worker.fault = UsagePendingError(60)
    assert here_now.answer_to(worker, *(body("acme", name) for name in "abc")) == []
    assert here_now.waiting("acme") == ["a", "b", "c"]
    assert here_now.sqs.delayed == [(WAKE_ACME, 61)]
    assert here_now.sqs.bodies == []
    assert worker.free["acme"] == 1

    for _ in range(50):  # in any environment, whatever arrives meanwhile: no request for a slot, no wake-up
        here_now.shared = here_now.another()
        assert here_now.answer_to(worker, body("acme", "d"), WAKE_ACME) == []
    assert worker.happened == ["take acme"]
    assert here_now.sqs.delayed == [(WAKE_ACME, 61)]
    here_now.now += 61
    worker.fault = None
    here_now.answer_to(worker, WAKE_ACME)
    while here_now.sqs.bodies:
        here_now.answer_to(worker, here_now.sqs.bodies.pop())
    assert set(worker.read) == set("abcd")
    assert here_now.waiting("acme") == []


def test_a_backlog_whose_usage_is_not_counted_yet_keeps_its_files(here_now: Turns) -> None:
    here_now.answer_to(here_now.worker(), *(body("acme", name) for name in "abc"))
    worker = here_now.worker(acme=1)
    worker.fault = UsagePendingError(60)
    here_now.answer_to(worker, WAKE_ACME)
    assert here_now.waiting("acme") == ["a", "b", "c"]
    assert (WAKE_ACME, 61) in here_now.sqs.delayed
    assert here_now.sqs.bodies == []


def test_a_wake_up_for_nothing_ends_there(here_now: Turns) -> None:
    worker = here_now.worker(acme=1)
    assert here_now.answer_to(worker, WAKE_ACME, WAKE_ACME) == []
    assert worker.happened == []
    assert here_now.sqs.bodies == []
    assert here_now.sqs.delayed == []


@pytest.mark.parametrize("wakes", ["", "a/b", 7, None, ["acme"]])
def test_a_wake_up_that_names_no_account_is_unreadable(here_now: Turns, wakes: object) -> None:
    sent = json.dumps({"Records": [], "wakes": wakes})
    assert here_now.answer_to(here_now.worker(), sent) == ["m0"]


def test_a_wake_up_that_also_names_a_file_of_another_account_reads_nothing(here_now: Turns) -> None:
    worker = here_now.worker(acme=1, globex=1)
    sent = json.dumps({**json.loads(body("globex", "theirs")), "wakes": "acme"})
    assert here_now.answer_to(worker, sent) == []
    assert worker.happened == []
    assert here_now.waiting("acme") == here_now.waiting("globex") == []
