"""A customer's bucket for one request: the calls that stage its logs share one deadline.

A request that is slow is reported while it still waits, not when it ends: until then more would follow it.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from threading import Timer

from functions.shared.buckets.contract import (
    Bucket,
    BucketUnavailableError,
    ExpectedObject,
    ListedObject,
    ObjectBody,
)
from functions.shared.egress.response_limits import bounded


class TimedBucket:
    """The Bucket over `bucket`, of one request.

    Within `staging` all calls together have `seconds`; outside of it each has `free_seconds` for itself. Over
    filtered connections a call is cut off at that moment; botocore may be asleep then between two attempts,
    for 2 s at most. A call after it does not take place and raises BucketUnavailableError.

    Parameters
    ----------
    free_seconds: what the calls within `staging` may take together before `on_slow` is called.
    on_slow: called once at most, from another thread; the bucket's call does not return before it has.
    clock: seconds, monotonic.
    """

    def __init__(
        self,
        bucket: Bucket,
        seconds: float,
        free_seconds: float,
        on_slow: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = bucket
        self._seconds = seconds
        self._free_seconds = free_seconds
        self._on_slow = on_slow
        self._clock = clock
        self._is_staging = False
        self._is_reported = False
        self._spent_seconds = 0.0

    @contextmanager
    def staging(self) -> Iterator[None]:
        """Calls in this block share the deadline."""
        self._is_staging = True
        try:
            yield
        finally:
            self._is_staging = False

    def create(self, key: str, body: bytes, attributes: Mapping[str, str] | None = None) -> str | None:
        with self._timed():
            return self._bucket.create(key, body, attributes)

    def replace(self, key: str, body: bytes, etag: str) -> bool:
        with self._timed():
            return self._bucket.replace(key, body, etag)

    def get(self, key: str, expected: ExpectedObject | None = None) -> ObjectBody | None:
        with self._timed():
            return self._bucket.get(key, expected)

    def etag_of(self, key: str) -> str | None:
        with self._timed():
            return self._bucket.etag_of(key)

    def delete(self, keys: Sequence[str]) -> None:
        with self._timed():
            self._bucket.delete(keys)

    def under(self, prefix: str) -> Iterator[ListedObject]:
        with self._timed():
            yield from self._bucket.under(prefix)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        left = self._seconds - self._spent_seconds if self._is_staging else self._free_seconds
        if left <= 0:
            raise BucketUnavailableError("DeadlineExceeded")
        began = self._clock()
        try:
            with self._watched() if self._is_staging else nullcontext(), bounded(math.inf, left):
                yield
        finally:
            if self._is_staging:
                self._spent_seconds += self._clock() - began

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Have the block reported if it is still under way when the free seconds are over."""
        if self._is_reported:
            yield
            return
        alarm = Timer(max(0.0, self._free_seconds - self._spent_seconds), self._report)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()
            alarm.join()

    def _report(self) -> None:
        self._is_reported = True
        self._on_slow()
