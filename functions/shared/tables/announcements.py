"""The table `announcements`: messages shown in the dashboard."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item


class AnnouncementItem(Item):
    """`tenant_id` is `*` for all accounts; `at` and `effective_on` are RFC 3339."""

    tenant_id = UnicodeAttribute(hash_key=True)
    announcement = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    kind = UnicodeAttribute()
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    effective_on = UnicodeAttribute(null=True)
    forget_at = IntegerAttribute()
