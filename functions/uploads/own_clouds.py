"""The buckets of BYOC tenants: files are read from them and staged in them."""

from functions.shared.buckets.drops import DropBucket
from functions.shared.custody.buckets import BucketCustody, recent_destinations
from functions.shared.custody.destinations import Destination
from functions.shared.custody.settings import CustodySettings
from functions.shared.tenancy import TenantId


class DropCustody(BucketCustody):
    """The buckets of BYOC tenants."""

    def drops(self, tenant: TenantId) -> DropBucket:
        """The drop bucket of the tenant; raises like `destination`."""
        return self._client(tenant, "drops", self._open_drops)

    def _open_drops(self, destination: Destination) -> DropBucket:
        return DropBucket(self.open_s3(destination), destination.bucket)


def drop_custody(settings: CustodySettings) -> DropCustody:
    """Build a `DropCustody` from the settings."""
    return DropCustody(recent_destinations(settings), settings.allow_loopback_destinations)
