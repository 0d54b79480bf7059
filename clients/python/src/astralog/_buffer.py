"""The lines that wait to be sent: bounded, first in first out, with a count of what became of each.

One lock guards everything. It is held for a few operations on integers and a deque, never while a request is
under way, so a thread that logs does not wait for the network. It is re-entrant, because a signal handler may
log while its thread is in here.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from time import monotonic

from astralog._statistics import Statistics


@dataclass(frozen=True)
class Limits:
    """Limits of a batch (lines, bytes before compression, age of its oldest line), and of the buffer."""

    batch_events: int
    batch_bytes: int
    batch_seconds: float
    buffer_events: int
    buffer_bytes: int


class Buffer:
    """Lines from `put` until `settle`, the batch that is being sent included.

    When it is full, the newest line is dropped: what is already in here keeps its place.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._condition = threading.Condition()
        self._lines: deque[tuple[float, bytes]] = deque()
        self._waiting_bytes = 0
        self._batch_bytes = 0
        self._accepted = self._taken = self._settled = 0
        self._flush_until = 0
        self._sent = self._rejected = self._dropped = self._retries = 0
        self._unreported = 0
        self._deadline: float | None = None

    def put(self, line: bytes) -> None:
        """Add a line, or count it as dropped: the buffer is full or closed."""
        limits = self._limits
        with self._condition:
            if (
                self._deadline is not None
                or self._accepted - self._settled >= limits.buffer_events
                or self._waiting_bytes + self._batch_bytes + len(line) > limits.buffer_bytes
            ):
                self.drop()
                return
            self._lines.append((monotonic(), line))
            self._waiting_bytes += len(line)
            self._accepted += 1
            if len(self._lines) == 1 or self._is_full():
                self._condition.notify_all()

    def drop(self) -> None:
        """Count a record that never became a line of the buffer."""
        with self._condition:
            self._dropped += 1
            self._unreported += 1

    def take(self) -> list[bytes]:
        """The next batch, once it is full, old enough, or wanted by a flush; empty when the buffer has ended.

        Each call is followed by calls of `settle` for all lines of the batch.
        """
        with self._condition:
            while not self._is_over():
                seconds = self._seconds_until_ready()
                if seconds is not None and seconds <= 0:
                    return self._pop()
                self._condition.wait(seconds)
            return []

    def settle(self, *, sent: int = 0, rejected: int = 0, dropped: int = 0) -> bool:
        """Count what became of lines of the batch; False if `end` has counted them as dropped before."""
        with self._condition:
            if self._settled == self._accepted:
                return False
            self._sent += sent
            self._rejected += rejected
            self._dropped += dropped
            self._settled += sent + rejected + dropped
            if self._settled == self._taken:
                self._batch_bytes = 0
            self._condition.notify_all()
            return True

    def settle_rest(self) -> int:
        """Count as dropped what is not settled of the batch; how many lines that is."""
        with self._condition:
            rest = self._taken - self._settled
            self.settle(dropped=rest)
            return rest

    def pause(self, seconds: float) -> None:
        """Wait before a retry, but not beyond the deadline of `close`."""
        end = monotonic() + seconds
        with self._condition:
            while True:
                until = end if self._deadline is None else min(end, self._deadline)
                if until <= monotonic():
                    return
                self._condition.wait(until - monotonic())

    def is_closing(self) -> bool:
        """Whether the buffer accepts nothing more."""
        return self._deadline is not None

    def is_ended(self) -> bool:
        """Whether the deadline of `close` has passed."""
        with self._condition:
            return self._deadline is not None and self._deadline <= monotonic()

    def flush(self, seconds: float) -> bool:
        """Wait until all lines that are in here are settled; False if they are not within `seconds`."""
        end = monotonic() + seconds
        with self._condition:
            target = self._accepted
            self._flush_until = max(self._flush_until, target)
            self._condition.notify_all()
            while self._settled < target and monotonic() < end:
                self._condition.wait(end - monotonic())
            return self._settled >= target

    def begin_close(self, seconds: float) -> bool:
        """Accept nothing more, and let the batches end within `seconds`; False if closed before."""
        with self._condition:
            if self._deadline is not None:
                return False
            self._deadline = monotonic() + seconds
            self._condition.notify_all()
            return True

    def end(self) -> int:
        """Count as dropped all that is not settled; how many lines that is."""
        with self._condition:
            rest = self._accepted - self._settled
            self._dropped += rest
            self._settled = self._taken = self._accepted
            self._lines.clear()
            self._waiting_bytes = self._batch_bytes = 0
            self._condition.notify_all()
            return rest

    def count_retry(self) -> None:
        """Count a request that is sent again."""
        with self._condition:
            self._retries += 1

    def unreported_drops(self) -> int:
        """Records that never became a line, since the last call."""
        with self._condition:
            count, self._unreported = self._unreported, 0
            return count

    def statistics(self) -> Statistics:
        """All counts at one moment."""
        with self._condition:
            buffered = self._accepted - self._settled
            return Statistics(self._sent, self._rejected, self._dropped, buffered, self._retries)

    def _is_full(self) -> bool:
        limits = self._limits
        return len(self._lines) >= limits.batch_events or self._waiting_bytes >= limits.batch_bytes

    def _is_over(self) -> bool:
        return self._deadline is not None and (not self._lines or self._deadline <= monotonic())

    def _seconds_until_ready(self) -> float | None:
        """Until the next batch is to be sent; None while there is no line."""
        if not self._lines:
            return None
        if self._is_full() or self._deadline is not None or self._flush_until > self._taken:
            return 0
        return self._lines[0][0] + self._limits.batch_seconds - monotonic()

    def _pop(self) -> list[bytes]:
        batch: list[bytes] = []
        size = 0
        while self._lines and len(batch) < self._limits.batch_events:
            line = self._lines[0][1]
            if batch and size + len(line) > self._limits.batch_bytes:
                break
            self._lines.popleft()
            batch.append(line)
            size += len(line)
        self._waiting_bytes -= size
        self._batch_bytes = size
        self._taken += len(batch)
        return batch
