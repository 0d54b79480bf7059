"""Customers' credentials, sealed: readable only for the tenant, purpose and version they were sealed for.

Three things must come together to open one: what is stored beside the destination, the KMS key, and the
tenant's *shard*, 32 random bytes in a table without backups. Destroying the shard makes all that was ever
sealed for the tenant unreadable, in backups of the other tables too (docs/adr/0008).

boto3 and cryptography are imported where they are used: ingest loads neither for Managed tenants.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from functions.shared.aws_client import asked, client
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

KEY_BYTES = 32
NONCE_BYTES = 12

_FORM = 1
"""Of the envelope; another way to seal gets another number."""

_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
"""What KMS says of a wrapped key that was altered, is of another context or of another KMS key."""


class SealBrokenError(PermanentError):
    """What was sealed is moved, altered, of another version or shredded: nobody can read it."""


class KeyServiceUnavailableError(RetryableError):
    """KMS or the table of shards gave no answer, or refuses us: an outage, or an operator's to mend."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a text is sealed for; `purpose` names the field, `version` the destination's."""

    tenant: TenantId
    purpose: str
    version: int

    def canonical(self) -> bytes:
        """The one spelling of this context; no two contexts share it."""
        return json.dumps(["astralog", _FORM, self.tenant, self.purpose, self.version]).encode()

    def for_kms(self) -> dict[str, str]:
        """The same as a KMS encryption context. CloudTrail shows it, so it holds no secret."""
        return {"tenant": str(self.tenant), "purpose": self.purpose, "version": str(self.version)}


class Shards:
    """Every tenant's shard, in a DynamoDB table of its own, keyed by `tenant_id`, that has no backups."""

    def __init__(self, table_name: str, dynamodb: Any = None) -> None:
        self._table_name = table_name
        self._dynamodb = dynamodb

    def get_or_create(self, tenant: TenantId) -> SecretText:
        """The shard in hexadecimal, made now if there is none; two who make it at once end with the same."""
        import secrets

        item = self._call(
            "update_item",
            tenant,
            UpdateExpression="SET shard_hex = if_not_exists(shard_hex, :fresh)",
            ExpressionAttributeValues={":fresh": {"S": secrets.token_hex(KEY_BYTES)}},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        return SecretText(item["shard_hex"]["S"])

    def get(self, tenant: TenantId) -> SecretText | None:
        """The shard in hexadecimal, or None; a strongly consistent read: what is destroyed is gone."""
        item = self._call("get_item", tenant, ConsistentRead=True).get("Item")
        return SecretText(item["shard_hex"]["S"]) if item else None

    def destroy(self, tenant: TenantId) -> None:
        """Make all that was sealed for `tenant` unreadable, for good. The same again changes nothing."""
        self._call("delete_item", tenant)

    def _call(self, operation: str, tenant: TenantId, **parameters: Any) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        key = {"tenant_id": {"S": str(tenant)}}
        return asked(
            lambda: getattr(self._dynamodb, operation)(TableName=self._table_name, Key=key, **parameters),
            lambda code: KeyServiceUnavailableError(f"the table of shards: {code}"),
        )


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What is stored: the context in clear, the data key wrapped by KMS, nonce, ciphertext and tag."""

    context: Context
    wrapped_key: bytes
    nonce: bytes
    body: bytes

    def text(self) -> str:
        fields = {"form": _FORM, "tenant": self.context.tenant, "purpose": self.context.purpose}
        parts = {"key": self.wrapped_key, "nonce": self.nonce, "body": self.body}
        encoded = {name: base64.b64encode(part).decode() for name, part in parts.items()}
        return json.dumps({**fields, "version": self.context.version, **encoded})

    @classmethod
    def read(cls, sealed: str) -> "_Envelope":
        """The envelope that `text` made `sealed` of; any other spelling of it is refused, as not ours."""
        try:
            fields = json.loads(sealed)
            context = Context(TenantId(fields["tenant"]), fields["purpose"], fields["version"])
            key, nonce, body = (base64.b64decode(fields[name]) for name in ("key", "nonce", "body"))
            envelope = cls(context, key, nonce, body)
            ours = envelope.text() == sealed and bool(key) and len(nonce) == NONCE_BYTES
        except (ValueError, KeyError, TypeError, RecursionError, PermanentError):
            ours = False
        if not ours:
            raise SealBrokenError("what was sealed is altered: this is no envelope")
        return envelope


class Sealer:
    """Seals and opens with a KMS key and the tenants' shards.

    Parameters
    ----------
    kms: a boto3 client; None for one that is made on first use.
    key_id: id, ARN or alias of the KMS key; what another key has sealed is not opened.
    """

    def __init__(self, kms: Any, key_id: str, shards: Shards) -> None:
        self._kms = kms
        self._key_id = key_id
        self._shards = shards

    def seal(self, text: SecretText, context: Context) -> str:
        """`text` as JSON to be stored. Each call has a data key and a nonce of its own.

        Raises
        ------
        KeyServiceUnavailableError
        """
        import os

        shard = self._shards.get_or_create(context.tenant)
        answer = self._ask("generate_data_key", context, KeySpec="AES_256")
        nonce = os.urandom(NONCE_BYTES)
        body = _cipher(_taken(answer), shard, context).encrypt(
            nonce, text.reveal().encode("utf-8", "surrogatepass"), context.canonical()
        )
        return _Envelope(context, answer["CiphertextBlob"], nonce, body).text()

    def open(self, sealed: str, context: Context) -> SecretText:
        """The text that was sealed, if it was sealed for `context`.

        Raises
        ------
        SealBrokenError, KeyServiceUnavailableError
        """
        envelope = _Envelope.read(sealed)
        if envelope.context.canonical() != context.canonical():
            raise SealBrokenError("sealed for another tenant, purpose or version")
        shard = self._shards.get(context.tenant)
        if shard is None:
            raise SealBrokenError("what was sealed is shredded: the tenant has no shard")
        answer = self._ask("decrypt", context, CiphertextBlob=envelope.wrapped_key)
        return _opened(_cipher(_taken(answer), shard, context), envelope)

    def shred(self, tenant: TenantId) -> None:
        """Make all that was ever sealed for `tenant` unreadable, wherever its copies are."""
        self._shards.destroy(tenant)

    def _ask(self, operation: str, context: Context, **parameters: Any) -> dict[str, Any]:
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
        return SealBrokenError("what was sealed is altered, or of another key: KMS refuses it")
    return KeyServiceUnavailableError(f"KMS: {code}")


def _taken(answer: dict[str, Any]) -> SecretText:
    """The data key, taken out of KMS's answer."""
    return SecretText(answer.pop("Plaintext").hex())


def _cipher(data_key: SecretText, shard: SecretText, context: Context) -> Any:
    """AES-256-GCM under a key that needs both the data key and the shard."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derivation = HKDF(SHA256(), KEY_BYTES, salt=bytes.fromhex(shard.reveal()), info=context.canonical())
    return AESGCM(derivation.derive(bytes.fromhex(data_key.reveal())))


def _opened(cipher: Any, envelope: _Envelope) -> SecretText:
    from cryptography.exceptions import InvalidTag

    try:
        return SecretText(
            cipher.decrypt(envelope.nonce, envelope.body, envelope.context.canonical()).decode(
                "utf-8", "surrogatepass"
            )
        )
    except InvalidTag:
        pass
    raise SealBrokenError("what was sealed is altered, or of a shard that was destroyed")
