"""Sends the batches of a buffer, each until the service has answered for it.

A batch keeps its bytes and its `Idempotency-Key` over all its retries, so the service stores it once, even
when the response to an earlier attempt was lost.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import SystemRandom
from time import monotonic
from typing import Protocol
from uuid import uuid4

from astralog._buffer import Buffer
from astralog._errors import DeliveryError
from astralog._transport import FAILURES, Response

_RETRIED = frozenset({402, 408, 425, 429})
"""Statuses below 500 after which a retry may succeed. 402: once a cap is raised, or a payment has arrived."""

_OF_THE_BODY = frozenset({400, 413})
"""Rejections that say nothing about the next batch. After any other, sending pauses."""


class Posts(Protocol):
    """Sends one body; raises one of FAILURES when there is no response."""

    def post(self, body: bytes, encoding: str | None, idempotency_key: str) -> Response:
        """Send it."""

    def close(self) -> None:
        """Release the connection."""


@dataclass(frozen=True)
class Backoff:
    """Doubles from `first` to `longest` seconds; a wait is between half of that and all of it, by chance."""

    first: float = 0.5
    longest: float = 30.0

    def seconds(self, failures: int) -> float:
        """The wait after a number of failures in a row, from 1."""
        longest = min(self.first * 2.0 ** min(failures - 1, 60), self.longest)
        return SystemRandom().uniform(longest / 2, longest)


class Delivery:
    """Empties a buffer; `run` is the body of the thread.

    retry_seconds: how long a batch is retried; then it is dropped.
    report: receives each failure, and must not raise.
    """

    def __init__(
        self,
        buffer: Buffer,
        transport: Posts,
        report: Callable[[DeliveryError], None],
        *,
        compress: bool,
        retry_seconds: float,
        backoff: Backoff,
    ) -> None:
        self._buffer = buffer
        self._transport = transport
        self._report = report
        self._compress = compress
        self._retry_seconds = retry_seconds
        self._backoff = backoff
        self._failures = 0

    def run(self) -> None:
        """Send batches until the buffer is closed, and empty or out of time."""
        while batch := self._buffer.take():
            self._deliver(batch)
        self._report_drops()
        self._transport.close()

    def _deliver(self, batch: list[bytes]) -> None:
        """Send a batch, and continue with the next whatever happens."""
        try:
            self._deliver_in_parts(batch)
        except Exception as error:
            lost = self._buffer.settle_rest()
            self._report(DeliveryError(f"Sending failed: {type(error).__name__}.", lost=lost))

    def _deliver_in_parts(self, batch: list[bytes]) -> None:
        """Send a batch; what is too large, in halves."""
        waiting = [batch]
        while waiting:
            lines = waiting.pop()
            response = self._send(lines)
            if response is None:
                continue
            if response.status == 413 and len(lines) > 1:
                half = len(lines) // 2
                waiting += [lines[half:], lines[:half]]
            else:
                self._settle(len(lines), response)

    def _send(self, lines: list[bytes]) -> Response | None:
        """The response that decides about the lines; None if they were dropped without one."""
        body = b"\n".join(lines) + b"\n"
        if self._compress:
            body = gzip.compress(body, 6)
        idempotency_key = uuid4().hex
        end = monotonic() + self._retry_seconds
        for attempt in count():
            if self._buffer.is_ended():
                break
            if attempt:
                self._buffer.count_retry()
            self._report_drops()
            response, error = self._attempt(body, idempotency_key)
            if response is not None and not _is_retried(response.status):
                return response
            self._failures += 1
            remaining = end - monotonic()
            if remaining <= 0:
                self._drop(len(lines), error, f"it failed for {self._retry_seconds:.0f} seconds")
                return None
            self._report(error)
            self._buffer.pause(min(self._wait(response), remaining))
        self._drop(len(lines), None, "the handler was closed")
        return None

    def _attempt(self, body: bytes, idempotency_key: str) -> tuple[Response | None, DeliveryError]:
        try:
            response = self._transport.post(body, "gzip" if self._compress else None, idempotency_key)
        except FAILURES as error:
            return None, DeliveryError(f"There was no response: {type(error).__name__}: {error}")
        return response, _error_of(response)

    def _wait(self, response: Response | None) -> float:
        wait = self._backoff.seconds(self._failures)
        return max(wait, response.retry_after or 0) if response else wait

    def _drop(self, lost: int, error: DeliveryError | None, reason: str) -> None:
        """Count lines as dropped, and report why."""
        if not self._buffer.settle(dropped=lost):
            return
        text = f"{error or ''} {lost} records are dropped: {reason}.".lstrip()
        status, code = (error.status, error.code) if error else (None, "")
        self._report(DeliveryError(text, status=status, code=code, lost=lost))

    def _settle(self, lines: int, response: Response) -> None:
        """Count the lines of a request that was answered for good."""
        if 200 <= response.status < 300:
            self._failures = 0
            rejected = _number_of(response.document.get("rejected"), lines)
        else:
            rejected = lines
        if self._buffer.settle(sent=lines - rejected, rejected=rejected) and rejected:
            error = _error_of(response)
            self._report(
                DeliveryError(
                    f"{error} {rejected} records were rejected.",
                    status=error.status,
                    code=error.code,
                    lost=rejected,
                )
            )
        if response.status >= 300 and response.status not in _OF_THE_BODY:
            self._failures += 1
            self._buffer.pause(self._backoff.seconds(self._failures))

    def _report_drops(self) -> None:
        lost = self._buffer.unreported_drops()
        if lost:
            self._report(
                DeliveryError(f"{lost} records were dropped: the buffer was full or closed.", lost=lost)
            )


def _is_retried(status: int) -> bool:
    return status in _RETRIED or status >= 500


def _number_of(value: object, most: int) -> int:
    """A count in a response, if it is one."""
    return min(max(value, 0), most) if isinstance(value, int) and not isinstance(value, bool) else 0


def _error_of(response: Response) -> DeliveryError:
    """The service's own words, bounded."""
    document, status = response.document, response.status
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = str(document.get("code") or first.get("code") or "")[:100]
    words = str(document.get("error") or first.get("reason") or "")[:500]
    if 300 <= status < 400:
        words = words or "Redirects are not followed: correct the URL."
    text = f"The service answered {status}{f' {code}' if code else ''}{f': {words}' if words else '.'}"
    return DeliveryError(text, status=status, code=code)
