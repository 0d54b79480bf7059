"""Billing records in DynamoDB, written in one transaction with the account status.

The table `billing` holds an item `account#<tenant>` for each account with a billing record, and
`customer#<id>` for each Stripe customer: the account it belongs to, which no event may decide. Every write of
an account's item increments its version and is rejected if another process wrote since the read. The account
status is in the accounts table, which the authorizer reads; it is written in the same transaction, with the
retention terms that follow from it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from pynamodb.expressions.update import Action

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.subscription import Subscription
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.accounts.retention_terms import terms_after
from functions.shared.errors import RetryableError
from functions.shared.tables.accounts import (
    AccountItem,
    account_status_of,
    set_account_status,
    set_terms,
    terms_of,
)
from functions.shared.tables.billing import (
    ACCOUNT,
    BillingItem,
    SubscriptionMap,
    account_entry,
    customer_entry,
)
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, open_client, write_all
from functions.shared.tenancy import TenantId


class BillingRecordChangedError(RetryableError):
    """Another process has written this account's record since it was read: read and decide again."""


class BillingStore:
    """Strongly consistent reads, and conditional writes.

    Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    clock: Unix seconds; dates the retention terms of a changed plan.
    """

    def __init__(
        self,
        billing_table: str,
        accounts_table: str,
        client: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client or open_client()
        self._billing = Table(BillingItem, billing_table, self._client)
        self._accounts = Table(AccountItem, accounts_table, self._client)
        self._clock = clock

    def of(self, tenant: TenantId) -> BillingRecord:
        """The account's record; an empty one when nothing has been written yet."""
        item = self._billing.get(account_entry(tenant))
        return BillingRecord(tenant) if item is None else record_of(item)

    def owner(self, customer: str) -> TenantId | None:
        """The account of a Stripe customer; None for a customer unknown to us."""
        item = self._billing.get(customer_entry(customer))
        return None if item is None else TenantId(item.tenant_id)

    def account_status(self, tenant: TenantId) -> AccountStatus | None:
        """The account's status, or None when the account does not exist."""
        item = self._accounts.get(str(tenant))
        return None if item is None else account_status_of(item)

    def waits_for_erasure(self, tenant: TenantId) -> bool:
        """Whether the account's erasure is requested, or in progress: its logs are rejected."""
        item = self._accounts.get(str(tenant))
        return item is not None and item.closes_at is not None

    def write(
        self, record: BillingRecord, account_status: AccountStatus | None = None, also: Sequence[Write] = ()
    ) -> BillingRecord:
        """Write `record`, with the version that was read, and `account_status` unless it is None.

        `also`: further writes of the same transaction.

        Raises
        ------
        BillingRecordChangedError: nothing was written.
        """
        new = replace(record, version=record.version + 1)
        writes = [self._put(new, record.version)]
        if account_status is not None:
            writes.append(self._status_update(record.tenant, account_status))
        try:
            write_all(self._client, [*writes, *also])
        except ConditionFailedError:
            raise BillingRecordChangedError("another process wrote this account's record") from None
        return new

    def owning(self, customer: str, tenant: TenantId) -> Write:
        """Assign `customer` to `tenant`, on condition that no other account has it; a write of a
        transaction."""
        free = BillingItem.entry.does_not_exist() | (BillingItem.tenant_id == str(tenant))
        item = BillingItem(customer_entry(customer), tenant_id=str(tenant))
        return self._billing.write_of_put(item, free)

    def disowning(self, customer: str) -> Write:
        """Remove the assignment of `customer`; a write of a transaction."""
        return self._billing.write_of_delete(customer_entry(customer))

    def all(self) -> Iterator[BillingRecord]:
        """The records of all accounts, for maintenance; not a consistent snapshot."""
        return map(record_of, self._billing.scan(BillingItem.entry.startswith(ACCOUNT)))

    def ending(self, reason: str, since: int, until: int) -> Iterator[tuple[TenantId, AccountStatus]]:
        """Accounts whose logs are accepted until a time from `since` to `until` (included), for `reason`."""
        ends = (AccountItem.end_reason == reason) & AccountItem.accepts_until.between(since, until)
        for item in self._accounts.scan(ends):
            yield TenantId(item.tenant_id), account_status_of(item)

    def _put(self, record: BillingRecord, version: int) -> Write:
        stored = BillingItem.version == version if version else BillingItem.entry.does_not_exist()
        return self._billing.write_of_put(record_item(record), stored)

    def _status_update(self, tenant: TenantId, account_status: AccountStatus) -> Write:
        """Update billing's attributes of the account; a deleted account is not recreated.

        Only billing writes the retention terms, and a concurrent write has changed the record's version.
        """
        return self._accounts.write_of_update(
            str(tenant),
            *set_account_status(account_status),
            *self._terms(tenant, account_status),
            condition=AccountItem.tenant_id.exists(),
        )

    def _terms(self, tenant: TenantId, account_status: AccountStatus) -> list[Action]:
        """The account's new retention terms; empty when the days stay the same."""
        item = self._accounts.get(str(tenant))
        if item is None:
            return []
        terms = terms_of(item)
        changed = terms_after(terms, account_status, int(self._clock()))
        return [] if changed == terms else [set_terms(changed)]


def record_item(record: BillingRecord) -> BillingItem:
    """The item of a record; None and empty sets are left out."""
    values = asdict(replace(record, subscription=None))
    subscription = SubscriptionMap(**asdict(record.subscription)) if record.subscription else None
    values |= {"tenant_id": str(values.pop("tenant")), "subscription": subscription}
    return BillingItem(account_entry(record.tenant), **values)


def record_of(item: BillingItem) -> BillingRecord:
    """The record in an item."""
    values = dict(item.attribute_values)
    del values["entry"], values["tenant_id"]
    if item.subscription is not None:
        values["subscription"] = Subscription(**item.subscription.attribute_values)
    for name in ("noted", "reminders_sent"):
        values[name] = frozenset(values.get(name, ()))
    return BillingRecord(tenant=TenantId(item.tenant_id), **values)
