"""The table `attempts`: counters of failed sign-ins and requests, each of a period."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item


class AttemptsItem(Item):
    """`counter` is a digest; `tries` failed attempts and `good` successes in its window."""

    counter = UnicodeAttribute(hash_key=True)
    tries = IntegerAttribute(null=True)
    good = IntegerAttribute(null=True)
    forget_at = IntegerAttribute()
