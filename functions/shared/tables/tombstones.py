"""The table `tombstones`: hashes of deleted accounts' ids."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item


class TombstoneItem(Item):
    """See functions.shared.accounts.tombstones."""

    kind = UnicodeAttribute(hash_key=True)
    tenant_hash = UnicodeAttribute(range_key=True)
    erased_at = IntegerAttribute(attr_name="buried_at")
    forget_at = IntegerAttribute()
