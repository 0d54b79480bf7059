"""A stored key and its two items in DynamoDB.

The table of keys, by hash, is authoritative; the authorizer reads it. The table of lists says which keys an
account has: an item holds the key's id and hash, and as its only changing attribute the day on which both
items are deleted.
"""

from dataclasses import dataclass

from functions.shared.tables.keys import KeyItem, KeyListItem
from functions.shared.tenancy import TenantId

KEEP_DAYS = 30
"""For this many days, expired keys are distinguished from unknown ones and revoked keys are listed."""

SECONDS_A_DAY = 86_400

ACTIVE, ROTATING, EXPIRED, REVOKED = "active", "rotating", "expired", "revoked"


@dataclass(frozen=True, slots=True)
class Key:
    """A stored key without its text. Timestamps in Unix seconds; None for never or unknown.

    `successor` is the id of the key that replaces this one; `last_used_hour` counts hours since 1970.
    """

    tenant: TenantId
    key_id: str
    scopes: frozenset[str]
    project_id: str
    expires_at: int | None = None
    name: str = ""
    created_at: int | None = None
    revoked_at: int | None = None
    successor: str = ""
    shown_prefix: str = ""
    last_used_hour: int | None = None

    def state(self, now: float) -> str:
        """One of active, rotating (valid, but being replaced), expired and revoked."""
        if self.revoked_at is not None:
            return REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return EXPIRED
        return ROTATING if self.successor else ACTIVE

    @property
    def forget_at(self) -> int | None:
        """When the key's items are deleted; None while the key has no end."""
        ended = self.expires_at if self.revoked_at is None else self.revoked_at
        return None if ended is None else ended + KEEP_DAYS * SECONDS_A_DAY

    def past_retention(self, now: float) -> bool:
        """Check the date as well: DynamoDB TTL deletes late."""
        return self.forget_at is not None and self.forget_at <= now


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
