"""Customers who send logs all the time, as their clients should: with a key to repeat a request safely."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from types import TracebackType
from typing import Self
from uuid import uuid4

from rehearsal.api_client import Api, RehearsalError
from rehearsal.customer import Customer

EVENTS = 1000
ATTEMPTS = 60
PAUSE_SECONDS = 0.5
ACCEPTED = 202
REPEATED = frozenset({429, 500, 502, 503, 504})
"""Statuses after which a request is sent again (docs/api.md)."""


@dataclass(slots=True)
class Sent:
    """What one customer sent: `rows` accepted, `requests`, and those `repeated` after an error."""

    rows: int = 0
    requests: int = 0
    repeated: int = 0
    statuses: dict[str, int] = field(default_factory=dict)


class Load:
    """A context manager: each of `customers` sends batch after batch, at least `rows` rows together.

    Leaving it stops the load once that many rows were accepted.
    """

    def __init__(self, api: Api, customers: Sequence[Customer], rows: int) -> None:
        self._api = api
        self._customers = customers
        self._rows = rows
        self._stop = Event()
        self._pool = ThreadPoolExecutor(len(customers))
        self._running: list[Future[None]] = []
        self.sent = [Sent() for _ in customers]

    def __enter__(self) -> Self:
        self._running = [
            self._pool.submit(self._send_all, customer, sent)
            for customer, sent in zip(self._customers, self.sent, strict=True)
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._pool.shutdown()
        for each in self._running:
            each.result()

    @property
    def rows(self) -> int:
        """The rows accepted so far."""
        return sum(each.rows for each in self.sent)

    def _send_all(self, customer: Customer, sent: Sent) -> None:
        share = self._rows // len(self._customers)
        while not (self._stop.is_set() and sent.rows >= share):
            self._send(customer, sent)

    def _send(self, customer: Customer, sent: Sent) -> None:
        """Send one batch until it is accepted.

        Raises
        ------
        RehearsalError: it is rejected for good, or not accepted in ATTEMPTS attempts.
        """
        lines = customer.lines(EVENTS, "load")
        body = {"events": [{"message": line} for line in lines]}
        key = {"Idempotency-Key": uuid4().hex}
        for _ in range(ATTEMPTS):
            status = self._status(customer, body, key)
            sent.requests += 1
            sent.statuses[status] = sent.statuses.get(status, 0) + 1
            if status == str(ACCEPTED):
                customer.sent += lines
                sent.rows += len(lines)
                return
            if status.isdigit() and int(status) not in REPEATED:
                raise RehearsalError(f"{customer.name}'s batch was answered with {status}")
            sent.repeated += 1
            time.sleep(PAUSE_SECONDS)
        raise RehearsalError(f"{customer.name}'s batch was not accepted in {ATTEMPTS} attempts")

    def _status(self, customer: Customer, body: object, headers: dict[str, str]) -> str:
        """The status of a request, or the name of the fault of its connection."""
        try:
            return str(self._api.ask("POST /v1/drain", customer.key, body, headers).status)
        except OSError as fault:
            return type(fault).__name__
