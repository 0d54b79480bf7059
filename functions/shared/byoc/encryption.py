"""Envelope encryption of customers' credentials, bound to tenant, purpose and version.

Decryption needs three things: the text stored with the destination, the KMS key, and the tenant's *shard*, 32
random bytes in a table without backups. Destroying the shard makes everything encrypted for the tenant
unreadable, including copies in backups of the other tables (docs/adr/0008).

boto3, pynamodb and cryptography are imported where they are used: ingest loads none of them for managed
tenants.
"""

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.shared.aws_client import asked, client
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

if TYPE_CHECKING:
    from functions.shared.tables.shards import ShardTable

KEY_BYTES = 32
NONCE_BYTES = 12

_FORM = 1
"""Version of the envelope format; another encryption scheme gets another number."""

_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
"""KMS error codes for a wrapped key that was altered, or has another context or another KMS key."""


class CredentialsUnreadableError(PermanentError):
    """The encrypted text was moved, altered, shredded, or has another version: it cannot be decrypted."""


class KeyServiceUnavailableError(RetryableError):
    """KMS did not answer or denied access: an outage, or a fault for the operator."""


@dataclass(frozen=True, slots=True)
class EncryptionContext:
    """What a text is encrypted for; `purpose` names the field, `version` is the destination's."""

    tenant: TenantId
    purpose: str
    version: int

    def canonical(self) -> bytes:
        """The canonical bytes of this context, different for every context."""
        return json.dumps(["astralog", _FORM, self.tenant, self.purpose, self.version]).encode()

    def for_kms(self) -> dict[str, str]:
        """This context as a KMS encryption context. CloudTrail shows it, so it holds no secret."""
        return {"tenant": str(self.tenant), "purpose": self.purpose, "version": str(self.version)}


class Shards:
    """The shards of all tenants, in a separate DynamoDB table without backups, keyed by `tenant_id`.

    Every method raises StoreUnavailableError when DynamoDB fails.
    """

    def __init__(self, table_name: str, dynamodb: Any = None) -> None:
        self._table_name = table_name
        self._dynamodb = dynamodb
        self._made: ShardTable | None = None

    def get_or_create(self, tenant: TenantId) -> SecretText:
        """The shard in hexadecimal, created if missing; concurrent callers get the same shard."""
        import secrets

        return SecretText(self._table.get_or_put(str(tenant), secrets.token_hex(KEY_BYTES)))

    def get(self, tenant: TenantId) -> SecretText | None:
        """The shard in hexadecimal, or None; strongly consistent, so a destroyed shard is never returned."""
        shard = self._table.get(str(tenant))
        return SecretText(shard) if shard else None

    def destroy(self, tenant: TenantId) -> None:
        """Destroy the shard: everything encrypted for `tenant` becomes unreadable for good. Repeatable."""
        self._table.delete(str(tenant))

    @property
    def _table(self) -> "ShardTable":
        if self._made is None:
            from functions.shared.tables.shards import ShardTable

            self._made = ShardTable(self._table_name, self._dynamodb)
        return self._made


@dataclass(frozen=True, slots=True)
class _EncryptedEnvelope:
    """The stored form: the context in plain text, the data key wrapped by KMS, nonce, ciphertext and tag."""

    context: EncryptionContext
    wrapped_key: bytes
    nonce: bytes
    body: bytes

    def text(self) -> str:
        fields = {"form": _FORM, "tenant": self.context.tenant, "purpose": self.context.purpose}
        parts = {"key": self.wrapped_key, "nonce": self.nonce, "body": self.body}
        encoded = {name: base64.b64encode(part).decode() for name, part in parts.items()}
        return json.dumps({**fields, "version": self.context.version, **encoded})

    @classmethod
    def read(cls, sealed: str) -> "_EncryptedEnvelope":
        """Parse `sealed`, the output of `text`; any other spelling is rejected as not ours."""
        try:
            fields = json.loads(sealed)
            context = EncryptionContext(TenantId(fields["tenant"]), fields["purpose"], fields["version"])
            key, nonce, body = (base64.b64decode(fields[name]) for name in ("key", "nonce", "body"))
            envelope = cls(context, key, nonce, body)
            ours = envelope.text() == sealed and bool(key) and len(nonce) == NONCE_BYTES
        except (ValueError, KeyError, TypeError, RecursionError, PermanentError):
            ours = False
        if not ours:
            raise CredentialsUnreadableError("the ciphertext was altered: it is no envelope")
        return envelope


