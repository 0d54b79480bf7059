"""BYOC destinations: where the logs of a BYOC tenant go, with encrypted credentials.

One DynamoDB item per tenant, keyed by `tenant_id`: the version, a summary without secrets, and two encrypted
texts. Each encrypted text contains the digest of the summary. So write access to the item is not enough to
have a customer's credentials sent to another address.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from threading import Lock
from typing import Any

from functions.shared.aws_client import asked, client
from functions.shared.byoc.destination import (
    Destination,
    DestinationSummary,
    digest,
    joined,
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
from functions.shared.tenancy import TenantId

__all__ = [
    "Destination",
    "DestinationCache",
    "DestinationChangedError",
    "DestinationStore",
    "DestinationSummary",
    "DestinationsUnavailableError",
]

S3_CREDENTIALS = "s3_credentials"
CLICKHOUSE_CREDENTIALS = "clickhouse_credentials"

MAX_KEPT_SECONDS = 300


class DestinationChangedError(RetryableError):
    """Another process wrote or removed the destination meanwhile: read it again."""


class DestinationsUnavailableError(RetryableError):
    """DynamoDB did not answer, or throttled the request."""


class DestinationStore:
    """The table of destinations.

    Every method raises DestinationsUnavailableError when DynamoDB fails. Reads are strongly consistent.

    Parameters
    ----------
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table_name: str, sealer: CredentialEncryption, dynamodb: Any = None) -> None:
        self._table_name = table_name
        self._sealer = sealer
        self._dynamodb = dynamodb

    def get(self, tenant: TenantId) -> Destination | None:
        """The destination of `tenant` with its credentials, or None.

        Raises
        ------
        CredentialsUnreadableError: the item was altered, or its credentials shredded; only new credentials help.
        KeyServiceUnavailableError
        """
        item = self._item(tenant)
        if item is None:
            return None
        s3 = self._opened(tenant, item, S3_CREDENTIALS)
        clickhouse = self._opened(tenant, item, CLICKHOUSE_CREDENTIALS)
        return joined(_summary(tenant, item), s3, clickhouse)

    def summary(self, tenant: TenantId) -> DestinationSummary | None:
        """The summary, or None. It decrypts nothing, so it does not detect an altered item."""
        item = self._item(tenant)
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
        shown = json.dumps(asdict(summary))
        s3 = tied(shown, id=destination.access_key_id, secret=destination.secret_access_key)
        at = destination.warehouse
        clickhouse = tied(shown, user=SecretText(at.user), password=at.password)
        item = {
            "tenant_id": {"S": str(destination.tenant)},
            "version": {"N": str(destination.version)},
            "summary": {"S": shown},
            S3_CREDENTIALS: self._encrypted(destination, S3_CREDENTIALS, s3),
            CLICKHOUSE_CREDENTIALS: self._encrypted(destination, CLICKHOUSE_CREDENTIALS, clickhouse),
        }
        self._call("put_item", Item=item, **_only_after(destination.version - 1))
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
        item = self._item(tenant)
        self._sealer.shred(tenant)
        version = 0 if item is None else int(item["version"]["N"])
        self._call("delete_item", Key={"tenant_id": {"S": str(tenant)}}, **_only_after(version))

    def tenants(self) -> Iterator[TenantId]:
        """Every tenant with a destination, page by page, in no order."""
        start: dict[str, Any] = {}
        while True:
            page = self._call("scan", ProjectionExpression="tenant_id", ConsistentRead=True, **start)
            yield from (TenantId(item["tenant_id"]["S"]) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _item(self, tenant: TenantId) -> dict[str, Any] | None:
        item: dict[str, Any] | None = self._call(
            "get_item", Key={"tenant_id": {"S": str(tenant)}}, ConsistentRead=True
        ).get("Item")
        return item

    def _encrypted(self, destination: Destination, purpose: str, text: SecretText) -> dict[str, str]:
        context = EncryptionContext(destination.tenant, purpose, destination.version)
        return {"S": self._sealer.encrypt(text, context)}

    def _opened(self, tenant: TenantId, item: dict[str, Any], purpose: str) -> dict[str, SecretText]:
        """The secrets of one field of `item`; decryption checks that they belong to `tenant`."""
        context = EncryptionContext(tenant, purpose, int(item["version"]["N"]))
        text = self._sealer.open(_text(item, purpose), context)
        opened = {name: SecretText(value) for name, value in json.loads(text.reveal()).items()}
        if opened.pop("summary") != SecretText(digest(_text(item, "summary"))):
            raise CredentialsUnreadableError("what is stored beside the sealed credentials was altered")
        return opened

    def _call(self, operation: str, **parameters: Any) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        return asked(
            lambda: getattr(self._dynamodb, operation)(TableName=self._table_name, **parameters), _refusal
        )


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


def _summary(tenant: TenantId, item: dict[str, Any]) -> DestinationSummary:
    shown = DestinationSummary(**json.loads(_text(item, "summary")))
    if shown.tenant != tenant:
        raise CredentialsUnreadableError("the destination is another tenant's")
    return replace(shown, tenant=tenant)


def _text(item: dict[str, Any], name: str) -> str:
    """An attribute of `item`; empty, which never decrypts, when it is missing."""
    text: str = item.get(name, {}).get("S", "")
    return text


def _only_after(version: int) -> dict[str, Any]:
    """The condition that the stored version is `version`; 0 means that no item exists."""
    if version == 0:
        return {"ConditionExpression": "attribute_not_exists(tenant_id)"}
    return {
        "ConditionExpression": "#version = :stored",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":stored": {"N": str(version)}},
    }


def _refusal(code: str) -> Exception:
    if code == "ConditionalCheckFailedException":
        return DestinationChangedError("the destination was changed meanwhile")
    return DestinationsUnavailableError(f"the table of destinations: {code}")
