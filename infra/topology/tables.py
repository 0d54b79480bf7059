"""The DynamoDB tables: keys, indexes, time to live and point-in-time recovery."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. Holds only items that have its keys; eventually consistent.

    Keys are strings. `projection`: the attributes copied into it beside all keys; none by default.
    """

    name: str
    partition_key: str
    sort_key: str | None = None
    projection: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table, billed on demand. Keys are strings.

    `recoverable`: with point-in-time recovery, which keeps what was deleted for 35 days.
    `append_only`: no function can be granted to change an item; only an erasure removes one.
    """

    name: str
    partition_key: str
    sort_key: str | None = None
    ttl_attribute: str | None = None
    recoverable: bool = True
    append_only: bool = False
    indexes: tuple[Index, ...] = ()


TABLES = (
    Table("accounts", partition_key="tenant_id"),
    Table(
        "people",
        partition_key="subject",
        ttl_attribute="forget_at",
        indexes=(
            Index("account", partition_key="tenant_id", sort_key="subject"),
            # Tokens to unsubscribe, of people who were mailed an optional notice.
            Index("unsubscribe", partition_key="unsubscribe_token"),
        ),
    ),
    Table("keys", partition_key="key_hash", ttl_attribute="forget_at"),
    Table("key-lists", partition_key="tenant_id", sort_key="key_id", ttl_attribute="forget_at"),
    Table("audit", partition_key="tenant_id", sort_key="entry", append_only=True),
    Table("announcements", partition_key="tenant_id", sort_key="announcement", ttl_attribute="forget_at"),
    # The outbox: notices to people, by mail and in the dashboard; index `due` lists those not yet sent.
    Table(
        "notices",
        partition_key="tenant_id",
        sort_key="notice",
        ttl_attribute="forget_at",
        indexes=(Index("due", partition_key="due", sort_key="due_at"),),
    ),
    # Digests of addresses that bounced or complained: not mailed any more.
    Table("suppressions", partition_key="address", ttl_attribute="forget_at"),
    # Failed sign-in attempts; losing the last fifteen minutes of them is acceptable.
    Table("attempts", partition_key="counter", ttl_attribute="forget_at", recoverable=False),
    Table("destinations", partition_key="tenant_id"),
    # Key shards: without its shard a customer's encrypted credentials are unreadable. Destroying a shard must
    # destroy every copy (docs/adr/0008).
    Table("shards", partition_key="tenant_id", recoverable=False),
    # No secrets: with which external id a customer's role is assumed (docs/adr/0036).
    Table("external-ids", partition_key="tenant_id"),
    Table("health", partition_key="destination"),
    # Only pages of the commit log with batches that are not yet counted have `unmetered`.
    Table(
        "ledger",
        partition_key="entry",
        ttl_attribute="forget_at",
        indexes=(Index("unmetered", partition_key="unmetered", sort_key="done_at"),),
    ),
    Table("usage", partition_key="tenant_id", sort_key="entry"),
    Table("billing", partition_key="entry"),
    # Stripe events already processed; an item expires long after Stripe has stopped sending its event.
    Table("stripe-events", partition_key="event_id", ttl_attribute="forget_at", recoverable=False),
    # Requested data exports and erasures; index `open` lists those the worker still has to do.
    Table(
        "exports",
        partition_key="tenant_id",
        sort_key="entry",
        ttl_attribute="forget_at",
        indexes=(Index("open", partition_key="open", sort_key="opens_at"),),
    ),
    # Requested exports of search results; index `queue` lists those to write, and files to delete.
    Table(
        "search-exports",
        partition_key="tenant_id",
        sort_key="entry",
        ttl_attribute="forget_at",
        recoverable=False,
        indexes=(Index("queue", partition_key="queue", sort_key="next_at"),),
    ),
    Table(
        "erasures",
        partition_key="tenant_id",
        sort_key="erasure_id",
        indexes=(Index("open", partition_key="open", sort_key="opens_at"),),
    ),
    # What remains of erasures: receipts without personal data, and tombstones of deleted accounts.
    Table("receipts", partition_key="receipt", ttl_attribute="forget_at"),
    Table("tombstones", partition_key="kind", sort_key="tenant_hash", ttl_attribute="forget_at"),
    Table("uploads", partition_key="tenant_id", sort_key="entry", ttl_attribute="forget_at"),
    Table("saved-searches", partition_key="tenant_id", sort_key="search_id"),
    # What the searches of an account have read lately; losing it forgives some debt.
    Table(
        "search-budgets",
        partition_key="tenant_id",
        sort_key="entry",
        ttl_attribute="forget_at",
        recoverable=False,
    ),
    # When a scheduled function last worked for a tenant, under a hash of both (docs/adr/0018).
    Table("turns", partition_key="turn", ttl_attribute="forget_at", recoverable=False),
)


def table(name: str) -> Table:
    """The table of that name."""
    return next(each for each in TABLES if each.name == name)
