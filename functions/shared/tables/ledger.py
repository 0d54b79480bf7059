"""The table `ledger`: the claims of staged objects and the batches; see functions.sync.ledger."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, SecondsAttribute
from functions.shared.tables.indexes import keys_index
from functions.shared.tables.item import Item

UNMETERED_INDEX = "unmetered"

OBJECT, BATCH = "object#", "batch#"


class LedgerItem(Item):
    """`object#<key>` is a claim with `batch_id`; `batch#<id>` is a batch.

    `metered` counts the shares of the batch that billing has counted. `lease_until` in Unix seconds.
    """

    entry = UnicodeAttribute(hash_key=True)
    forget_at = IntegerAttribute()
    batch_id = UnicodeAttribute(null=True)
    destination = UnicodeAttribute(null=True)
    expires_on = UnicodeAttribute(null=True)
    candidates = UnicodeAttribute(null=True)
    excluded = UnicodeAttribute(null=True)
    state = UnicodeAttribute(null=True)
    after = UnicodeAttribute(null=True)
    successor = UnicodeAttribute(null=True)
    attempts = IntegerAttribute(null=True)
    lease_owner = UnicodeAttribute(null=True)
    lease_until = SecondsAttribute(null=True)
    usage = UnicodeAttribute(null=True)
    unmetered = UnicodeAttribute(null=True)
    done_at = UnicodeAttribute(null=True)
    metered = IntegerAttribute(null=True)

    uncounted = keys_index(UNMETERED_INDEX, "unmetered", "done_at")


def object_entry(key: str) -> str:
    """The key of an object's claim."""
    return f"{OBJECT}{key}"


def batch_entry(batch_id: str) -> str:
    """The key of a batch."""
    return f"{BATCH}{batch_id}"


def batch_id_of(item: LedgerItem) -> str:
    """The id of the batch in an item."""
    return item.entry.removeprefix(BATCH)
