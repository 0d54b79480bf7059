"""The buckets and ClickHouses of BYOC customers, as the functions of privacy and of exports reach them."""

from typing import Any, Protocol

from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.exports.archives import Archives
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import WarehouseDownError


class Customers(Protocol):
    """A world's clouds by tenant, a bucket and a warehouse each, and whether they are unreachable."""

    own: dict[TenantId, tuple[Any, Any]]
    own_away: bool
    aws: Any


class OwnClouds:
    """Stands for functions.shared.byoc.clients.ByocClients: the clouds that a test put into `world.own`."""

    def __init__(self, world: Customers) -> None:
        self._world = world

    def bucket(self, tenant: TenantId) -> Any:
        return self._of(tenant)[0]

    def warehouse(self, tenant: TenantId, _timeout_seconds: int) -> Any:
        return self._of(tenant)[1]

    def archives(self, tenant: TenantId) -> Archives:
        self._of(tenant)
        return Archives(f"own-{tenant}", self._world.aws.s3)

    def _of(self, tenant: TenantId) -> tuple[Any, Any]:
        if tenant not in self._world.own:
            raise NoDestinationError("none")
        if self._world.own_away:
            raise WarehouseDownError("away")
        return self._world.own[tenant]
