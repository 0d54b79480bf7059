"""The table `exports`: data exports, and the uploaded parts of their archives."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.indexes import keys_index
from functions.shared.tables.item import Item

OPEN_INDEX = "open"


class ExportItem(Item):
    """See functions.privacy.export.record.Export; an item without `state` is a part, or the lock."""

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    state = UnicodeAttribute(null=True)
    progress = UnicodeAttribute(null=True)
    requested_at = IntegerAttribute(null=True)
    began_at = IntegerAttribute(null=True)
    logs_from = IntegerAttribute(null=True)
    logs_to = IntegerAttribute(null=True)
    ready_at = IntegerAttribute(null=True)
    size_bytes = IntegerAttribute(null=True, attr_name="bytes")
    busy_until = IntegerAttribute(null=True)
    revision = IntegerAttribute(null=True)
    open = UnicodeAttribute(null=True)
    opens_at = UnicodeAttribute(null=True)
    export_id = UnicodeAttribute(null=True)
    part = IntegerAttribute(null=True)
    etag = UnicodeAttribute(null=True)
    files = UnicodeAttribute(null=True)
    forget_at = IntegerAttribute(null=True)

    by_open = keys_index(OPEN_INDEX, "open", "opens_at")
