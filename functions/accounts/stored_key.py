"""A stored API key, without its text."""

from dataclasses import dataclass

from functions.shared.tenancy import TenantId

KEEP_DAYS = 30
"""For this many days, expired keys are distinguished from unknown ones and revoked keys are listed."""

SECONDS_A_DAY, SECONDS_AN_HOUR = 86_400, 3600

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
