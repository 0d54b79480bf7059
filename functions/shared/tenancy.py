"""The tenant comes first: the one module that turns a tenant into prefixes and filters."""

import re

from functions.shared.errors import PermanentError

_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{1,62}")


class TenantId(str):
    """A tenant's id: lower-case letters, digits, `_` and `-`, 2 to 63 characters.

    The alphabet is chosen so that an id is safe, as it stands, in an S3 key, a JSON string and a URL.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "TenantId":
        if not _PATTERN.fullmatch(text):
            raise PermanentError("a tenant id is 2 to 63 characters of a-z, 0-9, _ and -")
        return super().__new__(cls, text)


def staged_prefix(tenant: TenantId) -> str:
    """The S3 prefix that holds everything `tenant` has staged and nobody else's."""
    return f"staged/v1/tenant={tenant}/"


def idempotency_prefix(tenant: TenantId) -> str:
    """The S3 prefix of the marks that `Idempotency-Key` leaves for a day."""
    return f"idempotency/v1/tenant={tenant}/"


def quarantine_prefix(tenant: TenantId) -> str:
    """The S3 prefix of the rows of `tenant` that ClickHouse refused."""
    return f"quarantine/v1/tenant={tenant}/"


def exports_prefix(tenant: TenantId) -> str:
    """The S3 prefix of the archives that were made for `tenant`."""
    return f"exports/v1/tenant={tenant}/"


def dropin_prefix(tenant: TenantId) -> str:
    """The S3 prefix that `tenant` puts files under."""
    return f"dropin/v1/tenant={tenant}/"


def checkpoint_prefix(tenant: TenantId) -> str:
    """The S3 prefix of how far the reading of files of `tenant` has come."""
    return f"uploads/v1/tenant={tenant}/"


def row_filter(tenant: TenantId) -> tuple[str, dict[str, str]]:
    """The SQL condition and its bound parameter that every read of the events table starts from."""
    return "tenant_id = {tenant_id:String}", {"tenant_id": str(tenant)}


_OWN = "byoc:"


def own_destination(tenant: TenantId) -> str:
    """What the ledger and the table of health call a BYOC tenant's own cloud."""
    return f"{_OWN}{tenant}"


def own_drops(tenant: TenantId) -> str:
    """What the table of health calls a BYOC tenant's own bucket, as files lie in it."""
    return f"drops:{tenant}"


def own_searches(tenant: TenantId) -> str:
    """What the table of health calls a BYOC tenant's own ClickHouse, as it is searched."""
    return f"searches:{tenant}"


def own_staging(tenant: TenantId) -> str:
    """What the table of health calls a BYOC tenant's own bucket, as ingest stages into it."""
    return f"staging:{tenant}"


def owner_of(destination: str) -> TenantId | None:
    """Whose own cloud `destination` is; None for ours."""
    return TenantId(destination.removeprefix(_OWN)) if destination.startswith(_OWN) else None
