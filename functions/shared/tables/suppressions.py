"""The table `suppressions`: digests of addresses that get no mail."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item


class SuppressionItem(Item):
    """`address` is a digest; `reason`: bounce or complaint."""

    address = UnicodeAttribute(hash_key=True)
    reason = UnicodeAttribute()
    at = UnicodeAttribute()
    forget_at = IntegerAttribute()
