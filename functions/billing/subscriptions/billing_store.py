"""Billing records in DynamoDB, written in one transaction with the account status.

The table `billing` holds an item `account#<tenant>` for each account with a billing record, and
`customer#<id>` for each Stripe customer: the account it belongs to, which no event may decide. Every write of
an account's item increments its version and is rejected if another process wrote since the read. The account
status is in the accounts table, which the authorizer reads; it is written in the same transaction, with the
retention terms that follow from it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.subscription import Subscription
from functions.shared.accounts.account_status import AccountStatus, account_status_item, account_status_of
from functions.shared.accounts.retention_terms import terms_after, terms_item, terms_of
from functions.shared.dynamo.answers import answered, open_client
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

ACCOUNT, CUSTOMER = "account#", "customer#"

Item = dict[str, Any]


class BillingRecordChangedError(RetryableError):
    """Another process has written this account's book since it was read: read and decide again."""


class BillingStore:
    """Strongly consistent reads, and conditional writes.

    Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails.

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
        self._billing_table = billing_table
        self._accounts_table = accounts_table
        self._client = client or open_client()
        self._clock = clock

    def of(self, tenant: TenantId) -> BillingRecord:
        """The account's book; an empty one when nothing has been written yet."""
        item = self._item(self._billing_table, {"entry": {"S": f"{ACCOUNT}{tenant}"}})
        return BillingRecord(tenant) if item is None else record_of(item)

    def owner(self, customer: str) -> TenantId | None:
        """The account of a Stripe customer; None for a customer unknown to us."""
        item = self._item(self._billing_table, {"entry": {"S": f"{CUSTOMER}{customer}"}})
        return None if item is None else TenantId(item["tenant_id"]["S"])

    def account_status(self, tenant: TenantId) -> AccountStatus | None:
        """The account's status, or None when the account does not exist."""
        item = self._item(self._accounts_table, {"tenant_id": {"S": str(tenant)}})
        return None if item is None else account_status_of(item)

    def write(
        self, record: BillingRecord, account_status: AccountStatus | None = None, also: Sequence[Item] = ()
    ) -> BillingRecord:
        """Write `record`, with the version that was read, and `account_status` unless it is None.

        `also`: further items of TransactWriteItems in the same transaction.

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
        except UnmetError:
            raise BillingRecordChangedError("somebody else wrote this account's book") from None
        return new

    def owning(self, customer: str, tenant: TenantId) -> Item:
        """Assign `customer` to `tenant`, on condition that no other account has it; an item of
        TransactWriteItems."""
        return {
            "Put": {
                "TableName": self._billing_table,
                "Item": {"entry": {"S": f"{CUSTOMER}{customer}"}, "tenant_id": {"S": str(tenant)}},
                "ConditionExpression": "attribute_not_exists(entry) OR tenant_id = :tenant",
                "ExpressionAttributeValues": {":tenant": {"S": str(tenant)}},
            }
        }

    def disowning(self, customer: str) -> Item:
        """Remove the assignment of `customer`; an item of TransactWriteItems."""
        key = {"entry": {"S": f"{CUSTOMER}{customer}"}}
        return {"Delete": {"TableName": self._billing_table, "Key": key}}

    def all(self) -> Iterator[BillingRecord]:
        """The books of all accounts, for maintenance; not a consistent snapshot."""
        condition, values = "begins_with(entry, :account)", {":account": {"S": ACCOUNT}}
        for item in self._scan(self._billing_table, condition, values):
            yield record_of(item)

    def ending(self, reason: str, since: int, until: int) -> Iterator[tuple[TenantId, AccountStatus]]:
        """Accounts whose logs are accepted until a time from `since` to `until` (included), for `reason`."""
        condition = "end_reason = :reason AND accepts_until BETWEEN :since AND :until"
        values = {":reason": {"S": reason}, ":since": {"N": str(since)}, ":until": {"N": str(until)}}
        for item in self._scan(self._accounts_table, condition, values):
            yield TenantId(item["tenant_id"]["S"]), account_status_of(item)

    def _put(self, record: BillingRecord, version: int) -> Item:
        condition: Item = {"ConditionExpression": "attribute_not_exists(entry)"}
        if version:
            condition = {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
        return {"Put": {"TableName": self._billing_table, "Item": record_item(record), **condition}}

    def _status_update(self, tenant: TenantId, account_status: AccountStatus) -> Item:
        """Update billing's attributes of the account; a deleted account is not recreated.

        Only billing writes the retention terms, and a concurrent write has changed the book's version.
        """
        new = {**account_status_item(account_status), **self._terms(tenant, account_status)}
        return {
            "Update": {
                "TableName": self._accounts_table,
                "Key": {"tenant_id": {"S": str(tenant)}},
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in new),
                "ConditionExpression": "attribute_exists(tenant_id)",
                "ExpressionAttributeNames": {f"#{name}": name for name in new},
                "ExpressionAttributeValues": {f":{name}": value for name, value in new.items()},
            }
        }

    def _terms(self, tenant: TenantId, account_status: AccountStatus) -> Item:
        """The account's new retention terms; empty when the days stay the same."""
        item = self._item(self._accounts_table, {"tenant_id": {"S": str(tenant)}})
        if item is None:
            return {}
        terms = terms_of(item)
        changed = terms_after(terms, account_status, int(self._clock()))
        return {} if changed == terms else terms_item(changed)

    def _item(self, table: str, key: Item) -> Item | None:
        with answered():
            found = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item

    def _scan(self, table: str, condition: str, values: Item) -> Iterator[Item]:
        start: Item = {}
        while True:
            with answered():
                page = self._client.scan(
                    TableName=table,
                    FilterExpression=condition,
                    ExpressionAttributeValues=values,
                    ConsistentRead=True,
                    **start,
                )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def record_item(record: BillingRecord) -> Item:
    """The item of a book; None and empty sets are left out."""
    return {
        "entry": {"S": f"{ACCOUNT}{record.tenant}"},
        "tenant_id": {"S": str(record.tenant)},
        **_attributes(record, without="tenant"),
    }


def record_of(item: Item) -> BillingRecord:
    """The book in an item."""
    return BillingRecord(
        tenant=TenantId(item["tenant_id"]["S"]), **_values(item, BillingRecord, without="tenant")
    )


def _attributes(thing: BillingRecord | Subscription, without: str = "") -> Item:
    """Each field as an attribute of its name."""
    named = {each.name: _attribute(getattr(thing, each.name)) for each in fields(thing)}
    return {name: value for name, value in named.items() if value is not None and name != without}


def _attribute(value: Any) -> Item | None:
    match value:
        case None:
            return None
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case frozenset():
            return {"SS": sorted(value)} if value else None
        case _:
            return {"M": _attributes(value)}


def _values(item: Item, kind: type[BillingRecord | Subscription], without: str = "") -> dict[str, Any]:
    names = [each.name for each in fields(kind) if each.name != without]
    return {name: _value(item[name]) for name in names if name in item}


def _value(attribute: Item) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value)
        case "SS":
            return frozenset(value)
        case "M":
            return Subscription(**_values(value, Subscription))
        case _:
            return value
