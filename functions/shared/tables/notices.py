"""The table `notices`: the outbox of notices, and the campaigns that many of them belong to."""

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, TextSetAttribute
from functions.shared.tables.indexes import keys_index
from functions.shared.tables.item import Item

DUE_INDEX = "due"


class NoticeItem(Item):
    """A notice; `due` and `due_at` say whether and when it is sent.

    `mailed`: subjects of the people already mailed. See functions.shared.accounts.notice_outbox.
    """

    tenant_id = UnicodeAttribute(hash_key=True)
    notice = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    title = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    announce = BooleanAttribute(null=True)
    effective_on = UnicodeAttribute(null=True)
    campaign = UnicodeAttribute(null=True)
    due = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    tries = IntegerAttribute(null=True)
    mailed = TextSetAttribute()
    forget_at = IntegerAttribute(null=True)

    by_due = keys_index(DUE_INDEX, "due", "due_at")


class CampaignItem(Item):
    """A campaign, in the partition `*`; `mailed` is a number here. See functions.notices.campaigns."""

    tenant_id = UnicodeAttribute(hash_key=True)
    notice = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    audience = UnicodeAttribute()
    effective_on = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    drafted_at = UnicodeAttribute()
    accounts = IntegerAttribute(null=True)
    settled = IntegerAttribute(null=True)
    abandoned = IntegerAttribute(null=True, attr_name="given_up")
    mailed = IntegerAttribute(null=True)
    suppressed = IntegerAttribute(null=True)
    opted_out = IntegerAttribute(null=True)
    forget_at = IntegerAttribute()
