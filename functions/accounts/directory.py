"""Accounts and API keys in DynamoDB: read by the authorizer, written by an operator."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from functions.accounts import keys
from functions.accounts.account import Account
from functions.accounts.key_item import key_item, key_of, list_item, list_key
from functions.accounts.stored_key import SECONDS_AN_HOUR, Key
from functions.shared.errors import PermanentError, SettingsError
from functions.shared.tables.accounts import AccountItem, account_status_of, account_status_values, terms_of
from functions.shared.tables.keys import KeyItem, KeyListItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, open_client, write_all
from functions.shared.tenancy import TenantId

__all__ = ["Account", "AccountExistsError", "Directory", "Key"]


class AccountExistsError(PermanentError):
    """There is an account of that id."""


class Directory:
    """Reads and writes accounts and keys.

    Every method raises StoreUnavailableError when DynamoDB fails. Reads are
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
        self._client = client or open_client()
        self._accounts = Table(AccountItem, accounts_table, self._client)
        self._keys = Table(KeyItem, keys_table, self._client)
        self._key_lists = Table(KeyListItem, key_lists_table, self._client) if key_lists_table else None

    def put_account(self, account: Account) -> None:
        """Create or replace an account."""
        self._accounts.put(_account_item(account))

    def create_account(
        self, account: Account, key_text: str, key: Key, further: Sequence[Write] = ()
    ) -> None:
        """Create an account with its first key and the writes `further`: all or nothing.

        Raises
        ------
        AccountExistsError: nothing was written.
        """
        key_hash = keys.hash_of(key_text)
        with_prefix = replace(key, shown_prefix=keys.shown_prefix(key_text))
        unused = AccountItem.tenant_id.does_not_exist()
        writes = [
            self._accounts.write_of_put(_account_item(account), unused),
            self._keys.write_of_put(key_item(key_hash, with_prefix), KeyItem.key_hash.does_not_exist()),
            self._lists().write_of_put(list_item(key_hash, with_prefix), KeyListItem.key_id.does_not_exist()),
        ]
        try:
            write_all(self._client, [*writes, *further])
        except ConditionFailedError:
            raise AccountExistsError(f"the account {account.tenant} exists already") from None

    def account(self, tenant: TenantId) -> Account | None:
        """The account of `tenant`, or None; also None once the account's erasure is in progress.

        Billing may still have to close such an account.
        """
        item = self._accounts.get(str(tenant))
        return None if item is None or item.closed else _account_of(item)

    def put_key(self, key_text: str, key: Key) -> None:
        """Store `key` under the hash of `key_text`, and list it; the text itself is not stored."""
        key_hash = keys.hash_of(key_text)
        with_prefix = replace(key, shown_prefix=keys.shown_prefix(key_text))
        write_all(
            self._client,
            [
                self._keys.write_of_put(key_item(key_hash, with_prefix)),
                self._lists().write_of_put(list_item(key_hash, with_prefix)),
            ],
        )

    def key(self, key_hash: str) -> Key | None:
        """The key stored under `key_hash`, or None; it may have expired or been revoked."""
        item = self._keys.get(key_hash)
        return None if item is None else key_of(item)

    def remove_key(self, key_hash: str) -> None:
        """Delete a key at once: it is unknown from now on, and in no list."""
        key = self.key(key_hash)
        if key is None:
            return
        write_all(
            self._client,
            [
                self._keys.write_of_delete(key_hash),
                self._lists().write_of_delete(list_key(key.tenant, key.key_id)),
            ],
        )

    def note_use(self, key_hash: str, now: int) -> None:
        """Record that the key was used in this hour; an item that was deleted is not recreated."""
        hour = KeyItem.last_used_hour.set(now // SECONDS_AN_HOUR)
        with suppress(ConditionFailedError):
            self._keys.update(key_hash, hour, condition=KeyItem.key_hash.exists())

    def _lists(self) -> Table[KeyListItem]:
        if self._key_lists is None:
            raise SettingsError("who writes keys must know the table of their lists")
        return self._key_lists


def _account_item(account: Account) -> AccountItem:
    return AccountItem(
        str(account.tenant),
        owner=account.owner,
        created_at=account.created_at,
        **account_status_values(account.account_status),
    )


def _account_of(item: AccountItem) -> Account:
    return Account(
        tenant=TenantId(item.tenant_id),
        account_status=account_status_of(item),
        owner=item.owner or "",
        created_at=item.created_at,
        closes_at=item.closes_at,
        managed_until=terms_of(item).managed_until,
    )
