"""Find the files whose rows are still being loaded into ClickHouse.

Sync deletes a staged object once its rows are stored. So a file that was read is `loading` while one of its
objects is staged. That is looked up when the customer asks for the status, by one listing for all files of
the response, and recorded once no object is left. No function polls.
"""

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Protocol

from functions.shared import journal
from functions.shared.buckets.contract import ListedObject
from functions.shared.egress.response_limits import bounded
from functions.shared.errors import AstralogError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, staged_prefix
from functions.uploads.files import File
from functions.uploads.register import UploadRegister

LISTED_KEYS = 1000
"""One page of S3. A tenant has as many staged objects only during an outage of its ClickHouse."""

LISTING_SECONDS = 2.0
"""How long a customer's bucket may take to list them."""

FAILED_SECONDS = 30.0
"""How long a bucket that could not be listed is not asked again: its responses occupy this function."""

_TENANTS = 1000

_LAST = "~"
"""Sorts after every character of a key."""


class Listing(Protocol):
    """A bucket whose keys can be listed. Errors are those of functions.shared.buckets.contract.Bucket."""

    def under(self, prefix: str, after: str, /) -> Iterator[ListedObject]:
        """The objects whose keys begin with `prefix`, in the order of keys; only keys after `after`."""
        ...


class LoadingFiles:
    """Looks up which files are loading; one instance for each environment."""

    def __init__(self, register: UploadRegister, clock: Callable[[], float] = time.monotonic) -> None:
        self._register = register
        self._clock = clock
        self._failed_at: dict[TenantId, float] = {}

    def among(
        self, tenant: TenantId, files: Iterable[File | None], staging: Callable[[], Listing]
    ) -> frozenset[str]:
        """The digests of those of the tenant's `files` that are loading, or whose state cannot be determined.

        `staging`: the bucket with the tenant's staged objects.
        """
        unknown = [each for each in files if each and each.may_be_loading]
        if not unknown:
            return frozenset()
        loading = self._staged(tenant, unknown, staging)
        for file in unknown:
            if file.digest not in loading:
                # What is not recorded is looked up again.
                with suppress(StoreUnavailableError):
                    self._register.amend(file, replace(file, loaded=1))
        return loading

    def _staged(
        self, tenant: TenantId, files: Sequence[File], staging: Callable[[], Listing]
    ) -> frozenset[str]:
        """Those of `files` that have, or may have, staged objects."""
        everything = frozenset(each.digest for each in files)
        if self._clock() - self._failed_at.get(tenant, -math.inf) < FAILED_SECONDS:
            return everything
        first = min(each.parts_prefix for each in files)
        try:
            with bounded(math.inf, LISTING_SECONDS):
                listing = staging().under(staged_prefix(tenant), first)
                keys = [each.key for each in islice(listing, LISTED_KEYS)]
        except AstralogError as fault:
            journal.write("loading_unknown", tenant_id=tenant, error_type=type(fault).__name__)
            self._note_failed(tenant)
            return everything
        listed_to = keys[-1] if len(keys) == LISTED_KEYS else _LAST
        return frozenset(each.digest for each in files if _may_be_staged(each.parts_prefix, keys, listed_to))

    def _note_failed(self, tenant: TenantId) -> None:
        if len(self._failed_at) >= _TENANTS:
            self._failed_at.clear()
        self._failed_at[tenant] = self._clock()


def _may_be_staged(prefix: str, keys: Sequence[str], listed_to: str) -> bool:
    """Whether one of the sorted `keys` has the prefix, or the listing ended before all that may have it."""
    at = bisect_left(keys, prefix)
    return prefix + _LAST > listed_to or (at < len(keys) and keys[at].startswith(prefix))
