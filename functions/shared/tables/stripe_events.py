"""The table `stripe-events`: Stripe events already processed."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item


class StripeEventItem(Item):
    """Times in Unix seconds."""

    event_id = UnicodeAttribute(hash_key=True)
    done_at = IntegerAttribute()
    forget_at = IntegerAttribute()
