"""The quarantine's end: rows that ClickHouse refused are logs too, and are kept no longer than others.

A document goes when the day is over that its rows were stamped with, or that a shorter plan gives them now.
A longer plan prolongs nothing here: what is to be replayed is replayed in the time it came with.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

from functions.retention.limits import Limits
from functions.shared import journal
from functions.shared.buckets.contract import Bucket
from functions.shared.errors import PermanentError
from functions.shared.quarantine import Header, header_of
from functions.shared.staging import StagedKey

PREFIX = "quarantine/"
READS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Documents deleted, and the rows that were in them."""

    documents: int
    rows: int


def forget_expired(bucket: Bucket, limits: Limits, today: date) -> Forgotten:
    """Delete the documents whose rows were to be kept until before `today`. Errors are those of the bucket.

    What nobody can read is left to the bucket's own rule.
    """
    due = [(key, header) for key, header in _headers(bucket) if _last_day(header, limits) < today]
    bucket.delete([key for key, _ in due])
    return Forgotten(len(due), sum(header.rows for _, header in due))


def _headers(bucket: Bucket) -> Iterator[tuple[str, Header]]:
    keys = [each.key for each in bucket.under(PREFIX)]
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        for key, header in zip(keys, pool.map(lambda key: _header(bucket, key), keys), strict=True):
            if header:
                yield key, header


def _header(bucket: Bucket, key: str) -> Header | None:
    found = bucket.get(key)
    if found is None:
        return None
    try:
        header = header_of(bytes(found.body))
        StagedKey.parse(header.source)
    except PermanentError as fault:
        journal.write("quarantine_unreadable", key=key, error_type=type(fault).__name__)
        return None
    return header


def _last_day(header: Header, limits: Limits) -> date:
    source = StagedKey.parse(header.source)
    limit = limits.get(source.tenant)
    by_plan = source.day + timedelta(days=limit.days) if limit and limit.binding else header.expires_on
    return min(by_plan, header.expires_on)
