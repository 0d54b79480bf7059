"""What a batch has stored, as sync leaves it in the ledger and billing counts it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from functions.shared.tenancy import TenantId

SHARDS = ("0", "1", "2", "3")
"""What the batches that wait to be counted are divided into: an index takes 1,000 writes a second in each."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one tenant has in a batch of one day's receipt (UTC). `raw_bytes`: as NDJSON, before zstd."""

    tenant: TenantId
    day: date
    rows: int
    raw_bytes: int


def packed(shares: Iterable[Share]) -> str:
    """`shares` as text: an array of [tenant, day, rows, bytes] for each, in their order."""
    return json.dumps(
        [[each.tenant, each.day.isoformat(), each.rows, each.raw_bytes] for each in shares],
        separators=(",", ":"),
    )


def unpacked(text: str) -> tuple[Share, ...]:
    """What `packed` has made."""
    return tuple(
        Share(TenantId(tenant), date.fromisoformat(day), rows, raw_bytes)
        for tenant, day, rows, raw_bytes in json.loads(text)
    )


def shard_of(batch_id: str) -> str:
    """Which of SHARDS a batch waits in; ids are hexadecimal."""
    return SHARDS[int(batch_id[0], 16) % len(SHARDS)]
