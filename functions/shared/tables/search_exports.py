"""The table `search-exports`: exports of search results, and the uploaded parts of their files."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.indexes import keys_index
from functions.shared.tables.item import Item

QUEUE_INDEX = "queue"


class SearchExportItem(Item):
    """See functions.shared.exports.search_export; an item without `state` is a part, or a lock.

    `queue`: `open` for an export to work on, `files` for one whose file is to be deleted at `next_at`.
    """

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    state = UnicodeAttribute(null=True)
    request = UnicodeAttribute(null=True)
    progress = UnicodeAttribute(null=True)
    requested_at = IntegerAttribute(null=True)
    ready_at = IntegerAttribute(null=True)
    busy_until = IntegerAttribute(null=True)
    revision = IntegerAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    lock = IntegerAttribute(null=True)
    queue = UnicodeAttribute(null=True)
    next_at = UnicodeAttribute(null=True)
    export_id = UnicodeAttribute(null=True)
    part = IntegerAttribute(null=True)
    etag = UnicodeAttribute(null=True)
    groups = UnicodeAttribute(null=True)
    forget_at = IntegerAttribute(null=True)

    by_queue = keys_index(QUEUE_INDEX, "queue", "next_at")
