"""The buckets of BYOC tenants: files are read from them and staged in them."""

from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.byoc.buckets import ByocBuckets, destination_cache
from functions.shared.byoc.destination import CustomerRole
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.role_sessions import RENEW_SECONDS
from functions.shared.byoc.settings import ByocSettings
from functions.shared.tenancy import TenantId


class CustomerDropBuckets(ByocBuckets):
    """The buckets of BYOC tenants."""

    def drops(self, tenant: TenantId) -> DropBucket:
        """The drop bucket of the tenant; raises like `destination`."""
        return self._client(tenant, "drops", self._open_drops)

    def _open_drops(self, destination: Destination) -> DropBucket:
        opened = self.open_s3(destination), destination.bucket
        is_role = isinstance(destination.access, CustomerRole)
        return DropBucket(*opened, RENEW_SECONDS) if is_role else DropBucket(*opened)


def customer_drop_buckets(settings: ByocSettings) -> CustomerDropBuckets:
    """Build a `CustomerDropBuckets` from the settings."""
    return CustomerDropBuckets(destination_cache(settings), settings.allow_loopback_destinations)
