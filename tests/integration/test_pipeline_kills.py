"""Children are killed in the middle of everything: nothing accepted is lost, and nothing is doubled."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import httpx
import pytest

from tests.integration.sending import at_once, batch, drain, ids, new_run
from tests.integration.stack import RunningStack, wait_until

CONNECTIONS = 8
REQUESTS = 300
EVENTS_A_REQUEST = 20
KILLS = (("clickhouse", 50), ("gateway", 150), ("clickhouse", 225))
"""Which child is killed after how many answers."""


class StubbornSender:
    """Sends a batch again until it is answered with 202, half of them under an Idempotency-Key.

    Without one, each attempt is of events of its own: what became of an attempt that was not answered, its
    sender cannot know.
    """

    def __init__(self, run: str, key: str) -> None:
        self.answers = 0
        self.accepted: list[str] = []
        self.unknown: list[str] = []
        self._run = run
        self._key = key
        self._lock = Lock()

    def send(self, client: httpx.Client, number: int) -> None:
        name = f"request-{number}"
        for attempt in range(300):
            if number % 2:
                events, headers = batch(self._run, f"{name}-{attempt}", EVENTS_A_REQUEST), {}
            else:
                events = batch(self._run, name, EVENTS_A_REQUEST)
                headers = {"idempotency_key": f"{self._run}-{number}"}
            if self._is_accepted(client, events, headers):
                return
            time.sleep(0.1)
        pytest.fail(f"{name} was never accepted")

    def _is_accepted(
        self, client: httpx.Client, events: list[dict[str, Any]], headers: dict[str, str]
    ) -> bool:
        try:
            accepted = drain(client, self._key, events, **headers).status_code == 202
        except httpx.TransportError:
            accepted = False
        with self._lock:
            self.answers += accepted
            (self.accepted if accepted else self.unknown).extend(ids(events))
        return accepted


def test_killed_children_lose_nothing_and_double_nothing(stack: RunningStack) -> None:
    run = new_run()
    sender = StubbornSender(run, stack.keys["ingest"])
    with ThreadPoolExecutor(1) as background:
        sending = background.submit(at_once, stack, CONNECTIONS, range(REQUESTS), sender.send)
        for child, answers in KILLS:
            wait_until(lambda answers=answers: sender.answers >= answers, 60, f"{answers} are answered")
            assert not sending.done(), "the kill would come too late to matter"
            stack.kill(child)
        sending.result()
    stack.wait_until_settled(150)
    stored = Counter(stack.stored_ids(run))
    assert len(sender.accepted) == REQUESTS * EVENTS_A_REQUEST
    assert [each for each in sender.accepted if stored[each] != 1] == []
    assert [each for each in stored if stored[each] > 1] == []
    assert stored.keys() <= {*sender.accepted, *sender.unknown}


@pytest.mark.parametrize("mode", [pytest.param("lose_answer", marks=pytest.mark.soak), "busy"])
def test_an_insert_that_fails_or_seems_to_is_stored_once(stack: RunningStack, mode: str) -> None:
    run = new_run()
    events = batch(run, "troubled", 50)
    order = {"mode": mode, "count": 1, "statement": "INSERT"}
    httpx.post(f"{stack.clickhouse}/_fault", content=json.dumps(order)).raise_for_status()
    with stack.client() as client:
        assert drain(client, stack.keys["ingest"], events).status_code == 202
    stack.wait_until_settled(90)
    assert Counter(stack.stored_ids(run)) == Counter(ids(events))
