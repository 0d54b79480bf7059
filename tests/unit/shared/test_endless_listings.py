"""A listing of a customer's bucket ends: by pages, by bytes, by time, by what one page holds."""

import math
import time
from collections.abc import Iterator

import pytest

from functions.shared.buckets import customer
from functions.shared.buckets.contract import BucketError, ListingTooLongError
from functions.shared.egress.response_limits import bounded
from infra.topology import function
from tests.measured import cost_of
from tests.unit.shared.endless import bucket_that_answers, entries, page
from tests.unit.shared.hostile_server import dripping, http, lasts_at_most

SMALLEST_MB = min(function(name).memory_mb for name in ("sweeper-byoc", "sweeper-dropin", "eraser-byoc"))


def test_pages_without_objects_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that stops after so many objects never gets one."""
    monkeypatch.setattr(customer, "MAX_LISTED_PAGES", 20)
    with bucket_that_answers(lambda _: [page()]) as (bucket, server):
        with pytest.raises(ListingTooLongError):
            next(iter(bucket.under("quarantine/")))
        assert len(server.asked) == 20


def test_a_reader_that_has_enough_notices_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customer, "MAX_LISTED_PAGES", 3)
    with bucket_that_answers(lambda _: [page(entries(2, 5))]) as (bucket, _):
        listing = bucket.under("staged/")
        assert len([next(listing) for _ in range(6)]) == 6
        with pytest.raises(ListingTooLongError):
            next(listing)


def test_time_that_is_waited_for_pages_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_head: bytes) -> Iterator[bytes]:
        time.sleep(0.1)
        yield page()

    monkeypatch.setattr(customer, "LISTING_SECONDS", 1.5)
    with bucket_that_answers(slow) as (bucket, server), pytest.raises(ListingTooLongError):
        list(bucket.under("staged/"))
    assert 2 < len(server.asked) < 20


@pytest.mark.measured
@pytest.mark.parametrize(
    ("keys", "key_bytes", "outcome"),
    [
        pytest.param(1000, 1000, "ListingTooLongError S3: ListingTooLong", marks=pytest.mark.soak),
        (20_000, 1, "BucketRefusedError S3: AnswerRefusedError"),
    ],
    ids=["keys of a kilobyte", "twenty times the objects of a page"],
)
def test_what_a_listing_holds_is_bounded_in_memory(keys: int, key_bytes: int, outcome: str) -> None:
    argument = {"keys": keys, "key_bytes": key_bytes}
    measured = cost_of("tests.unit.shared.endless:list_all", argument, memory_mb=SMALLEST_MB)
    print(measured)

    assert measured.result[1] == outcome
    assert measured.peak_mb < SMALLEST_MB / 2


def test_deleting_one_by_one_ends_when_the_time_of_its_caller_does() -> None:
    """Each in a thread of a pool, which knows of its caller's bounds."""

    def script(head: bytes) -> list[bytes] | object:
        if head.startswith(b"POST"):
            return [http("Content-Length: 0", status="501 Not Implemented")]
        return dripping(http("x: y"), seconds=0.1)

    answers = bucket_that_answers(script)  # type: ignore[arg-type]
    with answers as (bucket, _), lasts_at_most(6), bounded(math.inf, 1.0), pytest.raises(BucketError):
        bucket.delete([f"idempotency/{number}" for number in range(200)])
