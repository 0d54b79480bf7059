"""The one module that turns a tenant into prefixes and filters."""

import re

from functions.shared.errors import PermanentError

_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{1,62}")


class TenantId(str):
    """A tenant's id: lower-case letters, digits, `_` and `-`, 2 to 63 characters.

    An id of these characters needs no escaping in an S3 key, a JSON string or a URL.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "TenantId":
        if not _PATTERN.fullmatch(text):
            raise PermanentError("a tenant id is 2 to 63 characters of a-z, 0-9, _ and -")
        return super().__new__(cls, text)


def staged_prefix(tenant: TenantId) -> str:
    """The S3 prefix of all staged objects of `tenant`, and of no other tenant's."""
    return f"staged/v1/tenant={tenant}/"


def idempotency_prefix(tenant: TenantId) -> str:
    """The S3 prefix of the idempotency marks, which are kept for a day."""
    return f"idempotency/v1/tenant={tenant}/"


def quarantine_prefix(tenant: TenantId) -> str:
    """The S3 prefix of the quarantined rows of `tenant`."""
    return f"quarantine/v1/tenant={tenant}/"


def exports_prefix(tenant: TenantId) -> str:
    """The S3 prefix of the data exports of `tenant`, and of the exports of its search results."""
    return f"exports/v1/tenant={tenant}/"


def dropin_prefix(tenant: TenantId) -> str:
    """The S3 prefix of the files that `tenant` puts into the drop bucket."""
    return f"dropin/v1/tenant={tenant}/"


def checkpoint_prefix(tenant: TenantId) -> str:
    """The S3 prefix of the checkpoints of files of `tenant`."""
    return f"uploads/v1/tenant={tenant}/"


def row_filter(tenant: TenantId) -> tuple[str, dict[str, str]]:
    """The SQL condition, with its bound parameter, of every read of the events table."""
    return "tenant_id = {tenant_id:String}", {"tenant_id": str(tenant)}


_OWN = "byoc:"


def own_destination(tenant: TenantId) -> str:
    """The name of a BYOC tenant's destination in the ledger and in the table of health."""
    return f"{_OWN}{tenant}"


def own_drops(tenant: TenantId) -> str:
    """The name of a BYOC tenant's bucket in the table of health, as a source of dropped files."""
    return f"drops:{tenant}"


def own_searches(tenant: TenantId) -> str:
    """The name of a BYOC tenant's ClickHouse in the table of health, for searches."""
    return f"searches:{tenant}"


def own_tails(tenant: TenantId) -> str:
    """The name of a tenant's concurrent tails in the table of health."""
    return f"tails:{tenant}"


def own_tail_reads(tenant: TenantId) -> str:
    """The name of a BYOC tenant's ClickHouse in the table of health, for the statements of tails."""
    return f"tail-reads:{tenant}"


def own_export_reads(tenant: TenantId) -> str:
    """The name of a BYOC tenant's ClickHouse in the table of health, for exports of search results."""
    return f"export-reads:{tenant}"


def own_staging(tenant: TenantId) -> str:
    """What the table of health calls a BYOC tenant's own bucket, as ingest stages into it."""
    return f"staging:{tenant}"


def owner_of(destination: str) -> TenantId | None:
    """The tenant of a BYOC `destination`; None for ours."""
    return TenantId(destination.removeprefix(_OWN)) if destination.startswith(_OWN) else None
