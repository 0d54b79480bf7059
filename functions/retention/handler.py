"""Purge: logs leave when their plan's days are over.

Trigger: the scheduler, every hour. Promise: every partition whose day of expiry is past (UTC) is dropped,
whole, and what was dropped and what is the oldest left is measured. Dropping twice does no harm.
On failure: each drop stands alone; one that fails is logged, the others go on, and the next hour tries
again. `PartitionsOverdue` counts those left more than a day after their time: an alarm hangs on it. When
the warehouse cannot be listed at all the run raises.
"""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from functions.retention.partitions import Partitions
from functions.retention.purge import purge
from functions.shared import journal
from functions.shared.address import Address
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.warehouse import Warehouse

STATEMENT_TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Settings:
    warehouse_secret: str


@cache
def _partitions() -> Partitions:
    secret = read_secret(load(Settings).warehouse_secret)
    return Partitions(Warehouse(Address.from_json(secret), STATEMENT_TIMEOUT_SECONDS))


def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    started = time.monotonic()
    done = purge(_partitions(), datetime.now(UTC).date())
    journal.measure(
        "retention",
        {
            "RowsPurged": (done.rows, "Count"),
            "BytesPurged": (done.bytes, "Bytes"),
            "PartitionsPurged": (done.partitions, "Count"),
            "PurgesFailed": (done.failed, "Count"),
            "PartitionsOverdue": (done.overdue, "Count"),
        },
        expires_on=done.oldest_left or "",
        duration_ms=round((time.monotonic() - started) * 1000),
    )
    return asdict(done)
