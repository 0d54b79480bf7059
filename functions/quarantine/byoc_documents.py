"""The quarantine of BYOC tenants, stored in the customers' buckets."""

from collections.abc import Iterator
from contextlib import contextmanager

from functions.quarantine.documents import QuarantineStore
from functions.shared.buckets.contract import BucketError, BucketRefusedError, ListingTooLongError
from functions.shared.byoc.buckets import (
    ByocBuckets,
    NoDestinationError,
    destination_unavailable_error,
    no_destination_error,
)
from functions.shared.byoc.encryption import CredentialsUnreadableError
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.errors import HttpError
from functions.shared.notifications import NotifyingBucket, QueueNotifier
from functions.shared.tenancy import TenantId

FUNCTION = "quarantine"


class ByocQuarantine:
    """The documents of each BYOC tenant; a replay notifies the queue of the staged object."""

    def __init__(self, byoc_clients: ByocBuckets, notifier: QueueNotifier) -> None:
        self._byoc_clients = byoc_clients
        self._notifier = notifier

    def of(self, tenant: TenantId) -> QuarantineStore:
        """The documents of `tenant`; raises the errors of ByocBuckets.bucket."""
        bucket = NotifyingBucket(self._byoc_clients.bucket(tenant), self._notifier, tenant, FUNCTION)
        return QuarantineStore(bucket, lambda fault: self._unavailable(tenant, fault))

    def _unavailable(self, tenant: TenantId, fault: BucketError) -> HttpError:
        """Drop the cached destination when S3 rejects a call: the credentials may have been rotated."""
        if isinstance(fault, ListingTooLongError):
            return HttpError(
                409,
                "listing_too_long",
                "The listing of quarantine/ in your bucket has more than 1,000,000 objects or does not end: "
                "delete the objects that do not belong there, then retry.",
            )
        if isinstance(fault, BucketRefusedError):
            self._byoc_clients.evict(tenant)
        return destination_unavailable_error()


@contextmanager
def as_http_errors() -> Iterator[None]:
    """Convert errors of reaching the caller's bucket into HTTP errors."""
    try:
        yield
    except NoDestinationError:
        raise no_destination_error() from None
    except (CredentialsUnreadableError, AddressRefusedError):
        raise destination_unavailable_error() from None
