"""The table `turns`: when a scheduled function last worked for a tenant."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, SecondsAttribute
from functions.shared.tables.item import Item


class TurnItem(Item):
    """`turn` is a hash of function and tenant; `turns` counts them."""

    turn = UnicodeAttribute(hash_key=True)
    began_at = SecondsAttribute()
    turns = IntegerAttribute()
    forget_at = IntegerAttribute()
