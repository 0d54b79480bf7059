"""A tenant's destination with credentials that no output may show."""

from dataclasses import replace
from typing import Any

from functions.shared.byoc.destination import AccessKey
from functions.shared.byoc.destination_store import Destination
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from tests.unit.shared.fake_kms import ACME

CANARIES = ("canary-key-AKIAIOSF", "canary-secret-K7MDENG", "canary-user-loader", "canary-password-bPxRfi")


def destination(tenant: TenantId, version: int = 1, **changes: Any) -> Destination:
    key, secret, user, password = (f"{canary}-{tenant}-{version}" for canary in CANARIES)
    made = Destination(
        tenant=tenant,
        version=version,
        bucket=f"{tenant}-logs",
        region="eu-central-1",
        endpoint=None if tenant == ACME else "https://s3.globex.example",
        access=AccessKey(SecretText(key), SecretText(secret)),
        warehouse=ClickHouseAddress(f"ch.{tenant}.example", 8443, True, user, SecretText(password), "logs"),
        guarantee="exactly_once",
        retention_days=30,
    )
    return replace(made, **changes)
