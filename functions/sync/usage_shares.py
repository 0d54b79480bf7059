"""Usage of a batch by tenant and day of receipt: what is metered is what was committed.

Rows and bytes come from the members' keys, which we write and which are exact (docs/adr/0003): no object is
read. In a customer's own bucket the customer can write any key, so those keys are not trusted: the owner of
the bucket pays, whatever tenant a key names; no object counts less than its own size, nor more than one of
our objects could hold.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from functions.shared.batch_usage import UsageShare
from functions.shared.events.staged_key import StagedKey
from functions.shared.tenancy import TenantId, owner_of
from functions.sync.notifications import StagedObject

MAX_TRUSTED_BYTES = 1024**3
"""Per object in a customer's bucket; ingest accepts bodies of 64 MB."""

MAX_TRUSTED_ROWS = 1_000_000


def usage_of(destination: str, objects: Iterable[StagedObject]) -> tuple[UsageShare, ...]:
    """The shares of `objects`, loaded into `destination`, sorted by tenant and day.

    Raises
    ------
    PermanentError: a key is not that of a staged object.
    """
    owner = owner_of(destination)
    sums: dict[tuple[TenantId, date], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for each in objects:
        key = StagedKey.parse(each.key)
        count, raw_bytes = (
            (key.rows, key.raw_bytes) if owner is None else _within_trusted(key, each.size_bytes)
        )
        whose = owner or key.tenant, key.day
        sums[whose] = sums[whose][0] + count, sums[whose][1] + raw_bytes
    return tuple(UsageShare(tenant, day, *sums[tenant, day]) for tenant, day in sorted(sums))


def _within_trusted(key: StagedKey, size_bytes: int) -> tuple[int, int]:
    rows = min(key.rows, MAX_TRUSTED_ROWS)
    return rows, min(max(key.raw_bytes, size_bytes), MAX_TRUSTED_BYTES)
