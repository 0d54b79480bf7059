"""The time from request to searchable is that of the request's own events; that of an erasure is its own."""

import json
import threading
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from tests.fairness import searchable_requests
from tests.fairness.probes import REQUEST_TO_SEARCHABLE, ProbeFailedError, Samples, Tenant
from tests.fairness.searchable_requests import measure_requests
from tests.integration.stack import RunningStack

ERASED = {"id": "e", "state": "verified"}
KEYS = {"ingest": "a", "read": "b", "admin": "c"}


class Stack:
    """Stores what is sent; its search finds what `is_loaded` says."""

    def __init__(self, is_loaded: Callable[[str], bool] = lambda _event_id: True) -> None:
        self.stored: list[dict[str, Any]] = []
        self._is_loaded = is_loaded

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer), base_url="http://stack")

    def aws(self, _service: str) -> None:
        return None

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/v1/erasures"):
            return httpx.Response(202 if request.method == "POST" else 200, json=ERASED)
        body = json.loads(request.content)
        if request.url.path == "/v1/drain":
            self.stored += body["events"]
            return httpx.Response(202, json={})
        (where,) = body["where"]
        wanted = where["value"] if where["op"] == "in" else [where["value"]]
        key = where["field"].removeprefix("metadata.")
        found = [
            each
            for each in self.stored
            if each["metadata"][key] in wanted and self._is_loaded(each["metadata"]["event_id"])
        ]
        timing = {"server-timing": "queue;dur=0.0, total;dur=1.0"}
        return httpx.Response(200, json={"events": found[: body.get("limit", 100)]}, headers=timing)


def tenant(stack: Stack) -> Tenant:
    return Tenant(cast("RunningStack", stack), KEYS)


def test_no_request_is_found_by_the_events_of_another_one() -> None:
    """Each phase began with the same ids once: events of an earlier phase were found at once."""
    stack = Stack()
    earlier, later = tenant(stack), tenant(stack)
    ids = [each.send_request() for each in (earlier, later) for _ in range(3)]
    assert len(set(ids)) == 6
    assert later.searchable(set(ids)) == set(ids)
    assert later.searchable({f"{ids[0]}0"}) == set()


def test_a_search_that_finds_nothing_is_no_measurement() -> None:
    stack = Stack(is_loaded=lambda _event_id: False)
    with pytest.raises(ProbeFailedError, match="found nothing"):
        tenant(stack).search()


def test_the_time_of_an_erasure_begins_with_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the person's row is searchable takes seconds of its own, which are another probe's."""
    waited: list[float] = []
    monkeypatch.setattr("tests.fairness.probes.time.sleep", waited.append)
    seconds = iter(range(1000))
    monkeypatch.setattr("tests.fairness.probes.time.monotonic", lambda: float(next(seconds)))
    searches = iter(range(100))
    slow = tenant(Stack(is_loaded=lambda _event_id: next(searches) >= 20))
    assert slow.erasure(60) <= 3
    assert len(waited) == 20


class Sender:
    """Its requests are found by the search `polls` searches later; `faults`: of the next searches."""

    def __init__(self, polls: int, ended: threading.Event, faults: int = 0) -> None:
        self.sent: list[str] = []
        self.searches = 0
        self._found_at: dict[str, int] = {}
        self._polls, self._ended, self._faults = polls, ended, faults

    def send_request(self) -> str:
        self.sent.append(f"r{len(self.sent)}")
        self._found_at[self.sent[-1]] = self.searches + self._polls
        if len(self.sent) == 3:
            self._ended.set()
        return self.sent[-1]

    def searchable(self, event_ids: set[str]) -> set[str]:
        self.searches += 1
        if self._faults:
            self._faults -= 1
            raise ProbeFailedError("500")
        return {each for each in event_ids if self._found_at[each] <= self.searches}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searchable_requests, "SEND_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(searchable_requests, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(searchable_requests, "PATIENCE_SECONDS", 0.5)


def test_requests_are_sent_while_others_wait_and_the_last_ones_are_waited_for() -> None:
    samples, ended = Samples(), threading.Event()
    sender = Sender(10, ended)
    measure_requests(sender, samples, ended)
    assert len(sender.sent) == 3
    assert sender.searches < 3 * 10, "not one after the other"
    assert len(samples.seconds[REQUEST_TO_SEARCHABLE]) == 3
    assert min(samples.seconds[REQUEST_TO_SEARCHABLE]) >= 9 * 0.01
    assert samples.failures == []


def test_a_request_that_is_never_found_is_a_failure_and_no_sample() -> None:
    samples, ended = Samples(), threading.Event()
    measure_requests(Sender(10**9, ended), samples, ended)
    assert samples.seconds == {}
    assert samples.failures == [f"{REQUEST_TO_SEARCHABLE}: not searchable after 0.5 s"] * 3


def test_a_failed_search_is_reported_and_the_request_is_looked_for_again() -> None:
    samples, ended = Samples(), threading.Event()
    measure_requests(Sender(1, ended, faults=2), samples, ended)
    assert len(samples.seconds[REQUEST_TO_SEARCHABLE]) == 3
    assert samples.failures == [f"{REQUEST_TO_SEARCHABLE}: ProbeFailedError: 500"] * 2