class CredentialEncryption:
    """Encrypts and decrypts with a KMS key and the tenants' shards.

    Parameters
    ----------
    kms: a boto3 client; None for one that is made on first use.
    key_id: id, ARN or alias of the KMS key; text encrypted with another key is rejected.
    """

    def __init__(self, kms: Any, key_id: str, shards: Shards) -> None:
        self._kms = kms
        self._key_id = key_id
        self._shards = shards

    def encrypt(self, text: SecretText, context: EncryptionContext) -> str:
        """Encrypt `text` to JSON for storage. Each call uses a new data key and a new nonce.

        Raises
        ------
        KeyServiceUnavailableError, StoreUnavailableError
        """
        import os

        shard = self._shards.get_or_create(context.tenant)
        answer = self._ask("generate_data_key", context, KeySpec="AES_256")
        nonce = os.urandom(NONCE_BYTES)
        body = _cipher(_taken(answer), shard, context).encrypt(
            nonce, text.reveal().encode("utf-8", "surrogatepass"), context.canonical()
        )
        return _EncryptedEnvelope(context, answer["CiphertextBlob"], nonce, body).text()

    def decrypt(self, sealed: str, context: EncryptionContext) -> SecretText:
        """Decrypt `sealed`, if it was encrypted for `context`.

        Raises
        ------
        CredentialsUnreadableError, KeyServiceUnavailableError, StoreUnavailableError
        """
        envelope = _EncryptedEnvelope.read(sealed)
        if envelope.context.canonical() != context.canonical():
            raise CredentialsUnreadableError("encrypted for another tenant, purpose or version")
        shard = self._shards.get(context.tenant)
        if shard is None:
            raise CredentialsUnreadableError("the ciphertext is shredded: the tenant has no shard")
        answer = self._ask("decrypt", context, CiphertextBlob=envelope.wrapped_key)
        return _opened(_cipher(_taken(answer), shard, context), envelope)

    def shred(self, tenant: TenantId) -> None:
        """Make everything encrypted for `tenant` unreadable, including all copies."""
        self._shards.destroy(tenant)

    def _ask(self, operation: str, context: EncryptionContext, **parameters: Any) -> dict[str, Any]:
        self._kms = self._kms or client("kms")
        answer: dict[str, Any] = asked(
            lambda: getattr(self._kms, operation)(
                KeyId=self._key_id, EncryptionContext=context.for_kms(), **parameters
            ),
            _refusal,
        )
        return answer


def _refusal(code: str) -> Exception:
    if code in _NOT_OURS:
        return CredentialsUnreadableError("the ciphertext was altered, or has another key: KMS rejects it")
    return KeyServiceUnavailableError(f"KMS: {code}")


def _taken(answer: dict[str, Any]) -> SecretText:
    """Move the data key out of KMS's answer."""
    return SecretText(answer.pop("Plaintext").hex())


def _cipher(data_key: SecretText, shard: SecretText, context: EncryptionContext) -> Any:
    """AES-256-GCM with a key derived from the data key and the shard."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derivation = HKDF(SHA256(), KEY_BYTES, salt=bytes.fromhex(shard.reveal()), info=context.canonical())
    return AESGCM(derivation.derive(bytes.fromhex(data_key.reveal())))


def _opened(cipher: Any, envelope: _EncryptedEnvelope) -> SecretText:
    from cryptography.exceptions import InvalidTag

    try:
        return SecretText(
            cipher.decrypt(envelope.nonce, envelope.body, envelope.context.canonical()).decode(
                "utf-8", "surrogatepass"
            )
        )
    except InvalidTag:
        pass
    raise CredentialsUnreadableError("the ciphertext was altered, or its shard was destroyed")
