"""Customers' buckets, by tenant. Opening one loads boto3 and cryptography; importing this module does not."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from functions.shared.buckets.contract import Bucket
from functions.shared.byoc.destination import AccessKey
from functions.shared.byoc.destination_store import Destination, DestinationCache, DestinationStore
from functions.shared.byoc.encryption import CredentialEncryption, Shards
from functions.shared.byoc.role_sessions import RENEW_SECONDS, RoleClient, RoleSessions
from functions.shared.byoc.settings import ByocSettings
from functions.shared.errors import HttpError, PermanentError
from functions.shared.tenancy import TenantId

if TYPE_CHECKING:
    from functions.shared.exports.archives import Archives

MAX_KEPT = 100
MAX_KEPT_SECONDS = 300
"""The longest a client is cached: it holds credentials, which must not be kept for longer."""

CONNECT_SECONDS = 2
READ_SECONDS = 5
"""Three attempts with this timeout end before ingest has to answer its caller."""

T = TypeVar("T")


class NoDestinationError(PermanentError):
    """The tenant has no destination, or no longer has one."""


@dataclass(slots=True)
class _CachedClients:
    """The cached clients of one destination, and the time when the first of them got its credentials."""

    destination: Destination
    since: float
    clients: dict[Hashable, Any] = field(default_factory=dict)


class ByocBuckets:
    """The buckets that hold the staged objects of BYOC tenants.

    Clients are cached for at most MAX_KEPT destinations and MAX_KEPT_SECONDS, and are recreated when the
    destination changes. Threads may call concurrently, each for a tenant of its own.

    Parameters
    ----------
    recent: finds each tenant's destination.
    allow_loopback: see ByocSettings.
    roles: sessions of customers' roles; None for new ones.
    """

    def __init__(
        self,
        recent: DestinationCache,
        allow_loopback: bool = False,
        clock: Callable[[], float] = time.monotonic,
        roles: RoleSessions | None = None,
    ) -> None:
        self._recent = recent
        self._roles = roles or RoleSessions()
        self._allow_loopback = allow_loopback
        self._clock = clock
        self._kept: dict[TenantId, _CachedClients] = {}
        self._lock = Lock()

    def destination(self, tenant: TenantId) -> Destination:
        """The tenant's destination, at most one minute old.

        Raises
        ------
        NoDestinationError, CredentialsUnreadableError, StoreUnavailableError, KeyServiceUnavailableError
        """
        found = self._recent.get(tenant)
        if found is None:
            self._roles.forget(tenant)
            raise NoDestinationError("the tenant has no destination")
        return found

    def bucket(self, tenant: TenantId) -> Bucket:
        """The tenant's bucket; raises the errors of `destination`."""
        return self._client(tenant, "bucket", self._open_bucket)

    def archives(self, tenant: TenantId) -> "Archives":
        """The exports of search results in the tenant's bucket; raises the errors of `destination`."""
        return self._client(tenant, "archives", self._open_archives)

    def evict(self, tenant: TenantId) -> None:
        """Drop the cached destination and its clients, when the credentials were rejected, or when an
        abandoned thread may still use a client.
        """
        self._recent.evict(tenant)
        self._roles.evict(tenant)
        with self._lock:
            self._kept.pop(tenant, None)

    def _open_bucket(self, destination: Destination) -> Bucket:
        from functions.shared.buckets.customer import CustomerBucket

        return CustomerBucket(self.open_s3(destination), destination.bucket)

    def _open_archives(self, destination: Destination) -> "Archives":
        from functions.shared.exports.archives import LINK_SECONDS, Archives

        s3 = self.open_s3(destination)
        is_key = isinstance(destination.access, AccessKey)
        return Archives(destination.bucket, s3, LINK_SECONDS if is_key else RENEW_SECONDS)

    def open_s3(self, destination: Destination) -> Any:
        """A new, unshared boto3 client for S3 with the customer's credentials, behind the egress filter.

        With a role, each of its calls may raise RoleRefusedError or RoleServiceUnavailableError.
        """
        access = destination.access
        if isinstance(access, AccessKey):
            return self._open_with(destination, access)
        return RoleClient(
            partial(self._roles.current, destination, access), partial(self._open_with, destination)
        )

    def _open_with(self, destination: Destination, key: AccessKey) -> Any:
        from functions.shared.egress.egress_filter import EgressFilter
        from functions.shared.egress.s3 import Timeouts, filtered_s3_client

        return filtered_s3_client(
            EgressFilter(allow_loopback=self._allow_loopback),
            destination.region,
            destination.endpoint,
            key.key_id,
            key.secret,
            Timeouts(CONNECT_SECONDS, READ_SECONDS),
            session_token=key.session_token,
        )

    def _client(self, tenant: TenantId, name: Hashable, make: Callable[[Destination], T]) -> T:
        """The cached client of that name, or a new one made by `make`."""
        destination = self.destination(tenant)
        with self._lock:
            kept = self._kept_of(destination)
        if name not in kept.clients:
            kept.clients[name] = make(destination)
        return cast(T, kept.clients[name])

    def _kept_of(self, destination: Destination) -> _CachedClients:
        """The cache entry of the destination's current version; the least recently used is first."""
        oldest_allowed = self._clock() - MAX_KEPT_SECONDS
        for tenant in [tenant for tenant, kept in self._kept.items() if kept.since < oldest_allowed]:
            del self._kept[tenant]
        kept = self._kept.pop(destination.tenant, None)
        if kept is None or kept.destination != destination:
            kept = _CachedClients(destination, self._clock())
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[destination.tenant] = kept
        return kept


def no_destination_error() -> HttpError:
    """The HTTP error for NoDestinationError."""
    return HttpError(
        403,
        "no_destination",
        "This BYOC account has no destination: set it with PUT /v1/destination.",
    )


def destination_unavailable_error() -> HttpError:
    """The HTTP error when the customer's bucket does not answer, denies access or cannot be addressed."""
    return HttpError(
        503,
        "destination_unavailable",
        "Your bucket does not answer or denies access: find the cause with POST /v1/destination/test.",
        retry_after_seconds=1,
    )


def destination_store(settings: ByocSettings) -> DestinationStore:
    """The table of destinations, with access to the decryption keys."""
    sealer = CredentialEncryption(None, settings.credentials_key, Shards(settings.shards_table))
    return DestinationStore(settings.destinations_table, sealer)


def byoc_buckets(settings: ByocSettings) -> ByocBuckets:
    """Build a ByocBuckets from settings."""
    return ByocBuckets(destination_cache(settings), settings.allow_loopback_destinations)


def destination_cache(settings: ByocSettings) -> DestinationCache:
    return DestinationCache(destination_store(settings))
