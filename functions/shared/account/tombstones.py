"""Accounts that were erased: what still comes of them is dropped, not loaded.

A tombstone holds the SHA-256 of the account's id and nothing else of it. It is there before the first thing
is removed, and stays for KEEP_DAYS: longer than a message lives, than the ledger remembers a claim, and than
a backup can bring the account back, which is then erased anew (docs/privacy.md).
"""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from functions.shared.dynamo.answers import StoreUnavailableError, answered, open_client
from functions.shared.tenancy import TenantId

KEEP_DAYS = 90
SECONDS_A_DAY = 86_400

REMEMBERED_SECONDS = 30.0
"""What a process knows of the tombstones is not older than this."""

ACCOUNTS = "accounts"
"""The partition of all of them: one query tells a process every account that was erased of late."""


def name_of(tenant: TenantId) -> str:
    """What a tombstone calls `tenant`."""
    return sha256(f"account {tenant}".encode()).hexdigest()


class Tombstones:
    """The table: partition key `kind`, sort key `tenant_hash`.

    Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._client = client
        self._clock = clock

    def bury(self, tenant: TenantId) -> None:
        """From now on `tenant` is erased; the same again keeps the tombstone for longer."""
        now = int(self._clock())
        self._call(
            "update_item",
            Key={"kind": {"S": ACCOUNTS}, "tenant_hash": {"S": name_of(tenant)}},
            UpdateExpression="SET buried_at = if_not_exists(buried_at, :now), forget_at = :end",
            ExpressionAttributeValues={
                ":now": {"N": str(now)},
                ":end": {"N": str(now + KEEP_DAYS * SECONDS_A_DAY)},
            },
        )

    def all(self) -> frozenset[str]:
        """The names of all accounts that are erased, or are being so."""
        found: set[str] = set()
        start: dict[str, Any] = {}
        while True:
            page = self._call(
                "query",
                KeyConditionExpression="kind = :accounts",
                # DynamoDB forgets late, so the date is looked at.
                FilterExpression="forget_at > :now",
                ExpressionAttributeValues={
                    ":accounts": {"S": ACCOUNTS},
                    ":now": {"N": str(int(self._clock()))},
                },
                ProjectionExpression="tenant_hash",
                ConsistentRead=True,
                **start,
            )
            found.update(item["tenant_hash"]["S"] for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return frozenset(found)
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _call(self, operation: str, **parameters: Any) -> Any:
        self._client = self._client or open_client()
        with answered():
            return getattr(self._client, operation)(TableName=self._table, **parameters)


class RecentTombstones:
    """The tombstones as they were REMEMBERED_SECONDS ago at the earliest; later while DynamoDB is silent.

    What is dropped too late is found by the erasure, which goes on until nothing can come any more.
    """

    def __init__(self, tombstones: Tombstones, clock: Callable[[], float] = time.monotonic) -> None:
        self._tombstones = tombstones
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._read_at: float | None = None

    def buried(self, tenant: TenantId) -> bool:
        """Whether `tenant` was erased, or is being so.

        Raises
        ------
        StoreUnavailableError: nothing was ever read.
        """
        now = self._clock()
        if self._read_at is None or now - self._read_at >= REMEMBERED_SECONDS:
            try:
                self._known = self._tombstones.all()
                self._read_at = now
            except StoreUnavailableError:
                if self._read_at is None:
                    raise
        return bool(self._known) and name_of(tenant) in self._known
