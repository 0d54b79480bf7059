"""The usage of a batch: sync records it in the ledger, billing counts it."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from functions.shared.tenancy import TenantId

DAY = "day#"
"""Prefix of a sort key in the table `usage`; followed by a day, it holds the tenant's usage of that day."""

SHARDS = ("0", "1", "2", "3")
"""Shards of the entries that wait to be counted: an index accepts 1,000 writes per second in each."""


@dataclass(frozen=True, slots=True)
class UsageShare:
    """One tenant's part of a batch for one day of receipt (UTC). `raw_bytes`: as NDJSON, before zstd."""

    tenant: TenantId
    day: date
    rows: int
    raw_bytes: int


def packed(shares: Iterable[UsageShare]) -> str:
    """Encode `shares` as text: an array of [tenant, day, rows, bytes] for each, in their order."""
    return json.dumps(
        [[each.tenant, each.day.isoformat(), each.rows, each.raw_bytes] for each in shares],
        separators=(",", ":"),
    )


def unpacked(text: str) -> tuple[UsageShare, ...]:
    """Decode the text made by `packed`."""
    return tuple(
        UsageShare(TenantId(tenant), date.fromisoformat(day), rows, raw_bytes)
        for tenant, day, rows, raw_bytes in json.loads(text)
    )


def shard_of(entry: str) -> str:
    """The shard in which an entry of the ledger waits to be counted."""
    return SHARDS[zlib.crc32(entry.encode()) % len(SHARDS)]
