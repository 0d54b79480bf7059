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

from functions.billing.book import Book
from functions.billing.subscription import Subscription
from functions.shared.account.retention_terms import terms_after
from functions.shared.account.standing import Standing
from functions.shared.errors import RetryableError
from functions.shared.tables.accounts import AccountItem, set_standing, set_terms, standing_of, terms_of
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


class BookChangedError(RetryableError):
    """Another process has written this account's book since it was read: read and decide again."""


class Books:
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

    def of(self, tenant: TenantId) -> Book:
        """The account's book; an empty one when nothing has been written yet."""
        item = self._billing.get(account_entry(tenant))
        return Book(tenant) if item is None else book_of(item)

    def owner(self, customer: str) -> TenantId | None:
        """The account of a Stripe customer; None for a customer unknown to us."""
        item = self._billing.get(customer_entry(customer))
        return None if item is None else TenantId(item.tenant_id)

    def standing(self, tenant: TenantId) -> Standing | None:
        """The account's status, or None when the account does not exist."""
        item = self._accounts.get(str(tenant))
        return None if item is None else standing_of(item)

    def write(self, book: Book, standing: Standing | None = None, also: Sequence[Write] = ()) -> Book:
        """Write `book`, with the version that was read, and `standing` unless it is None.

        `also`: further writes of the same transaction.

        Raises
        ------
        BookChangedError: nothing was written.
        """
        new = replace(book, version=book.version + 1)
        writes = [self._put(new, book.version)]
        if standing is not None:
            writes.append(self._stand(book.tenant, standing))
        try:
            write_all(self._client, [*writes, *also])
        except ConditionFailedError:
            raise BookChangedError("somebody else wrote this account's book") from None
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

    def all(self) -> Iterator[Book]:
        """The books of all accounts, for maintenance; not a consistent snapshot."""
        return map(book_of, self._billing.scan(BillingItem.entry.startswith(ACCOUNT)))

    def ending(self, reason: str, since: int, until: int) -> Iterator[tuple[TenantId, Standing]]:
        """Accounts whose logs are accepted until a time from `since` to `until` (included), for `reason`."""
        ends = (AccountItem.end_reason == reason) & AccountItem.accepts_until.between(since, until)
        for item in self._accounts.scan(ends):
            yield TenantId(item.tenant_id), standing_of(item)

    def _put(self, book: Book, version: int) -> Write:
        stored = BillingItem.version == version if version else BillingItem.entry.does_not_exist()
        return self._billing.write_of_put(item_of(book), stored)

    def _stand(self, tenant: TenantId, standing: Standing) -> Write:
        """Update billing's attributes of the account; a deleted account is not recreated.

        Only billing writes the retention terms, and a concurrent write has changed the book's version.
        """
        return self._accounts.write_of_update(
            str(tenant),
            *set_standing(standing),
            *self._terms(tenant, standing),
            condition=AccountItem.tenant_id.exists(),
        )

    def _terms(self, tenant: TenantId, standing: Standing) -> list[Action]:
        """The account's new retention terms; empty when the days stay the same."""
        item = self._accounts.get(str(tenant))
        if item is None:
            return []
        terms = terms_of(item)
        changed = terms_after(terms, standing, int(self._clock()))
        return [] if changed == terms else [set_terms(changed)]


def item_of(book: Book) -> BillingItem:
    """The item of a book; None and empty sets are left out."""
    values = asdict(replace(book, subscription=None))
    subscription = SubscriptionMap(**asdict(book.subscription)) if book.subscription else None
    values |= {"tenant_id": str(values.pop("tenant")), "subscription": subscription}
    return BillingItem(account_entry(book.tenant), **values)


def book_of(item: BillingItem) -> Book:
    """The book in an item."""
    values = dict(item.attribute_values)
    del values["entry"], values["tenant_id"]
    if item.subscription is not None:
        values["subscription"] = Subscription(**item.subscription.attribute_values)
    for name in ("noted", "told"):
        values[name] = frozenset(values.get(name, ()))
    return Book(tenant=TenantId(item.tenant_id), **values)
