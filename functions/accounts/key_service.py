"""An account's keys, managed by their owner: list, create, rotate, revoke.

Every change is one transaction: the key by its hash, its entry in the account's list, the audit trail, and an
increment of the list's revision. The revision serializes the changes of one account: a change based on an
outdated read fails and reads again. So there are never more keys than allowed, and a key is never rotated
twice.
"""

import random
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from functions.accounts import keys
from functions.accounts.account_forms import NewKey, Rotation
from functions.accounts.key_store import KeyStore, StoredKey
from functions.accounts.stored_key import ACTIVE, REVOKED, ROTATING, Key
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.errors import HttpError
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.transaction import Write, write_all
from functions.shared.tenancy import TenantId

MAX_ACTIVE = 100
"""Keys being rotated do not count: they expire by themselves, and rotation must still work at the limit."""

MAX_KEPT = 1000
"""Including keys that ended in the last thirty days; limits the cost of listing them."""

_TRIES = 8
_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key with its text, returned only once; `replaced` is the rotated key in its new state."""

    key: Key
    text: str = field(repr=False)
    replaced: Key | None = None


class KeyService:
    """Every method raises StoreUnavailableError when DynamoDB fails; a change may have been made.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    clock: seconds since 1970.
    """

    def __init__(
        self, store: KeyStore, audit: AuditTrail, client: Any, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._audit = audit
        self._client = client
        self._clock = clock

    def list(self, tenant: TenantId) -> list[Key]:
        """The keys of `tenant`, newest first, including those that ended in the last thirty days."""
        _, found = self._store.all(tenant, self._clock())
        return sorted(found, key=lambda key: (key.created_at or 0, key.key_id), reverse=True)

    def create(self, tenant: TenantId, wish: NewKey, who: Origin) -> CreatedKey:
        """Create a key.

        Raises
        ------
        HttpError: 409 `too_many_keys`.
        """
        return self._retry_on_conflict(lambda: self._create(tenant, wish, who))

    def rotate(self, tenant: TenantId, key_id: str, rotation: Rotation, who: Origin) -> CreatedKey:
        """Create a key with the properties of key `key_id`, which expires after the overlap.

        Raises
        ------
        HttpError: 404 `not_found`; 409 `already_rotated`, `key_not_active` or `too_many_keys`.
        """
        return self._retry_on_conflict(lambda: self._rotate(tenant, key_id, rotation, who))

    def revoke(self, tenant: TenantId, key_id: str, who: Origin) -> None:
        """Revoke a key at once; a revoked key stays revoked.

        Raises
        ------
        HttpError: 404 `not_found`.
        """
        self._retry_on_conflict(lambda: self._revoke(tenant, key_id, who))

    def _create(self, tenant: TenantId, wish: NewKey, who: Origin) -> CreatedKey:
        now = int(self._clock())
        revision, kept = self._store.all(tenant, now)
        if sum(key.state(now) == ACTIVE for key in kept) >= MAX_ACTIVE:
            raise _too_many(f"An account has at most {MAX_ACTIVE} keys: revoke one that is unused.")
        _bounded(kept)
        new = _new_key(Key(tenant, _new_id(), wish.scopes, wish.project_id, wish.expires_at, wish.name, now))
        self._write(tenant, revision, who, "key.created", new.key.key_id, self._added(new))
        return new

    def _rotate(self, tenant: TenantId, key_id: str, rotation: Rotation, who: Origin) -> CreatedKey:
        now = int(self._clock())
        stored = self._stored(tenant, key_id, now)
        old = _rotatable(stored.key, now)
        _bounded(self._store.all(tenant, now)[1])
        expires_at = old.expires_at if rotation.expires_at is None else rotation.expires_at
        new = _new_key(Key(tenant, _new_id(), old.scopes, old.project_id, expires_at, old.name, now))
        ends_at = now + rotation.overlap_seconds
        if old.expires_at is not None:
            ends_at = min(ends_at, old.expires_at)
        ended: dict[str, Any] = {"expires_at": ends_at, "successor": new.key.key_id}
        replaced = replace(old, **ended)
        changed = self._store.changed(stored.key_hash, replaced, **ended)
        self._write(tenant, stored.revision, who, "key.rotated", key_id, [*self._added(new), *changed])
        return replace(new, replaced=replaced)

    def _revoke(self, tenant: TenantId, key_id: str, who: Origin) -> None:
        now = int(self._clock())
        stored = self._stored(tenant, key_id, now)
        if stored.key.revoked_at is not None:
            return
        changed = self._store.changed(stored.key_hash, replace(stored.key, revoked_at=now), revoked_at=now)
        self._write(tenant, stored.revision, who, "key.revoked", key_id, changed)

    def _retry_on_conflict(self, change: Callable[[], T]) -> T:
        """Run `change`, which reads and then writes conditionally, until no concurrent write interferes."""
        for _ in range(_TRIES):
            try:
                return change()
            except ConditionFailedError:
                time.sleep(random.uniform(0, 0.05))  # noqa: S311
        raise HttpError(
            409,
            "concurrent_change",
            "Another request changed the keys. Check them with GET /v1/keys, then retry.",
        )

    def _stored(self, tenant: TenantId, key_id: str, now: float) -> StoredKey:
        stored = self._store.stored(tenant, key_id, now) if _ID.fullmatch(key_id) else None
        if stored is None:
            raise HttpError(404, "not_found", "There is no key with this id.")
        return stored

    def _added(self, new: CreatedKey) -> Sequence[Write]:
        return self._store.added(keys.hash_of(new.text), new.key)

    def _write(
        self, tenant: TenantId, revision: int, who: Origin, action: str, key_id: str, writes: Sequence[Write]
    ) -> None:
        """Write `writes`, their audit entry and the new revision in one transaction."""
        entry = self._audit.entry(tenant, who, action, key_id)
        write_all(self._client, [self._store.step(tenant, revision), *writes, entry])


def _new_key(key: Key) -> CreatedKey:
    text = keys.generate()
    return CreatedKey(replace(key, shown_prefix=keys.shown_prefix(text)), text)


def _new_id() -> str:
    return f"key_{secrets.token_hex(10)}"


def _bounded(kept: list[Key]) -> None:
    if len(kept) >= MAX_KEPT:
        raise _too_many(f"At most {MAX_KEPT} keys within thirty days: wait until old ones are deleted.")


def _rotatable(key: Key, now: int) -> Key:
    state = key.state(now)
    if state == ROTATING:
        raise HttpError(409, "already_rotated", f"This key was rotated: '{key.successor}' replaces it.")
    if state != ACTIVE:
        ended = "was revoked" if state == REVOKED else "has expired"
        raise HttpError(409, "key_not_active", f"This key {ended}: create a new one.")
    return key


def _too_many(sentence: str) -> HttpError:
    return HttpError(409, "too_many_keys", sentence)
