"""The table `ledger`: the claims of staged objects and the batches; see functions.sync.ledger."""

from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import BinaryAttribute, ListAttribute, UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, SecondsAttribute
from functions.shared.tables.indexes import keys_index
from functions.shared.tables.item import Item

UNMETERED_INDEX = "unmetered"

OBJECT, BATCH, MANIFEST, LOG, TIP = "object#", "batch#", "manifest#", "log#", "tip#"

COMMITS_A_PAGE = 25
"""With 25 batch ids an item stays below 1 KB, which is one write unit."""


class LedgerItem(Item):
    """`object#<key>` is a claim with `batch_id`; `batch#<id>` is a batch.

    `manifest` has the objects of a batch, in the batch itself or, if they are many, in `manifest#<id>`; a
    batch of an earlier version has `candidates` instead (functions.sync.ledger).
    `log#<destination>#<page>` has `commits`, ids of batches in the order in which they were committed, and
    `tip#<destination>` has `page`, at or below the page that is written now (functions.sync.commit_log).
    `metered` counts the shares of the batch that billing has counted. `lease_until` in Unix seconds.
    """

    entry = UnicodeAttribute(hash_key=True)
    forget_at = IntegerAttribute()
    batch_id = UnicodeAttribute(null=True)
    destination = UnicodeAttribute(null=True)
    expires_on = UnicodeAttribute(null=True)
    manifest = BinaryAttribute(legacy_encoding=False, null=True)
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
    commits: ListAttribute[UnicodeAttribute] = ListAttribute(of=UnicodeAttribute, null=True)
    page = IntegerAttribute(null=True)

    uncounted = keys_index(UNMETERED_INDEX, "unmetered", "done_at")


@dataclass(frozen=True, slots=True)
class Claim:
    """A new claim: the LedgerItem of `entry` for a batch, which has up to 1,000. Encoded without pynamodb."""

    entry: str
    batch_id: str
    forget_at: int

    def serialize(self) -> dict[str, dict[str, Any]]:
        """The item for DynamoDB."""
        return {
            "entry": {"S": self.entry},
            "batch_id": {"S": self.batch_id},
            "forget_at": {"N": str(self.forget_at)},
        }


def object_entry(key: str) -> str:
    """The key of an object's claim."""
    return f"{OBJECT}{key}"


def batch_entry(batch_id: str) -> str:
    """The key of a batch."""
    return f"{BATCH}{batch_id}"


def manifest_entry(batch_id: str) -> str:
    """The key of the manifest of a batch, if it has an item of its own."""
    return f"{MANIFEST}{batch_id}"


def batch_id_of(item: LedgerItem) -> str:
    """The id of the batch in an item."""
    return item.entry.removeprefix(BATCH)


def log_entry(destination: str, page: int) -> str:
    """The key of a page of the commit log of `destination`, the first being 0."""
    return f"{LOG}{destination}#{page}"


def tip_entry(destination: str) -> str:
    """The key of the item that names a recent page of the commit log of `destination`."""
    return f"{TIP}{destination}"
