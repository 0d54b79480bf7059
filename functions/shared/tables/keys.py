"""The tables `keys`, by the hash of a key, and `key-lists`, by account."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, TextSetAttribute
from functions.shared.tables.item import Item


class KeyItem(Item):
    """The authoritative item of a key; see functions.accounts.stored_key.Key."""

    key_hash = UnicodeAttribute(hash_key=True)
    tenant_id = UnicodeAttribute()
    key_id = UnicodeAttribute()
    shown_prefix = UnicodeAttribute(null=True)
    project_id = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    successor = UnicodeAttribute(null=True)
    scopes = TextSetAttribute()
    expires_at = IntegerAttribute(null=True)
    created_at = IntegerAttribute(null=True)
    revoked_at = IntegerAttribute(null=True)
    last_used_hour = IntegerAttribute(null=True)
    forget_at = IntegerAttribute(null=True)


class KeyListItem(Item):
    """An entry of an account's list of keys; `revision` is an attribute of one entry that is no key."""

    tenant_id = UnicodeAttribute(hash_key=True)
    key_id = UnicodeAttribute(range_key=True)
    key_hash = UnicodeAttribute(null=True)
    revision = IntegerAttribute(null=True)
    forget_at = IntegerAttribute(null=True)
