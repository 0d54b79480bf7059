"""Wait until what an attack left is loaded and merged: a bounded time, by how much that is."""

from collections.abc import Iterable
from typing import Any

from functions.shared.events.staged_key import StagedKey, is_staged
from functions.shared.tenancy import TenantId
from tests.integration.stack import STAGED, RunningStack, wait_until

SHORTEST_SECONDS = 120
LONGEST_SECONDS = 480
SLOWEST_BYTES_PER_SECOND = 5_000_000
"""Of rows as NDJSON: a tenth of what two cores load that other work of the machine uses, too."""


def wait_until_settled(stack: RunningStack) -> None:
    """Return once sync has loaded all staged objects, and ClickHouse has merged them.

    Merges of an attack's rows would make the phases after it slower: the neutral load, and those alone.

    Raises
    ------
    StackNotReadyError: sync has not in `settle_seconds` of what is staged now, or merges take longer than
        LONGEST_SECONDS.
    """
    seconds = settle_seconds(staged_keys(stack.aws("s3"), stack.page["staging_bucket"]))
    wait_until(lambda: not stack.staged_keys(), seconds, "all rows are loaded")
    wait_until(lambda: not _merges(stack), LONGEST_SECONDS, "all rows are merged")


def delete_rows(stack: RunningStack, tenant: TenantId) -> None:
    """Delete all rows of `tenant`, and return once ClickHouse has rewritten the parts.

    An erasure rewrites parts, and with rows of an attack in them the phases after it would be slower.

    Raises
    ------
    StackNotReadyError: it takes longer than LONGEST_SECONDS.
    """
    stack.command(f"ALTER TABLE events DELETE WHERE tenant_id = '{tenant}' SETTINGS mutations_sync = 0")
    wait_until(lambda: not _rows_of(stack, tenant), LONGEST_SECONDS, "the attacker's rows are deleted")


def _rows_of(stack: RunningStack, tenant: TenantId) -> int:
    statement = "SELECT count() AS rows FROM events WHERE tenant_id = {tenant:String}"
    return int(stack.rows(statement, tenant=tenant)[0]["rows"])


def _merges(stack: RunningStack) -> int:
    return int(stack.rows("SELECT count() AS merges FROM system.merges")[0]["merges"])


def settle_seconds(keys: Iterable[str]) -> float:
    """How long loading the staged objects of these keys may take."""
    raw_bytes = sum(StagedKey.parse(each).raw_bytes for each in keys if is_staged(each))
    return min(LONGEST_SECONDS, SHORTEST_SECONDS + raw_bytes / SLOWEST_BYTES_PER_SECOND)


def staged_keys(s3: Any, bucket: str) -> list[str]:
    """The keys of all staged objects."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=STAGED)
    return [each["Key"] for page in pages for each in page.get("Contents", ())]
