"""How messages of BYOC destinations are redelivered, and how work is kept apart. See also tests/crash."""

import json
import time
from datetime import date
from threading import Event, Lock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.buckets.contract import BucketRefusedError, BucketUnavailableError
from functions.shared.buckets.customer import failure
from functions.shared.byoc.health import MAX_PAUSE_SECONDS, OUTAGE_SECONDS, DestinationHealth, pause_seconds
from functions.shared.byoc.role_sessions import RoleRefusedError, RoleServiceUnavailableError
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.events.staged_key import StagedKey, base32
from functions.shared.fan_out import FanOut
from functions.shared.frames import DecodedTooLargeError
from functions.shared.notifications import OBJECTS_A_MESSAGE, notifications
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, own_destination
from functions.shared.warehouse import (
    LongResultError,
    OutcomeUnknownError,
    TooLongAnswerError,
    UnusableAnswerError,
    WarehouseDownError,
    refusal,
)
from functions.sync.byoc import CROWDED_RECEIVES, Sync, answer_to
from functions.sync.byoc_loader import Outcome
from functions.sync.faults import classify_error
from functions.sync.load import BatchTooLargeError
from functions.sync.notifications import StagedObject, read_messages
from functions.sync.plan import function_of, plan

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


def staged(tenant: TenantId = ACME, number: int = 1) -> StagedObject:
    key = StagedKey(tenant, date(2026, 11, 23), base32(number << 80), 3, 300, date(2026, 12, 23))
    return StagedObject(str(key), f"etag{number}", 10)


def record(tenant: TenantId, *objects: StagedObject, receives: int = 1) -> dict[str, Any]:
    return {
        "messageId": str(tenant),
        "receiptHandle": str(tenant),
        "body": next(notifications(objects, "tests", tenant)),
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


class Clouds:
    def __init__(self, **outcomes: Outcome) -> None:
        self.outcomes = outcomes
        self.abandoned: list[str] = []

    def work(self, tenant: TenantId, _objects: Any, _time_given: Any) -> Outcome:
        return self.outcomes[tenant]

    def abandon(self, tenant: TenantId) -> None:
        self.abandoned.append(tenant)


class Queue:
    def __init__(self) -> None:
        self.pauses: dict[str, int] = {}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: Any) -> None:  # noqa: ARG002, N803
        self.pauses |= {each["ReceiptHandle"]: each["VisibilityTimeout"] for each in Entries}


def returning(outcome: Outcome, receives: int = 1) -> int | None:
    """After how many seconds acme's message of one object is redelivered."""
    queue = Queue()
    sync = Sync(Clouds(acme=outcome), queue, "url", 1)  # type: ignore[arg-type]
    answer = answer_to({"Records": [record(ACME, staged(), receives=receives)]}, lambda: 20.0, sync)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == list(queue.pauses)
    return queue.pauses.get("acme")


def test_settled_and_released_messages_are_not_redelivered() -> None:
    assert returning(Outcome(frozenset({staged().key}))) is None
    assert returning(Outcome(left_to_sweeper=True, wait_seconds=10)) is None


@given(st.floats(0.1, MAX_PAUSE_SECONDS), st.integers(1, 1000))
def test_messages_of_an_open_circuit_wait_for_it_and_no_longer_than_a_quarter_of_an_hour(
    seconds: float, receives: int
) -> None:
    pause = returning(Outcome(wait_seconds=seconds), receives)
    assert pause is not None
    assert seconds <= pause <= min(seconds + 6, MAX_PAUSE_SECONDS)


def test_a_message_that_finds_no_free_slot_is_released_after_a_while_to_the_sweeper() -> None:
    assert (returning(Outcome(no_free_slot=True), CROWDED_RECEIVES) or 0) in range(30, 61)
    assert returning(Outcome(no_free_slot=True), CROWDED_RECEIVES + 1) is None


@given(st.integers(1, 60))
def test_a_pause_of_the_circuit_grows_to_a_quarter_of_an_hour(failures: int) -> None:
    longest = min(2.0**failures, MAX_PAUSE_SECONDS)
    assert longest / 2 <= pause_seconds(failures) <= longest


def test_an_outage_is_a_failure_of_five_minutes() -> None:
    failing = DestinationHealth("byoc:acme", failures=3, failing_since=1000)
    assert not failing.outage_at(1000 + OUTAGE_SECONDS - 1)
    assert failing.outage_at(1000 + OUTAGE_SECONDS)
    assert not DestinationHealth("byoc:acme").outage_at(10**9)


