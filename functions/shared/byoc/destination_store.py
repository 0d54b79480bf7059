"""BYOC destinations: where the logs of a BYOC tenant go, with encrypted credentials.

One DynamoDB item per tenant, keyed by `tenant_id`: the version, a summary without secrets, and two encrypted
texts. Each encrypted text contains the digest of the summary. So write access to the item is not enough to
have a customer's credentials sent to another address, nor to have another role assumed.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from functions.shared.byoc.destination import (
    Destination,
    DestinationSummary,
    digest,
    joined,
    s3_secrets,
    summary_of,
    tied,
)
from functions.shared.byoc.encryption import (
    CredentialEncryption,
    CredentialsUnreadableError,
    EncryptionContext,
)
from functions.shared.errors import RetryableError
from functions.shared.secret_text import SecretText
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tenancy import TenantId

if TYPE_CHECKING:
    from functions.shared.tables.destinations import DestinationItem, DestinationTable

__all__ = [
    "Destination",
    "DestinationCache",
    "DestinationChangedError",
    "DestinationStore",
    "DestinationSummary",
]

S3_CREDENTIALS = "s3_credentials"
CLICKHOUSE_CREDENTIALS = "clickhouse_credentials"

MAX_KEPT_SECONDS = 300


class DestinationChangedError(RetryableError):
    """Another process wrote or removed the destination meanwhile: read it again."""


class DestinationStore:
    """The table of destinations.

    Every method raises StoreUnavailableError when DynamoDB fails. Reads are strongly consistent.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table_name: str, sealer: CredentialEncryption, dynamodb: Any = None) -> None:
        self._table_name = table_name
        self._sealer = sealer
        self._dynamodb = dynamodb
        self._made: DestinationTable | None = None

    def get(self, tenant: TenantId) -> Destination | None:
        """The destination of `tenant` with its credentials, or None.

        Raises
        ------
        CredentialsUnreadableError: the item was altered, or its credentials shredded; new ones are needed.
        KeyServiceUnavailableError
        """
        item = self._table.get(str(tenant))
        if item is None:
            return None
        s3 = self._opened(tenant, item, S3_CREDENTIALS)
        clickhouse = self._opened(tenant, item, CLICKHOUSE_CREDENTIALS)
        return joined(_summary(tenant, item), s3, clickhouse)

    def summary(self, tenant: TenantId) -> DestinationSummary | None:
        """The summary, or None. It decrypts nothing, so it does not detect an altered item."""
        item = self._table.get(str(tenant))
        return None if item is None else _summary(tenant, item)

    def put(self, destination: Destination) -> DestinationSummary:
        """Write a new version, 1 if there is none, else the stored version + 1; returns its stored summary.

        Raises
        ------
        DestinationChangedError: another version is stored, or an earlier attempt of this write succeeded and
            its response was lost.
        KeyServiceUnavailableError
        """
        summary = summary_of(destination)
        shown = json.dumps(summary.stored())
        s3 = tied(shown, **s3_secrets(destination))
        at = destination.warehouse
        clickhouse = tied(shown, user=SecretText(at.user), password=at.password)
        try:
            self._table.put(
                str(destination.tenant),
                version=destination.version,
                summary=shown,
                s3_credentials=self._encrypted(destination, S3_CREDENTIALS, s3),
                clickhouse_credentials=self._encrypted(destination, CLICKHOUSE_CREDENTIALS, clickhouse),
            )
        except ConditionFailedError:
            raise DestinationChangedError("the destination was changed meanwhile") from None
        return summary

    def remove(self, tenant: TenantId) -> None:
        """Delete the destination and shred its credentials, including copies in backups.

        Shreds first: while a destination is still shown, its removal is incomplete. A repeat completes it,
        and has no effect when nothing is left.

        Raises
        ------
        DestinationChangedError: a new version was written in between and still exists.
        KeyServiceUnavailableError
        """
        item = self._table.get(str(tenant))
        self._sealer.shred(tenant)
        try:
            self._table.delete(str(tenant), 0 if item is None else item.version)
        except ConditionFailedError:
            raise DestinationChangedError("the destination was changed meanwhile") from None

    def tenants(self) -> Iterator[TenantId]:
        """Every tenant with a destination, page by page, in no order."""
        return map(TenantId, self._table.tenants())

    def _encrypted(self, destination: Destination, purpose: str, text: SecretText) -> str:
        context = EncryptionContext(destination.tenant, purpose, destination.version)
        return self._sealer.encrypt(text, context)

    def _opened(self, tenant: TenantId, item: "DestinationItem", purpose: str) -> dict[str, SecretText]:
        """The secrets of one field of `item`; decryption checks that they belong to `tenant`."""
        context = EncryptionContext(tenant, purpose, item.version)
        text = self._sealer.decrypt(_credentials(item, purpose), context)
        opened = {name: SecretText(value) for name, value in json.loads(text.reveal()).items()}
        if opened.pop("summary") != SecretText(digest(item.summary or "")):
            raise CredentialsUnreadableError("the item was altered: summary and credentials do not match")
        return opened

    @property
    def _table(self) -> "DestinationTable":
        """Loaded on first use: ingest and query load neither boto3 nor pynamodb for managed tenants."""
        if self._made is None:
            from functions.shared.tables.destinations import DestinationTable

            self._made = DestinationTable(self._table_name, self._dynamodb)
        return self._made


class DestinationCache:
    """Destinations, cached in this process for `seconds`, at most 300.

    Tenants without a destination and failures are not cached. Threads may call concurrently; no thread waits
    for another's read.
    """

    def __init__(
        self,
        destinations: DestinationStore,
        seconds: float = 60,
        max_kept: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._destinations = destinations
        self._seconds = min(seconds, MAX_KEPT_SECONDS)
        self._max_kept = max_kept
        self._clock = clock
        self._kept: dict[TenantId, tuple[float, Destination]] = {}
        self._lock = Lock()

    def get(self, tenant: TenantId) -> Destination | None:
        """The destination of `tenant`, or None; raises the errors of `DestinationStore.get`."""
        with self._lock:
            self._drop_old()
            if tenant in self._kept:
                return self._kept[tenant][1]
        # The age counts from before the read, so that a change during the read does not extend it.
        asked_at = self._clock()
        found = self._destinations.get(tenant)
        if found is not None:
            with self._lock:
                self._keep(asked_at, found)
        return found

    def evict(self, tenant: TenantId) -> None:
        """Drop the cached destination: its credentials were rejected, or it was changed."""
        with self._lock:
            self._kept.pop(tenant, None)

    def _keep(self, asked_at: float, destination: Destination) -> None:
        if len(self._kept) >= self._max_kept:
            del self._kept[next(iter(self._kept))]
        self._kept[destination.tenant] = (asked_at, destination)

    def _drop_old(self) -> None:
        """Drop all expired entries, not only the requested one; the first entry is the oldest."""
        oldest_allowed = self._clock() - self._seconds
        while self._kept:
            tenant, (asked_at, _) = next(iter(self._kept.items()))
            if asked_at > oldest_allowed:
                return
            del self._kept[tenant]


def _summary(tenant: TenantId, item: "DestinationItem") -> DestinationSummary:
    shown = DestinationSummary(**json.loads(item.summary or ""))
    if shown.tenant != tenant:
        raise CredentialsUnreadableError("the destination is another tenant's")
    return replace(shown, tenant=tenant)


def _credentials(item: "DestinationItem", purpose: str) -> str:
    """An encrypted text of `item`; empty, which never decrypts, when it is missing."""
    text = item.s3_credentials if purpose == S3_CREDENTIALS else item.clickhouse_credentials
    return text or ""
