"""The table `audit`: the audit trail, append-only."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.item import Item


class AuditItem(Item):
    """`entry` is a time-ordered id; see functions.shared.accounts.audit."""

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    action = UnicodeAttribute()
    subject = UnicodeAttribute()
    source_ip = UnicodeAttribute(attr_name="from")
    user_agent = UnicodeAttribute()
