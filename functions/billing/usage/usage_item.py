"""The entries of the table of usage, and what one of a day says."""

from dataclasses import dataclass
from datetime import date

from functions.shared.tenancy import TenantId

TOTAL, REPORTED, RECONCILED = "total", "reported", "reconciled#"

ALL_TENANTS = "*"
"""The partition of entries for all tenants; no tenant's id contains this character."""


@dataclass(frozen=True, slots=True)
class UsageDay:
    """A tenant's day."""

    tenant: TenantId
    day: date
    rows: int
    raw_bytes: int
    own_rows: int = 0
    own_bytes: int = 0