@pytest.mark.parametrize(
    ("error", "reason", "stops"),
    [
        (WarehouseDownError("x"), "unreachable", True),
        (OutcomeUnknownError("x"), "no_answer", True),
        (refusal(516), "refused_credentials", True),
        (refusal(193), "refused_credentials", True),
        (refusal(252), "busy", True),
        (refusal(241), "busy", False),
        (refusal(60), "table_missing", True),
        (refusal(81), "table_missing", True),
        (refusal(16), "table_missing", True),
        (BucketUnavailableError("SlowDown"), "bucket_unreachable", True),
        (BucketRefusedError("NoSuchBucket"), "no_bucket", True),
        (BucketRefusedError("AccessDenied"), "bucket_refused", True),
        (failure(RoleRefusedError("AccessDenied")), "role_refused", True),
        (AddressRefusedError("x"), "address_refused", True),
        (BucketRefusedError("AddressRefusedError"), "address_refused", True),
        (BucketRefusedError("AnswerTooLongError"), "answer_refused", True),
        (UnusableAnswerError("x"), "answer_refused", True),
        (TooLongAnswerError("x"), "answer_refused", True),
        (LongResultError(), "answer_refused", True),
        (BatchTooLargeError("x"), "objects_too_large", False),
        (DecodedTooLargeError("x"), "objects_too_large", False),
    ],
    ids=str,
)
def test_every_failure_of_a_destination_has_a_code_word(error: Any, reason: str, stops: bool) -> None:
    fault = classify_error(error)
    assert (fault.reason, fault.stops, fault.ours) == (reason, stops, False)


def test_a_failure_on_our_side_says_nothing_about_the_destination() -> None:
    assert classify_error(StoreUnavailableError("x")).ours
    assert classify_error(RoleServiceUnavailableError("x")).ours


def test_a_destination_is_part_of_a_batchs_identity_which_versions_of_one_form_share() -> None:
    some = [staged(number=number) for number in range(3)]
    ids = {
        plan(some, destination)[0].batch_id
        for destination in ("managed", own_destination(ACME), own_destination(GLOBEX))
    }
    assert len(ids) == 3
    assert plan(some)[0].batch_id == plan(some, "managed")[0].batch_id
    fixed = StagedObject(
        "staged/v1/tenant=acme/day=2026-11-23/0000000000000000000000000a-r1-b300-x20261223.ndjson.zst", "e", 1
    )
    assert plan([fixed])[0].batch_id == "6f8d6046e12bb8ea14da60a90664832a"
    assert [function_of(each) for each in ("managed", "byoc:acme")] == ["sync", "sync-byoc"]


@given(st.integers(1, 600))
def test_sync_reads_the_objects_of_a_message_and_their_tenant(count: int) -> None:
    some = [staged(number=number) for number in range(count)]
    bodies = list(notifications(some, "ingest", ACME))
    assert len(bodies) == -(-count // OBJECTS_A_MESSAGE)
    messages = [read_messages({"Records": [{**record(ACME, staged()), "body": body}]})[0] for body in bodies]
    assert {message.tenant for message in messages} == {ACME}
    assert [each for message in messages for each in message.objects or ()] == some


def test_a_tenant_that_is_none_makes_a_message_unreadable() -> None:
    body = json.loads(next(notifications([staged()], "tests", ACME)))
    for forged in ("../acme", "", 5, None):
        (message,) = read_messages(
            {"Records": [{**record(ACME, staged()), "body": json.dumps({**body, "tenant": forged})}]}
        )
        assert message.objects is None
        assert message.tenant is None


def test_work_is_done_side_by_side_and_what_hangs_is_abandoned() -> None:
    hangs, ends = Event(), time.monotonic() + 1

    def work(key: str) -> str:
        if key == "hangs":
            hangs.wait(20)
        if key == "raises":
            raise ValueError("secret")
        return key.upper()

    fan_out: FanOut[str, str] = FanOut(work, lambda: ends - time.monotonic(), lambda: True, threads=2)
    began = time.monotonic()
    results, abandoned = fan_out.run(["hangs", "raises", "a", "b", "c"])
    assert (results, abandoned) == ({"a": "A", "b": "B", "c": "C"}, {"hangs"})
    assert time.monotonic() - began < 10
    hangs.set()
    time.sleep(0.05)
    assert results == {"a": "A", "b": "B", "c": "C"}, "who comes too late changes nothing"


def test_no_more_threads_than_allowed_and_nothing_is_begun_when_time_runs_low() -> None:
    lock, now, most, begun = Lock(), 0, 0, []

    def work(key: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            begun.append(key)
        time.sleep(0.01)
        with lock:
            now -= 1
        return key

    fan_out: FanOut[int, int] = FanOut(work, lambda: 9.0, lambda: len(begun) < 10, threads=3)
    results, abandoned = fan_out.run(range(1, 40))
    assert most <= 3
    assert 10 <= len(results) <= 13
    assert sorted(results) == sorted(begun)
    assert abandoned == set()
    assert fan_out.run([]) == (results, set())


def test_when_time_is_over_messages_return_at_the_queues_own_pace_and_none_is_lost() -> None:
    queue = Queue()
    sync = Sync(Clouds(acme=Outcome(wait_seconds=5)), queue, "url", 1)  # type: ignore[arg-type]
    template = record(ACME, staged())
    records = [{**template, "messageId": str(each), "receiptHandle": str(each)} for each in range(25)]
    over = False

    def hide(**_: Any) -> None:
        nonlocal over
        over = True

    queue.change_message_visibility_batch = hide  # type: ignore[method-assign]
    answer = answer_to({"Records": records}, lambda: 0.5 if over else 20.0, sync)
    assert len(answer["batchItemFailures"]) == 25
    assert over
