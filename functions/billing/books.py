"""What billing knows of each account, in DynamoDB, and how the account's standing is written with it.

The table `billing` holds an item `account#<tenant>` for each account that billing ever had to do with, and
`customer#<id>` for each customer at Stripe: whose customer that is, which no event may say. Every write of an
account's item makes its version one more and is refused when somebody else has written since it was read.
The standing lies with the account, in the table the authorizer reads, and is written in the same transaction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from functions.billing.book import Book
from functions.billing.subscription import Subscription
from functions.shared.account.standing import Standing, standing_item, standing_of
from functions.shared.dynamo.answers import answered, open_client
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

ACCOUNT, CUSTOMER = "account#", "customer#"

Item = dict[str, Any]


class BookChangedError(RetryableError):
    """Somebody else has written this account's book since it was read: read it and decide anew."""


class Books:
    """Reads, strongly consistent, and writes on condition.

    Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails.
    """

    def __init__(self, billing_table: str, accounts_table: str, client: Any = None) -> None:
        self._billing_table = billing_table
        self._accounts_table = accounts_table
        self._client = client or open_client()

    def of(self, tenant: TenantId) -> Book:
        """The account's book; an empty one when nothing has been written yet."""
        item = self._item(self._billing_table, {"entry": {"S": f"{ACCOUNT}{tenant}"}})
        return Book(tenant) if item is None else book_of(item)

    def owner(self, customer: str) -> TenantId | None:
        """Whose customer that is; None for one that is none of ours."""
        item = self._item(self._billing_table, {"entry": {"S": f"{CUSTOMER}{customer}"}})
        return None if item is None else TenantId(item["tenant_id"]["S"])

    def standing(self, tenant: TenantId) -> Standing | None:
        """The account's standing, or None when there is no such account."""
        item = self._item(self._accounts_table, {"tenant_id": {"S": str(tenant)}})
        return None if item is None else standing_of(item)

    def write(self, book: Book, standing: Standing | None = None, also: Sequence[Item] = ()) -> Book:
        """Write `book`, whose version is that which was read, with `standing` unless that is None.

        `also`: items of TransactWriteItems that take place with it or not at all.

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
        except UnmetError:
            raise BookChangedError("somebody else wrote this account's book") from None
        return new

    def owning(self, customer: str, tenant: TenantId) -> Item:
        """That `customer` is of `tenant`, as an item of TransactWriteItems; it is nobody else's then."""
        return {
            "Put": {
                "TableName": self._billing_table,
                "Item": {"entry": {"S": f"{CUSTOMER}{customer}"}, "tenant_id": {"S": str(tenant)}},
                "ConditionExpression": "attribute_not_exists(entry) OR tenant_id = :tenant",
                "ExpressionAttributeValues": {":tenant": {"S": str(tenant)}},
            }
        }

    def disowning(self, customer: str) -> Item:
        """That `customer` is nobody's any more, as an item of TransactWriteItems."""
        key = {"entry": {"S": f"{CUSTOMER}{customer}"}}
        return {"Delete": {"TableName": self._billing_table, "Key": key}}

    def all(self) -> Iterator[Book]:
        """Every account's, for upkeep; not in one moment."""
        condition, values = "begins_with(entry, :account)", {":account": {"S": ACCOUNT}}
        for item in self._scan(self._billing_table, condition, values):
            yield book_of(item)

    def ending(self, reason: str, since: int, until: int) -> Iterator[tuple[TenantId, Standing]]:
        """Accounts whose logs are taken until a moment from `since` to `until`, for `reason`."""
        condition = "end_reason = :reason AND accepts_until BETWEEN :since AND :until"
        values = {":reason": {"S": reason}, ":since": {"N": str(since)}, ":until": {"N": str(until)}}
        for item in self._scan(self._accounts_table, condition, values):
            yield TenantId(item["tenant_id"]["S"]), standing_of(item)

    def _put(self, book: Book, version: int) -> Item:
        condition: Item = {"ConditionExpression": "attribute_not_exists(entry)"}
        if version:
            condition = {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
        return {"Put": {"TableName": self._billing_table, "Item": item_of(book), **condition}}

    def _stand(self, tenant: TenantId, standing: Standing) -> Item:
        """Only what is billing's to say; an account that is gone does not come back."""
        new = standing_item(standing)
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


def item_of(book: Book) -> Item:
    """The item of a book; what is None, or an empty set, is left out."""
    return {
        "entry": {"S": f"{ACCOUNT}{book.tenant}"},
        "tenant_id": {"S": str(book.tenant)},
        **_attributes(book, without="tenant"),
    }


def book_of(item: Item) -> Book:
    """The book in an item."""
    return Book(tenant=TenantId(item["tenant_id"]["S"]), **_values(item, Book, without="tenant"))


def _attributes(thing: Book | Subscription, without: str = "") -> Item:
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


def _values(item: Item, kind: type[Book | Subscription], without: str = "") -> dict[str, Any]:
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
