"""Expiry of the quarantine: rows that ClickHouse rejected are logs too, and are kept no longer than others.

A document is deleted when the expiry day of its rows is over, or the earlier day that a shorter plan gives
them now. A longer plan does not prolong it: rows can be replayed only within their original time.
"""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from functions.retention.limits import Limits
from functions.shared import journal
from functions.shared.buckets.contract import Bucket
from functions.shared.errors import AstralogError, PermanentError
from functions.shared.events.staged_key import StagedKey
from functions.shared.quarantine import QuarantineHeader, header_of
from functions.shared.turns import interleaved

PREFIX = "quarantine/"
READS_AT_ONCE = 16
KEYS_A_STEP = 1000
"""The expired documents that one step finds are deleted before the next step begins."""


@dataclass(frozen=True, slots=True)
class ExpiredDocuments:
    """Documents deleted, rows in them, and documents that could not be read or for which no time was left."""

    documents: int
    rows: int
    undone: int = 0


def delete_expired(
    bucket: Bucket, limits: Limits, today: date, has_time: Callable[[], bool] = lambda: True
) -> ExpiredDocuments:
    """Delete the documents whose rows expired before `today`.

    Errors are those of the bucket, unless some documents are already deleted: these have to be reported.
    Unreadable objects are left to the bucket's lifecycle rule. `has_time`: whether there is time for a step.
    """
    keys = _mixed([each.key for each in bucket.under(PREFIX)])
    documents = rows = 0
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        for start in range(0, len(keys), KEYS_A_STEP):
            if not has_time():
                journal.write("purge_failed", error_type="NoTimeLeft", reason="the rest of the quarantine")
                return ExpiredDocuments(documents, rows, len(keys) - start)
            some = keys[start : start + KEYS_A_STEP]
            try:
                headers = zip(some, pool.map(partial(_header, bucket), some), strict=True)
                due = [(key, each) for key, each in headers if each and _last_day(each, limits) < today]
                bucket.delete([key for key, _ in due])
            except AstralogError as fault:
                if not documents:
                    raise
                journal.write("purge_failed", error_type=type(fault).__name__, reason=str(fault))
                return ExpiredDocuments(documents, rows, len(keys) - start)
            documents += len(due)
            rows += sum(each.rows for _, each in due)
    return ExpiredDocuments(documents, rows)


def _mixed(keys: Sequence[str]) -> list[str]:
    """`keys` in random order, one from each tenant's folder in turn.

    So the keys that a run has no time for vary, and a tenant with a million documents does not keep another
    tenant's documents from being checked.
    """
    folders: dict[str, list[str]] = {}
    for key in random.sample(keys, len(keys)):
        folders.setdefault(key.rpartition("/")[0], []).append(key)
    return list(interleaved(folders.values()))


def _header(bucket: Bucket, key: str) -> QuarantineHeader | None:
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


def _last_day(header: QuarantineHeader, limits: Limits) -> date:
    source = StagedKey.parse(header.source)
    limit = limits.get(source.tenant)
    by_plan = source.day + timedelta(days=limit.days) if limit and limit.binding else header.expires_on
    return min(by_plan, header.expires_on)
