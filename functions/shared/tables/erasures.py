"""The table `erasures`: requested erasures, until they are verified."""

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.indexes import keys_index
from functions.shared.tables.item import Item

OPEN_INDEX = "open"


class ErasureItem(Item):
    """See functions.privacy.erasure.record.Erasure; `field` and `value` name a person."""

    tenant_id = UnicodeAttribute(hash_key=True)
    erasure_id = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    state = UnicodeAttribute()
    byoc = BooleanAttribute()
    requested_at = IntegerAttribute()
    starts_at = IntegerAttribute()
    due_at = IntegerAttribute()
    verified_at = IntegerAttribute(null=True)
    cancelled_at = IntegerAttribute(null=True)
    revision = IntegerAttribute()
    field = UnicodeAttribute(null=True)
    value = UnicodeAttribute(null=True)
    open = UnicodeAttribute(null=True)
    opens_at = UnicodeAttribute(null=True)
    progress = UnicodeAttribute(null=True)
    counts = UnicodeAttribute(null=True)

    by_open = keys_index(OPEN_INDEX, "open", "opens_at")
