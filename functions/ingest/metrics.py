"""Metrics of accepted requests, and one log line for each rejected request.

The line of a rejection names the tenant, the error code and counts, and nothing of the events, so that a
customer's question "why are my logs missing" has an answer. A request without a valid key has no tenant, and
leaves no line.
"""

import time

from functions.ingest.accept import Accepted
from functions.ingest.rate_limit import RequestWork
from functions.shared import journal
from functions.shared.access import Principal
from functions.shared.errors import SettingsError
from functions.shared.http import code_of

FUNCTION = "ingest"

PERIOD_SECONDS = 60.0

OWN_LINES = 10
"""Requests of a period that have a line each."""

MAX_REQUESTS_A_LINE = 100
"""CloudWatch accepts as many values of a metric in one line."""


class AcceptedLines:
    """Writes the metrics of accepted requests, with fewer lines than requests while there are many.

    In each minute the first OWN_LINES requests of an execution environment have a line each, with tenant and
    object key. After them one line has the sums of `requests_a_line` requests, the duration of each, and no
    tenant. So sums and percentiles stay exact. Less than one line's requests are missing from the metrics
    when an environment ends; billing counts the rows in ClickHouse, not these.

    Parameters
    ----------
    requests_a_line: 1 for a line for each request, at most MAX_REQUESTS_A_LINE.

    Raises
    ------
    SettingsError: `requests_a_line` is out of bounds.
    """

    def __init__(self, requests_a_line: int = 1) -> None:
        if not 1 <= requests_a_line <= MAX_REQUESTS_A_LINE:
            raise SettingsError(f"ASTRALOG_REQUESTS_A_LINE is not from 1 to {MAX_REQUESTS_A_LINE}")
        self._requests_a_line = requests_a_line
        self._period_began = float("-inf")
        self._lines = 0
        self._reset()

    def add(self, accepted: Accepted, caller: Principal, key: str, took_ms: int) -> None:
        """Count a request whose rows are staged under `key`, and write a line if it is time for one."""
        now = time.monotonic()
        if now - self._period_began >= PERIOD_SECONDS:
            self._period_began, self._lines = now, 0
        self._rows += accepted.result.rows
        self._rejected += accepted.result.rejected
        self._bytes += accepted.raw_bytes
        self._took_ms.append(took_ms)
        if self._lines < OWN_LINES or len(self._took_ms) >= self._requests_a_line:
            self._write(caller, key)

    def _write(self, caller: Principal, key: str) -> None:
        is_one = len(self._took_ms) == 1
        journal.measure(
            FUNCTION,
            {
                "AcceptedEvents": (self._rows, "Count"),
                "RejectedEvents": (self._rejected, "Count"),
                "AcceptedBytes": (self._bytes, "Bytes"),
                "RequestMs": (self._took_ms[0] if is_one else self._took_ms, "Milliseconds"),
            },
            **({"tenant_id": caller.tenant, "key": key} if is_one else {}),
        )
        self._lines += 1
        self._reset()

    def _reset(self) -> None:
        self._rows = self._rejected = self._bytes = 0
        self._took_ms: list[float] = []


def log_rejection(error: Exception, caller: Principal, accepted: Accepted, work: RequestWork) -> None:
    """Write the line of a request of which nothing is stored because of `error`.

    `rows` counts its good records and `rejected` its bad ones, as far as it was read; `bytes` is decoded.
    """
    journal.write(
        "request_rejected",
        tenant_id=caller.tenant,
        code=code_of(error),
        rows=accepted.result.rows,
        rejected=accepted.result.rejected,
        bytes=work.decoded_bytes,
    )
