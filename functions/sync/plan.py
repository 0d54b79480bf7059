"""Which objects form a batch: a pure function from notifications to manifests.

A batch has one destination and one expiry day, so that its insert is one block in one partition and succeeds
or fails as a whole. Tenants share batches of the managed destination: their rows carry the tenant, and
thousands of small tenants would otherwise cost an insert each (docs/adr/0005). Tenants with many rows share
other batches, which are loaded afterwards. Each BYOC tenant has its own destination.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from functions.shared.events.staged_key import StagedKey
from functions.shared.tenancy import TenantId
from functions.sync.notifications import StagedObject
from functions.sync.packed_manifest import MAX_MANIFEST_BYTES, packed_bytes

MANAGED = "managed"

MAX_OBJECTS = 1_000
"""Claimed by forty requests, deleted by one. Our own keys take half of MAX_MANIFEST_BYTES; customers' keys
may be longer."""

MAX_BYTES = 8 * 1024 * 1024
"""Compressed; about 100 MB of ordinary rows."""

MAX_RAW_BYTES = 128 * 1024 * 1024
"""The rows of a batch as NDJSON, which ClickHouse holds as one block. Rows of one repeated value shrink to
a thousandth: by their compressed size alone, a batch was a gigabyte, and its insert outlasted its timeout."""

MAX_ROWS = 1_000_000

# The limits of BULK.
BULK_ROWS = 20_000
BULK_BYTES = 10_000_000
"""A tenant with more rows or raw bytes than this in a plan is loaded after the others: a batch of a million
rows takes seconds, for which the few rows of another tenant need not wait. Its rows have a partition of
their own, which decides whether ClickHouse recognizes a repeated insert: docs/adr/0063 before a change."""

MAX_BULK_RAW_BYTES = 64 * 1024 * 1024
"""The rows of a bulk batch: half as much, so that what arrives next waits less for the end of its insert."""

_FORM = "3"
"""The form of a batch's items. Earlier versions cannot read them and have other batch ids (docs/adr/0064)."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of a batch, written before its insert and never changed.

    `after`: the batch that this one replaces, if any.
    """

    destination: str
    expires_on: date
    objects: tuple[StagedObject, ...]
    after: str = ""

    @property
    def batch_id(self) -> str:
        """Identifies the members, not their content: 32 hexadecimal characters."""
        members = "\n".join(f"{each.key} {each.etag}" for each in self.objects)
        named = f"{_FORM}|{self.destination}|{self.expires_on}|{self.after}|{members}"
        return sha256(named.encode()).hexdigest()[:32]

    def without(self, keys: frozenset[str]) -> "Manifest":
        """This manifest without the objects of `keys`."""
        return replace(self, objects=tuple(each for each in self.objects if each.key not in keys))


def function_of(destination: str) -> str:
    """The function that loads batches into `destination`, as metrics name it."""
    return "sync" if destination == MANAGED else "sync-byoc"


def rows_of(objects: Iterable[StagedObject]) -> int:
    """The number of rows in all `objects`, from their keys."""
    return sum(StagedKey.parse(each.key).rows for each in objects)


def plan(objects: Iterable[StagedObject], destination: str = MANAGED) -> list[Manifest]:
    """Manifests that contain each of `objects` once, none above the limits: in the order of loading.

    Those of tenants with BULK_ROWS and BULK_BYTES at the most come first, then the others; each oldest first.

    The order of `objects`, and duplicates among them, make no difference. All go to `destination`, which is
    part of the batch id: rows loaded into one ClickHouse are not loaded into another.

    Raises
    ------
    PermanentError: a key is not that of a staged object; filter with `is_staged` first.
    """
    found = {each.key: (StagedKey.parse(each.key), each) for each in objects}
    bulk = _tenants_with_bulk(found)
    shared: dict[tuple[bool, date], list[StagedObject]] = defaultdict(list)
    for key, each in found.values():
        shared[key.tenant in bulk, key.expires_on].append(each)
    return [
        Manifest(destination, day, members)
        for is_bulk, day in sorted(shared)
        for members in _cut(
            sorted(shared[is_bulk, day], key=_by_age), MAX_BULK_RAW_BYTES if is_bulk else MAX_RAW_BYTES
        )
    ]


def is_bulk(destination: str, objects: Iterable[StagedObject]) -> bool:
    """Whether the rows of a batch of `objects` are kept apart: a tenant has more than the limits of BULK.

    What is left of a plan's bulk for the last batch may be less, and is not. A customer's own ClickHouse has
    rows of one tenant only.
    """
    return destination == MANAGED and bool(_tenants_with_bulk(each.key for each in objects))


def _tenants_with_bulk(object_keys: Iterable[str]) -> set[TenantId]:
    """The tenants with more than BULK_ROWS or BULK_BYTES in these objects together."""
    rows, raw_bytes = Counter[TenantId](), Counter[TenantId]()
    for key in map(StagedKey.parse, object_keys):
        rows[key.tenant] += key.rows
        raw_bytes[key.tenant] += key.raw_bytes
    return {each for each in rows if rows[each] > BULK_ROWS or raw_bytes[each] > BULK_BYTES}


def _by_age(each: StagedObject) -> tuple[str, str]:
    """Sort by the time-ordered id, across tenants."""
    return StagedKey.parse(each.key).object_id, each.key


def _cut(objects: list[StagedObject], max_raw_bytes: int) -> Iterator[tuple[StagedObject, ...]]:
    members: list[StagedObject] = []
    size_bytes = raw_bytes = rows = manifest_bytes = 0
    for each in objects:
        key, packed = StagedKey.parse(each.key), packed_bytes(each)
        full = (
            len(members) == MAX_OBJECTS
            or size_bytes + each.size_bytes > MAX_BYTES
            or raw_bytes + key.raw_bytes > max_raw_bytes
            or rows + key.rows > MAX_ROWS
            or manifest_bytes + packed > MAX_MANIFEST_BYTES
        )
        if members and full:
            yield tuple(members)
            members, size_bytes, raw_bytes, rows, manifest_bytes = [], 0, 0, 0, 0
        members.append(each)
        size_bytes += each.size_bytes
        raw_bytes += key.raw_bytes
        rows += key.rows
        manifest_bytes += packed
    if members:
        yield tuple(members)
