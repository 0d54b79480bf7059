"""The two items of a key in DynamoDB.

The table of keys, by hash, is authoritative; the authorizer reads it. The table of lists says which keys an
account has: an item holds the key's id and hash, and as its only changing attribute the day on which both
items are deleted.
"""

from functions.accounts.stored_key import Key
from functions.shared.tables.keys import KeyItem, KeyListItem
from functions.shared.tenancy import TenantId


def key_item(key_hash: str, key: Key) -> KeyItem:
    """The item in the table of keys."""
    return KeyItem(
        key_hash,
        tenant_id=str(key.tenant),
        key_id=key.key_id,
        shown_prefix=key.shown_prefix,
        project_id=key.project_id,
        name=key.name,
        successor=key.successor,
        scopes=key.scopes,
        expires_at=key.expires_at,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        last_used_hour=key.last_used_hour,
        forget_at=key.forget_at,
    )


def key_of(item: KeyItem) -> Key:
    """The key in such an item; attributes that older items lack get their defaults."""
    return Key(
        tenant=TenantId(item.tenant_id),
        key_id=item.key_id,
        scopes=frozenset(item.scopes or ()),
        project_id=item.project_id,
        expires_at=item.expires_at,
        name=item.name or "",
        created_at=item.created_at,
        revoked_at=item.revoked_at,
        successor=item.successor or "",
        shown_prefix=item.shown_prefix or "",
        last_used_hour=item.last_used_hour,
    )


def list_item(key_hash: str, key: Key) -> KeyListItem:
    """The item in the table of lists."""
    return KeyListItem(str(key.tenant), key.key_id, key_hash=key_hash, forget_at=key.forget_at)


def list_key(tenant: TenantId, key_id: str) -> tuple[str, str]:
    """The primary key of that item."""
    return str(tenant), key_id
