"""The calls of one request to a customer's bucket end at one deadline, and slowness is reported meanwhile."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from obstore.store import MemoryStore

from functions.ingest.timed_bucket import TimedBucket
from functions.shared.buckets.contract import BucketError, BucketUnavailableError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.package import Package, put_package
from tests.unit.shared.endless import bucket_that_answers
from tests.unit.shared.hostile_server import dripping, http, lasts_at_most, silent

SECONDS, FREE_SECONDS = 1.0, 0.4

BOTOCORE_SLEEPS_SECONDS = 2.0

PACKAGE = Package(b"frames", 1, 6)


class Sleepy(PlatformBucket):
    """Takes `seconds` for each call."""

    def __init__(self, seconds: float) -> None:
        super().__init__(MemoryStore())
        self.seconds = seconds

    def create(self, *call: Any) -> str | None:
        time.sleep(self.seconds)
        return super().create(*call)

    def etag_of(self, key: str) -> str | None:
        time.sleep(self.seconds)
        return super().etag_of(key)


def slowly(answer: bytes, seconds: float) -> Iterator[bytes]:
    time.sleep(seconds)
    yield answer


def conflict(_head: bytes) -> Iterable[bytes]:
    """Each attempt to create finds the key taken, and nothing is there, each after 0.35 s."""
    return slowly(http("Content-Length: 0", status="409 Conflict"), 0.35)


SCRIPTS = {
    "silent": lambda _: silent(),
    "dripping headers": lambda _: dripping(b"HTTP/1.1 200 OK\r\nx: ", seconds=0.05),
    "dripping body": lambda _: dripping(http("Content-Length: 5000"), seconds=0.05),
    "dripping continue": lambda _: dripping(b"HTTP/1.1 100 Continue\r\nx: ", seconds=0.05),
    "continue and hang up": lambda _: [b"HTTP/1.1 100 Continue\r\n"],
    "slow refusals": lambda _: slowly(http("Content-Length: 0", status="503 Slow Down"), 0.3),
    "slow conflicts": conflict,
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_whatever_the_bucket_answers_all_calls_of_a_request_end_in_time(script: Any) -> None:
    reports = list[float]()
    with bucket_that_answers(script, read_seconds=5) as (bucket, _):
        timed = TimedBucket(bucket, SECONDS, FREE_SECONDS, lambda: reports.append(time.monotonic()))
        began = time.monotonic()
        with lasts_at_most(SECONDS + BOTOCORE_SLEEPS_SECONDS + 0.5), timed.staging():
            for number in range(20):
                with suppress(BucketError):
                    put_package(timed, f"staged/{number}", PACKAGE)
            with pytest.raises(BucketUnavailableError):
                timed.get("staged/0")
        ended = time.monotonic()
    (reported_at,) = reports
    assert began + FREE_SECONDS - 0.1 < reported_at < ended, "while the request still waits"


def test_a_fast_request_is_not_reported() -> None:
    def report() -> None:
        raise AssertionError

    timed = TimedBucket(Sleepy(0.01), 60, 20, report)
    with timed.staging():
        for number in range(4):
            put_package(timed, f"staged/{number}", PACKAGE)
    assert not [each for each in threading.enumerate() if isinstance(each, threading.Timer)]


def test_calls_that_are_slow_only_together_are_reported_once() -> None:
    reports = list[bool]()
    timed = TimedBucket(Sleepy(0.15), 60, FREE_SECONDS, lambda: reports.append(True))
    with timed.staging():
        for number in range(5):
            put_package(timed, f"staged/{number}", PACKAGE)
    assert reports == [True]


def test_a_call_after_the_deadline_does_not_take_place() -> None:
    now = [0.0]
    store = PlatformBucket(MemoryStore())
    timed = TimedBucket(store, SECONDS, 100, lambda: None, lambda: now[0])
    real = store.create

    def create(*call: Any) -> Any:
        now[0] += SECONDS
        return real(*call)

    store.create = create  # type: ignore[method-assign]
    with timed.staging():
        put_package(timed, "staged/1", PACKAGE)
        with pytest.raises(BucketUnavailableError):
            put_package(timed, "staged/2", PACKAGE)
    assert store.etag_of("staged/2") is None


def test_waiting_looks_as_often_as_it_likes_and_no_look_lasts_long() -> None:
    timed = TimedBucket(Sleepy(0.05), 0.3, 5, lambda: None)
    with timed.staging():
        put_package(timed, "staged/1", PACKAGE)
    assert all(timed.etag_of("staged/1") for _ in range(10))
    with bucket_that_answers(lambda _: silent(), read_seconds=5) as (bucket, _):
        waiting = TimedBucket(bucket, 20, FREE_SECONDS, lambda: None)
        with (
            lasts_at_most(FREE_SECONDS + BOTOCORE_SLEEPS_SECONDS + 0.5),
            pytest.raises(BucketUnavailableError),
        ):
            waiting.etag_of("staged/1")
