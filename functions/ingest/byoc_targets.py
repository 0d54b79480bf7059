"""The staging targets of BYOC tenants: straight into their own buckets, under their own credentials.

Loaded for them only: these imports would double the cold start for all tenants.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from functions.ingest.slow_buckets import FREE_SECONDS, REQUEST_SECONDS, SlowBucketError, SlowBuckets
from functions.ingest.staging_target import StagingTarget
from functions.ingest.staging_writer import RETRY_AFTER_SECONDS, StagingWriter, staging_unavailable
from functions.ingest.timed_bucket import TimedBucket
from functions.shared import journal
from functions.shared.access import Principal
from functions.shared.buckets.contract import BucketError, BucketRefusedError
from functions.shared.byoc.buckets import ByocBuckets, NoDestinationError, byoc_buckets, no_destination_error
from functions.shared.byoc.encryption import CredentialsUnreadableError
from functions.shared.byoc.settings import ByocSettings
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.errors import HttpError, RetryableError
from functions.shared.notifications import NotifyingBucket, QueueNotifier
from functions.shared.settings import load

FUNCTION = "ingest"

SLOW_RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Settings(ByocSettings):
    byoc_queue: str
    health_table: str


class ByocTargets:
    """The staging target of each BYOC tenant. `limits`: what bounds the time that a slow bucket may take."""

    def __init__(self, byoc_clients: ByocBuckets, notifier: QueueNotifier, limits: SlowBuckets) -> None:
        self._byoc_clients = byoc_clients
        self._notifier = notifier
        self._limits = limits

    def __call__(self, caller: Principal) -> StagingTarget:
        """The staging target of `caller`.

        Raises
        ------
        HttpError: 403 `no_destination_error`, or 503 when it cannot be found out or not be reached.
        """
        with byoc_http_errors(caller):
            destination = self._byoc_clients.destination(caller.tenant)
            theirs = self._byoc_clients.bucket(caller.tenant)
        timed = TimedBucket(theirs, REQUEST_SECONDS, FREE_SECONDS, lambda: self._limits.charge(caller.tenant))
        notifying = NotifyingBucket(timed, self._notifier, caller.tenant, FUNCTION)
        staging = StagingWriter(notifying, lambda fault: self._unavailable(caller, fault))
        return StagingTarget(staging, destination.retention_days, lambda: self._admitted(caller, timed))

    @contextmanager
    def _admitted(self, caller: Principal, timed: TimedBucket) -> Iterator[None]:
        try:
            with self._limits.admitted(caller.tenant), timed.staging():
                yield
        except SlowBucketError:
            raise _too_slow(caller) from None

    def _unavailable(self, caller: Principal, fault: BucketError) -> HttpError:
        """After a refusal the destination is read anew: the credentials may have been rotated."""
        if isinstance(fault, BucketRefusedError):
            self._byoc_clients.evict(caller.tenant)
        return _unavailable(caller, fault.reason)


@contextmanager
def byoc_http_errors(caller: Principal) -> Iterator[None]:
    """What keeps us from the caller's bucket, in the words of a route."""
    try:
        yield
    except NoDestinationError:
        raise no_destination_error() from None
    except (CredentialsUnreadableError, AddressRefusedError) as fault:
        raise _unavailable(caller, type(fault).__name__) from None
    except RetryableError as fault:
        raise staging_unavailable(type(fault).__name__) from None


def byoc_targets() -> ByocTargets:
    """The parts, wired by the settings of the environment."""
    settings = load(Settings)
    queue = QueueNotifier(settings.byoc_queue, FUNCTION)
    return ByocTargets(byoc_buckets(settings), queue, SlowBuckets(settings.health_table))


def _unavailable(caller: Principal, reason: str) -> HttpError:
    _count_refused(caller, reason)
    return HttpError(
        503,
        "destination_unavailable",
        "Your bucket did not confirm the logs: see POST /v1/destination/test, then send them again.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


def _too_slow(caller: Principal) -> HttpError:
    _count_refused(caller, "too_slow")
    return HttpError(
        503,
        "destination_unavailable",
        "Your bucket answers slowly, so few requests at a time may write to it. These logs were not stored: "
        "see POST /v1/destination/test, then send them again.",
        retry_after_seconds=SLOW_RETRY_AFTER_SECONDS,
    )


def _count_refused(caller: Principal, reason: str) -> None:
    journal.measure(FUNCTION, {"DestinationsRefused": (1, "Count")}, tenant_id=caller.tenant, reason=reason)
