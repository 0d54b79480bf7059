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

PAGE_DAYS = 45
"""How long a page of the commit log is kept after its last append."""


class LedgerItem(Item):
    """`object#<key>` is a claim with `batch_id`; `batch#<id>` is a batch.

    `manifest` has the objects of a batch, in the batch itself or, if they are many, in `manifest#<id>`.
    `log#<destination>#<page>` has `commits`, ids of batches in the order in which they were committed, and
    `tip#<destination>` has `page`, at or below the page that is written now (functions.sync.commit_log).
    A batch with `page` can only be in that page of its log or a later one. A batch that an earlier version
    has made done has no `page`.
    `usage` is what the batch stores, if it is committed. `lease_until` in Unix seconds.
    Of a page, billing has counted the first `metered` batches and `metered_shares` shares of the next one;
    while `unmetered` is there, it has not counted all. Of a batch of an earlier version, `metered` shares.
    """

    entry = UnicodeAttribute(hash_key=True)
    forget_at = IntegerAttribute()
    batch_id = UnicodeAttribute(null=True)
    destination = UnicodeAttribute(null=True)
    expires_on = UnicodeAttribute(null=True)
    manifest = BinaryAttribute(legacy_encoding=False, null=True)
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
    metered_shares = IntegerAttribute(null=True)
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


def destination_of(item: LedgerItem) -> str:
    """The destination of a page of a commit log."""
    return item.entry.removeprefix(LOG).rpartition("#")[0]


def log_entry(destination: str, page: int) -> str:
    """The key of a page of the commit log of `destination`, the first being 0."""
    return f"{LOG}{destination}#{page}"


def tip_entry(destination: str) -> str:
    """The key of the item that names a recent page of the commit log of `destination`."""
    return f"{TIP}{destination}"
