"""The quarantine of BYOC tenants, stored in the customers' buckets."""

from collections.abc import Iterator
from contextlib import contextmanager

from functions.quarantine.documents import Documents
from functions.shared.buckets.contract import BucketError, BucketRefusedError, ListingTooLongError
from functions.shared.custody.buckets import BucketCustody, NoDestinationError, no_destination
from functions.shared.custody.sealing import SealBrokenError
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.guarded.guard import AddressRefusedError
from functions.shared.telling import NotifyingBucket, Teller
from functions.shared.tenancy import TenantId

FUNCTION = "quarantine"


class OwnDocuments:
    """The documents of each BYOC tenant; a replay notifies the queue of the staged object."""

    def __init__(self, custody: BucketCustody, teller: Teller) -> None:
        self._custody = custody
        self._teller = teller

    def of(self, tenant: TenantId) -> Documents:
        """The documents of `tenant`; raises the errors of BucketCustody.bucket."""
        bucket = NotifyingBucket(self._custody.bucket(tenant), self._teller, tenant, FUNCTION)
        return Documents(bucket, lambda fault: self._unavailable(tenant, fault))

    def _unavailable(self, tenant: TenantId, fault: BucketError) -> RefusalError:
        """Drop the cached destination when S3 rejects a call: the credentials may have been rotated."""
        if isinstance(fault, ListingTooLongError):
            return RefusalError(
                409,
                "listing_too_long",
                "The listing of quarantine/ in your bucket has more than 1,000,000 objects or does not end: "
                "delete the objects that do not belong there, then retry.",
            )
        if isinstance(fault, BucketRefusedError):
            self._custody.forget(tenant)
        return _unavailable()


@contextmanager
def refusing() -> Iterator[None]:
    """Convert errors of reaching the caller's bucket into HTTP errors."""
    try:
        yield
    except NoDestinationError:
        raise no_destination() from None
    except (SealBrokenError, AddressRefusedError):
        raise _unavailable() from None
    except RetryableError:
        raise RefusalError(
            503, "storage_unavailable", "S3 did not answer: retry.", retry_after_seconds=1
        ) from None


def _unavailable() -> RefusalError:
    return RefusalError(
        503,
        "destination_unavailable",
        "Your bucket does not answer or denies access: find the cause with POST /v1/destination/test.",
        retry_after_seconds=1,
    )
