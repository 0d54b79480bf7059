"""The roads of BYOC tenants: straight into their own buckets, under their own credentials.

Loaded for them only: what it takes to reach a customer's bucket would double everybody's cold start.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from functions.ingest.road import Road
from functions.ingest.slow_buckets import FREE_SECONDS, REQUEST_SECONDS, SlowBucketError, SlowBuckets
from functions.ingest.stage import RETRY_AFTER_SECONDS, Staging, staging_unavailable
from functions.ingest.timed_bucket import TimedBucket
from functions.shared import journal
from functions.shared.access import Principal
from functions.shared.buckets.contract import BucketError, BucketRefusedError
from functions.shared.custody.buckets import BucketCustody, NoDestinationError, bucket_custody, no_destination
from functions.shared.custody.sealing import SealBrokenError
from functions.shared.custody.settings import CustodySettings
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.guarded.guard import AddressRefusedError
from functions.shared.telling import NotifyingBucket, Teller

FUNCTION = "ingest"

SLOW_RETRY_AFTER_SECONDS = 2


class OwnCloudRoads:
    """The road of each BYOC tenant. `limits`: what bounds the time that a slow bucket may take."""

    def __init__(self, custody: BucketCustody, teller: Teller, limits: SlowBuckets) -> None:
        self._custody = custody
        self._teller = teller
        self._limits = limits

    def __call__(self, caller: Principal) -> Road:
        """The road of `caller`.

        Raises
        ------
        RefusalError: 403 `no_destination`, or 503 when it cannot be found out or not be reached.
        """
        with refusing(caller):
            destination = self._custody.destination(caller.tenant)
            theirs = self._custody.bucket(caller.tenant)
        timed = TimedBucket(theirs, REQUEST_SECONDS, FREE_SECONDS, lambda: self._limits.charge(caller.tenant))
        notifying = NotifyingBucket(timed, self._teller, caller.tenant, FUNCTION)
        staging = Staging(notifying, lambda fault: self._unavailable(caller, fault))
        return Road(staging, destination.retention_days, lambda: self._admitted(caller, timed))

    @contextmanager
    def _admitted(self, caller: Principal, timed: TimedBucket) -> Iterator[None]:
        try:
            with self._limits.admitted(caller.tenant), timed.staging():
                yield
        except SlowBucketError:
            raise _too_slow(caller) from None

    def _unavailable(self, caller: Principal, fault: BucketError) -> RefusalError:
        """After a refusal the destination is read anew: the credentials may have been rotated."""
        if isinstance(fault, BucketRefusedError):
            self._custody.forget(caller.tenant)
        return _unavailable(caller, fault.reason)


@contextmanager
def refusing(caller: Principal) -> Iterator[None]:
    """What keeps us from the caller's bucket, in the words of a route."""
    try:
        yield
    except NoDestinationError:
        raise no_destination() from None
    except (SealBrokenError, AddressRefusedError) as fault:
        raise _unavailable(caller, type(fault).__name__) from None
    except RetryableError as fault:
        raise staging_unavailable(type(fault).__name__) from None


def own_cloud_roads(settings: CustodySettings, byoc_queue: str, health_table: str) -> OwnCloudRoads:
    """The parts, wired."""
    return OwnCloudRoads(bucket_custody(settings), Teller(byoc_queue, FUNCTION), SlowBuckets(health_table))


def _unavailable(caller: Principal, reason: str) -> RefusalError:
    _count_refused(caller, reason)
    return RefusalError(
        503,
        "destination_unavailable",
        "Your bucket did not confirm the logs: see POST /v1/destination/test, then send them again.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


def _too_slow(caller: Principal) -> RefusalError:
    _count_refused(caller, "too_slow")
    return RefusalError(
        503,
        "destination_unavailable",
        "Your bucket answers slowly, so few requests at a time may write to it. These logs were not stored: "
        "see POST /v1/destination/test, then send them again.",
        retry_after_seconds=SLOW_RETRY_AFTER_SECONDS,
    )


def _count_refused(caller: Principal, reason: str) -> None:
    journal.measure(FUNCTION, {"DestinationsRefused": (1, "Count")}, tenant_id=caller.tenant, reason=reason)
