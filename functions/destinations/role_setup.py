"""What a customer needs before it can send a role: its external id, and two policies to copy."""

import secrets
from typing import Any

from functions.shared.byoc.role_policies import ROLE_PREFIX, permission_policy, trust_policy
from functions.shared.byoc.role_sessions import RoleSessions
from functions.shared.tables.external_ids import ExternalIdTable
from functions.shared.tenancy import TenantId

PLACEHOLDER = "YOUR-BUCKET"


class ExternalIds:
    """The external ids of all tenants; raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, table: ExternalIdTable) -> None:
        self._table = table

    def of(self, tenant: TenantId) -> str:
        """The external id of `tenant`, made at the first call; concurrent callers get the same."""
        return self._table.get_or_put(str(tenant), new_external_id())


def new_external_id() -> str:
    """160 random bits in hexadecimal: it can be neither guessed nor derived from a tenant's id."""
    return secrets.token_hex(20)


def role_setup(tenant: TenantId, external_id: str, bucket: str | None, roles: RoleSessions) -> dict[str, Any]:
    """The answer of GET /v1/destination/role; without a `bucket` the policy has PLACEHOLDER in its place.

    Raises
    ------
    RoleServiceUnavailableError
    """
    partition, account = roles.own_account()
    return {
        "account_id": account,
        "external_id": external_id,
        "role_name": ROLE_PREFIX,
        "trust_policy": trust_policy(partition, account, external_id),
        "permission_policy": permission_policy(partition, bucket or PLACEHOLDER, tenant),
    }
