"""From the answer to the warehouse: every accepted event is stored, and stored once."""

import threading
import time
from collections import Counter

import httpx
import pytest

from tests.integration.sending import at_once, batch, drain, ids, new_run
from tests.integration.stack import RunningStack, bearer, wait_until


def test_each_event_of_many_requests_at_once_is_stored_once(stack: RunningStack) -> None:
    run, key = new_run(), stack.keys["ingest"]
    batches = [batch(run, f"request-{number}", 100) for number in range(200)]
    answers = at_once(stack, 8, batches, lambda client, events: drain(client, key, events))
    assert Counter(answer.status_code for answer in answers) == {202: 200}
    assert all(answer.json()["accepted"] == 100 for answer in answers)
    stack.wait_until_settled()
    stored = stack.stored_ids(run)
    assert len(stored) == 20_000
    assert set(stored) == {each for events in batches for each in ids(events)}


def test_two_equal_lines_of_a_request_are_two_rows(stack: RunningStack) -> None:
    run = new_run()
    with stack.client() as client:
        answer = drain(client, stack.keys["ingest"], batch(run, "twin", 1) * 2, wait=True)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    assert stack.stored_ids(run) == ["twin-0", "twin-0"]


def test_a_batch_sent_five_times_at_once_under_one_key_is_stored_once(stack: RunningStack) -> None:
    run = new_run()
    events = batch(run, "five", 20)
    answers = at_once(
        stack,
        5,
        range(5),
        lambda client, _: drain(client, stack.keys["ingest"], events, idempotency_key=run),
    )
    assert [(answer.status_code, answer.json()["accepted"]) for answer in answers] == [(202, 20)] * 5
    stack.wait_until_settled()
    assert Counter(stack.stored_ids(run)) == Counter(ids(events))


def test_a_batch_sent_again_after_it_was_loaded_is_stored_once(stack: RunningStack) -> None:
    run = new_run()
    events = batch(run, "again", 3)
    with stack.client() as client:
        for _ in range(3):
            answer = drain(client, stack.keys["ingest"], events, wait=True, idempotency_key=run)
            assert (answer.status_code, answer.json()["accepted"]) == (200, 3)
            assert Counter(stack.stored_ids(run)) == Counter(ids(events))


@pytest.mark.parametrize("size", [3, 4], ids=["as-many-events", "more-events"])
def test_an_idempotency_key_used_for_another_batch_is_refused(stack: RunningStack, size: int) -> None:
    run = new_run()
    with stack.client() as client:
        first = drain(client, stack.keys["ingest"], batch(run, "first", 3), idempotency_key=run)
        other = drain(client, stack.keys["ingest"], batch(run, "other", size), idempotency_key=run)
    assert first.status_code == 202
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    stack.wait_until_settled()
    assert sorted(stack.stored_ids(run)) == ["first-0", "first-1", "first-2"]


def test_two_tenants_may_use_the_same_idempotency_key(stack: RunningStack) -> None:
    run = new_run()
    with stack.client() as client:
        for key, name in ((stack.keys["ingest"], "acme"), (stack.second_keys["ingest"], "globex")):
            assert drain(client, key, batch(run, name, 1), idempotency_key=run).status_code == 202
    stack.wait_until_settled()
    assert sorted(stack.stored_ids(run)) == ["acme-0", "globex-0"]


def test_accepted_events_are_soon_found_by_a_search(
    stack: RunningStack, capsys: pytest.CaptureFixture[str]
) -> None:
    run, sent_at, found_at = new_run(), dict[str, float](), dict[str, float]()

    def send_twenty() -> None:
        with stack.client() as client:
            for number in range(20):
                answer = drain(client, stack.keys["ingest"], batch(run, f"event-{number}", 1))
                assert answer.status_code == 202
                sent_at[f"event-{number}-0"] = time.monotonic()
                time.sleep(0.25)

    def all_are_found(client: httpx.Client) -> bool:
        for name in _found(client, stack.keys["read"], run):
            found_at.setdefault(name, time.monotonic())
        return len(found_at) == 20

    sending = threading.Thread(target=send_twenty)
    sending.start()
    with stack.client() as client:
        wait_until(lambda: all_are_found(client), 60, "every event is found")
    sending.join()
    seconds = sorted(found_at[name] - sent_at[name] for name in sent_at)
    with capsys.disabled():
        print(f"\n202 to searchable: p50 {seconds[9]:.2f} s, p95 {seconds[18]:.2f} s, {len(seconds)} events")


def _found(client: httpx.Client, key: str, run: str) -> list[str]:
    where = [{"field": "metadata.run", "op": "eq", "value": run}]
    answer = client.post("/v1/search", json={"where": where, "limit": 1000}, headers=bearer(key))
    assert answer.status_code == 200, answer.text
    return [event["metadata"]["event_id"] for event in answer.json()["events"]]
