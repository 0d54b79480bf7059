"""Accounts and API keys in DynamoDB: read by the authorizer, written by an operator."""

from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from functions.accounts import keys
from functions.accounts.key_item import Key, key_item, key_of, list_item, list_key
from functions.shared.accounts.account_status import (
    ACCOUNT_CLOSING,
    AccountStatus,
    account_status_item,
    account_status_of,
)
from functions.shared.accounts.retention_terms import terms_of
from functions.shared.dynamo.answers import answered, open_client, unmet
from functions.shared.dynamo.transaction import write_all
from functions.shared.errors import SettingsError
from functions.shared.tenancy import TenantId

__all__ = ["Account", "Directory", "Key"]

SECONDS_AN_HOUR = 3600

CLOSED = "closed"
"""Attribute of accounts whose erasure is in progress; billing may still have to close them."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account.

    `owner`: subject of the person who owns the account, empty for an account that an operator made.
    `created_at` in Unix seconds. `closes_at`: time of the requested erasure; None without a request.
    `managed_until`: until then our ClickHouse keeps rows from before a move to BYOC (Unix seconds); 0 if
    it keeps none.
    functions.privacy writes `closes_at` and the attribute `closed`.
    """

    tenant: TenantId
    account_status: AccountStatus
    owner: str = ""
    created_at: int | None = None
    closes_at: int | None = None
    managed_until: int = 0

    def refusal(self, now: float) -> str:
        """Code of the 402 that rejects logs at `now`; empty while logs are accepted."""
        return self.account_status.refusal(now) if self.closes_at is None else ACCOUNT_CLOSING


class Directory:
    """Reads and writes accounts and keys.

    Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails. Reads are
    strongly consistent, so a revoked key is revoked for the next look-up. Writes here are the operator's and
    have no entry in the audit trail; customers change their keys through functions.accounts.key_service.

    Parameters
    ----------
    key_lists_table: needed only to write keys.
    client: a boto3 client; None to create one.
    """

    def __init__(
        self, accounts_table: str, keys_table: str, key_lists_table: str | None = None, client: Any = None
    ) -> None:
        self._accounts_table = accounts_table
        self._keys_table = keys_table
        self._key_lists_table = key_lists_table
        self._client = client or open_client()

    def put_account(self, account: Account) -> None:
        """Create or replace an account."""
        with answered():
            self._client.put_item(TableName=self._accounts_table, Item=_account_item(account))

    def account(self, tenant: TenantId) -> Account | None:
        """The account of `tenant`, or None; also None once the account's erasure is in progress."""
        item = self._item(self._accounts_table, {"tenant_id": {"S": str(tenant)}})
        return None if item is None or CLOSED in item else _account_of(item)

    def put_key(self, key_text: str, key: Key) -> None:
        """Store `key` under the hash of `key_text`, and list it; the text itself is not stored."""
        key_hash = keys.hash_of(key_text)
        shown = replace(key, shown_prefix=keys.shown_prefix(key_text))
        write_all(
            self._client,
            [
                {"Put": {"TableName": self._keys_table, "Item": key_item(key_hash, shown)}},
                {"Put": {"TableName": self._lists(), "Item": list_item(key_hash, shown)}},
            ],
        )

    def key(self, key_hash: str) -> Key | None:
        """The key stored under `key_hash`, or None; it may have expired or been revoked."""
        item = self._item(self._keys_table, {"key_hash": {"S": key_hash}})
        return None if item is None else key_of(item)

    def remove_key(self, key_hash: str) -> None:
        """Delete a key at once: it is unknown from now on, and in no list."""
        key = self.key(key_hash)
        if key is None:
            return
        write_all(
            self._client,
            [
                {"Delete": {"TableName": self._keys_table, "Key": {"key_hash": {"S": key_hash}}}},
                {"Delete": {"TableName": self._lists(), "Key": list_key(key.tenant, key.key_id)}},
            ],
        )

    def note_use(self, key_hash: str, now: int) -> None:
        """Record that the key was used in this hour; an item that was deleted is not recreated."""
        try:
            with answered():
                self._client.update_item(
                    TableName=self._keys_table,
                    Key={"key_hash": {"S": key_hash}},
                    UpdateExpression="SET last_used_hour = :hour",
                    ConditionExpression="attribute_exists(key_hash)",
                    ExpressionAttributeValues={":hour": {"N": str(now // SECONDS_AN_HOUR)}},
                )
        except ClientError as fault:
            if not unmet(fault):
                raise

    def _item(self, table: str, key: dict[str, Any]) -> dict[str, Any] | None:
        with answered():
            found = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)
        item: dict[str, Any] | None = found.get("Item")
        return item

    def _lists(self) -> str:
        if self._key_lists_table is None:
            raise SettingsError("who writes keys must know the table of their lists")
        return self._key_lists_table


def _account_item(account: Account) -> dict[str, Any]:
    item: dict[str, Any] = {
        "tenant_id": {"S": str(account.tenant)},
        **account_status_item(account.account_status),
        "owner": {"S": account.owner},
    }
    return item if account.created_at is None else {**item, "created_at": {"N": str(account.created_at)}}


def _account_of(item: dict[str, Any]) -> Account:
    return Account(
        tenant=TenantId(item["tenant_id"]["S"]),
        account_status=account_status_of(item),
        owner=item.get("owner", {}).get("S", ""),
        created_at=_number(item, "created_at"),
        closes_at=_number(item, "closes_at"),
        managed_until=terms_of(item).managed_until,
    )


def _number(item: dict[str, Any], name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
