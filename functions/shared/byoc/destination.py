"""A BYOC destination as a value, its public summary, and how to split and join summary and secrets."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

_SHOWN_CHARACTERS = 4
_LEAST_HIDDEN = 8


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key for S3; one with a `session_token` is temporary, and never stored."""

    key_id: SecretText
    secret: SecretText
    session_token: SecretText | None = None


@dataclass(frozen=True, slots=True)
class CustomerRole:
    """A role in the customer's AWS account (docs/adr/0036).

    `external_id`: ours for this tenant. No caller of the API chooses it: a role that trusts us with another
    tenant's external id cannot be assumed for this one.
    """

    arn: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Destination:
    """A tenant's bucket and ClickHouse.

    `version` counts from 1. `endpoint`: URL of an S3 service other than AWS, or None; always None with a
    role. `access`: what the bucket is opened with. `guarantee`: "exactly_once" or "at_least_once".
    """

    tenant: TenantId
    version: int
    bucket: str
    region: str
    endpoint: str | None
    access: AccessKey | CustomerRole
    warehouse: ClickHouseAddress
    guarantee: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class DestinationSummary:
    """The part of a destination that may be shown. `updated_at` in Unix seconds.

    `access_key_ends_with`: the last four characters; empty for a key too short to show them, and for a role.
    """

    tenant: TenantId
    version: int
    bucket: str
    region: str
    endpoint: str | None
    access_key_ends_with: str
    clickhouse_host: str
    clickhouse_port: int
    clickhouse_secure: bool
    clickhouse_database: str
    guarantee: str
    retention_days: int
    updated_at: int
    role_arn: str | None = None
    external_id: str | None = None

    def stored(self) -> dict[str, Any]:
        """The fields as they are stored: without those of a role if there is none, as before roles."""
        roleless = ("role_arn", "external_id") if self.role_arn is None else ()
        return {name: value for name, value in asdict(self).items() if name not in roleless}


def summary_of(destination: Destination) -> DestinationSummary:
    """The summary of `destination`, as of now."""
    at, access = destination.warehouse, destination.access
    role = access if isinstance(access, CustomerRole) else None
    return DestinationSummary(
        tenant=destination.tenant,
        version=destination.version,
        bucket=destination.bucket,
        region=destination.region,
        endpoint=destination.endpoint,
        access_key_ends_with=_end(access.key_id) if isinstance(access, AccessKey) else "",
        clickhouse_host=at.host,
        clickhouse_port=at.port,
        clickhouse_secure=at.secure,
        clickhouse_database=at.database,
        guarantee=destination.guarantee,
        retention_days=destination.retention_days,
        updated_at=int(time.time()),
        role_arn=role.arn if role else None,
        external_id=role.external_id if role else None,
    )


def joined(
    shown: DestinationSummary, s3: dict[str, SecretText], clickhouse: dict[str, SecretText]
) -> Destination:
    """The destination, from its summary and the secrets that were passed to `tied` under those names."""
    return Destination(
        tenant=shown.tenant,
        version=shown.version,
        bucket=shown.bucket,
        region=shown.region,
        endpoint=shown.endpoint,
        access=_access(shown, s3),
        warehouse=ClickHouseAddress(
            host=shown.clickhouse_host,
            port=shown.clickhouse_port,
            secure=shown.clickhouse_secure,
            user=clickhouse["user"].reveal(),
            password=clickhouse["password"],
            database=shown.clickhouse_database,
        ),
        guarantee=shown.guarantee,
        retention_days=shown.retention_days,
    )


def s3_secrets(destination: Destination) -> dict[str, SecretText]:
    """The secrets of the bucket, by name: none with a role, whose ARN and external id are in the summary."""
    access = destination.access
    return {"id": access.key_id, "secret": access.secret} if isinstance(access, AccessKey) else {}


def _access(shown: DestinationSummary, s3: dict[str, SecretText]) -> AccessKey | CustomerRole:
    if shown.role_arn is not None and shown.external_id is not None:
        return CustomerRole(shown.role_arn, shown.external_id)
    return AccessKey(s3["id"], s3["secret"])


def tied(shown: str, **secrets: SecretText) -> SecretText:
    """Secrets as one text that also contains the digest of the summary stored next to them."""
    revealed = {name: secret.reveal() for name, secret in secrets.items()}
    return SecretText(json.dumps({**revealed, "summary": digest(shown)}))


def digest(shown: str) -> str:
    """SHA-256 of a stored summary."""
    return hashlib.sha256(shown.encode()).hexdigest()


def _end(access_key_id: SecretText) -> str:
    text = access_key_id.reveal()
    return text[-_SHOWN_CHARACTERS:] if len(text) >= _SHOWN_CHARACTERS + _LEAST_HIDDEN else ""
