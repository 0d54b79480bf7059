"""Accounts and API keys in DynamoDB."""

from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException
from pynamodb.models import Model

from functions.accounts import keys
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId

SECONDS_AN_HOUR = 3600


class DirectoryUnavailableError(RetryableError):
    """DynamoDB did not answer, or asks us to slow down."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer. `bytes_per_second` is the ingest rate its plan allows, of decoded bodies."""

    tenant: TenantId
    plan: str
    retention_days: int
    bytes_per_second: int
    over_quota: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A stored key: everything but the key itself. `expires_at` in Unix seconds, None for never."""

    tenant: TenantId
    key_id: str
    scopes: frozenset[str]
    project_id: str
    expires_at: int | None = None


class _AccountItem(Model):
    tenant_id = UnicodeAttribute(hash_key=True)
    plan = UnicodeAttribute()
    retention_days = NumberAttribute()
    bytes_per_second = NumberAttribute()
    over_quota = BooleanAttribute(default=False)


class _KeyItem(Model):
    key_hash = UnicodeAttribute(hash_key=True)
    tenant_id = UnicodeAttribute()
    key_id = UnicodeAttribute()
    shown_prefix = UnicodeAttribute()
    scopes = UnicodeSetAttribute()
    project_id = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)
    last_used_hour = NumberAttribute(null=True)


class Directory:
    """Reads and writes accounts and keys.

    Every method raises DirectoryUnavailableError when DynamoDB fails; reads are strongly consistent, so a
    revoked key is gone for the next look-up.
    """

    def __init__(self, accounts_table: str, keys_table: str) -> None:
        self._accounts = _bound(_AccountItem, accounts_table)
        self._keys = _bound(_KeyItem, keys_table)

    def put_account(self, account: Account) -> None:
        """Create or replace an account."""
        self._save(
            self._accounts(
                account.tenant,
                plan=account.plan,
                retention_days=account.retention_days,
                bytes_per_second=account.bytes_per_second,
                over_quota=account.over_quota,
            )
        )

    def account(self, tenant: TenantId) -> Account | None:
        """The account of `tenant`, or None."""
        item = self._load(self._accounts, tenant)
        if item is None:
            return None
        return Account(
            tenant=tenant,
            plan=item.plan,
            retention_days=int(item.retention_days),
            bytes_per_second=int(item.bytes_per_second),
            over_quota=item.over_quota,
        )

    def put_key(self, key_text: str, key: Key) -> None:
        """Store `key` under the hash of `key_text`; the text itself is forgotten."""
        self._save(
            self._keys(
                keys.hash_of(key_text),
                tenant_id=key.tenant,
                key_id=key.key_id,
                shown_prefix=keys.shown_prefix(key_text),
                scopes=set(key.scopes),
                project_id=key.project_id,
                expires_at=key.expires_at,
            )
        )

    def key(self, key_hash: str) -> Key | None:
        """The key stored under `key_hash`, or None."""
        item = self._load(self._keys, key_hash)
        if item is None:
            return None
        return Key(
            tenant=TenantId(item.tenant_id),
            key_id=item.key_id,
            scopes=frozenset(item.scopes),
            project_id=item.project_id,
            expires_at=int(item.expires_at) if item.expires_at is not None else None,
        )

    def remove_key(self, key_hash: str) -> None:
        """Revoke: the key is unknown from now on."""
        self._guarded(self._keys(key_hash).delete)

    def note_use(self, key_hash: str, now: int) -> None:
        """Remember that the key was used in this hour; an entry that is gone stays gone."""
        item = self._keys(key_hash)
        self._guarded(
            lambda: item.update(
                actions=[self._keys.last_used_hour.set(now // SECONDS_AN_HOUR)],
                condition=self._keys.key_hash.exists(),
            )
        )

    def _load(self, model: Any, key: str) -> Any:
        try:
            return self._guarded(lambda: model.get(str(key), consistent_read=True))
        except DoesNotExist:
            return None

    def _save(self, item: Any) -> None:
        self._guarded(item.save)

    @staticmethod
    def _guarded(call: Any) -> Any:
        try:
            return call()
        except DoesNotExist:
            raise
        except PynamoDBException as fault:
            raise DirectoryUnavailableError(f"DynamoDB: {type(fault).__name__}") from None


def _bound(model: type[Any], table_name: str) -> Any:
    """`model` with its table: pynamodb wants the name on the class, we have it only from the settings."""
    return type(model.__name__, (model,), {"Meta": type("Meta", (), {"table_name": table_name})})
