"""Tombstones of deleted accounts: data of these accounts that arrives later is dropped, not loaded.

A tombstone holds only the SHA-256 of the account's id. It is written before anything is deleted and stays for
KEEP_DAYS: longer than a message lives, than the ledger keeps a claim, and than a backup can restore the
account, which is then erased again (docs/privacy.md).
"""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tables.table import Table
from functions.shared.tables.tombstones import TombstoneItem
from functions.shared.tenancy import TenantId

KEEP_DAYS = 90
SECONDS_A_DAY = 86_400

MAX_CACHED_SECONDS = 30.0
"""The maximum age of a process's copy of the tombstones."""

ACCOUNTS = "accounts"
"""The single partition of all tombstones: one query reads every recently erased account."""


def name_of(tenant: TenantId) -> str:
    """The hash that stands for `tenant` in a tombstone."""
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
        self._table = Table(TombstoneItem, table, client)
        self._clock = clock

    def add(self, tenant: TenantId) -> None:
        """Write a tombstone: `tenant` counts as erased from now on; a repeat extends it."""
        now = int(self._clock())
        self._table.update(
            (ACCOUNTS, name_of(tenant)),
            TombstoneItem.erased_at.set(TombstoneItem.erased_at | now),
            TombstoneItem.forget_at.set(now + KEEP_DAYS * SECONDS_A_DAY),
        )

    def all(self) -> frozenset[str]:
        """The hashes of all accounts that are erased or being erased."""
        # DynamoDB deletes expired items late, so the expiry date is checked.
        kept = TombstoneItem.forget_at > int(self._clock())
        found = self._table.query(ACCOUNTS, keep=kept, attributes=["tenant_hash"])
        return frozenset(each.tenant_hash for each in found)


class TombstoneCache:
    """The tombstones, at most REMEMBERED_SECONDS old; older while DynamoDB does not answer.

    Data that this check misses is found by the erasure, which repeats until no more data can arrive.
    """

    def __init__(self, tombstones: Tombstones, clock: Callable[[], float] = time.monotonic) -> None:
        self._tombstones = tombstones
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._read_at: float | None = None

    def is_deleted(self, tenant: TenantId) -> bool:
        """Whether `tenant` was erased or is being erased.

        Raises
        ------
        StoreUnavailableError: the tombstones have never been read.
        """
        now = self._clock()
        if self._read_at is None or now - self._read_at >= MAX_CACHED_SECONDS:
            try:
                self._known = self._tombstones.all()
                self._read_at = now
            except StoreUnavailableError:
                if self._read_at is None:
                    raise
        return bool(self._known) and name_of(tenant) in self._known
