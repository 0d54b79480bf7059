"""A BYOC destination as a value, its public summary, and how to split and join summary and secrets."""

import hashlib
import json
import time
from dataclasses import dataclass

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

_SHOWN_CHARACTERS = 4
_LEAST_HIDDEN = 8


@dataclass(frozen=True, slots=True)
class Destination:
    """A tenant's bucket and ClickHouse.

    `version` counts from 1. `endpoint`: URL of an S3 service other than AWS, or None. `guarantee`:
    "exactly_once" or "at_least_once".
    """

    tenant: TenantId
    version: int
    bucket: str
    region: str
    endpoint: str | None
    access_key_id: SecretText
    secret_access_key: SecretText
    warehouse: ClickHouseAddress
    guarantee: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class DestinationSummary:
    """The part of a destination that may be shown. `updated_at` in Unix seconds.

    `access_key_ends_with`: the last four characters; empty for a key too short to show them.
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


def summary_of(destination: Destination) -> DestinationSummary:
    """The summary of `destination`, as of now."""
    at = destination.warehouse
    return DestinationSummary(
        tenant=destination.tenant,
        version=destination.version,
        bucket=destination.bucket,
        region=destination.region,
        endpoint=destination.endpoint,
        access_key_ends_with=_end(destination.access_key_id),
        clickhouse_host=at.host,
        clickhouse_port=at.port,
        clickhouse_secure=at.secure,
        clickhouse_database=at.database,
        guarantee=destination.guarantee,
        retention_days=destination.retention_days,
        updated_at=int(time.time()),
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
        access_key_id=s3["id"],
        secret_access_key=s3["secret"],
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
