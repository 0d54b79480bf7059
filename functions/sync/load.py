"""The bytes of a batch: fetched by its manifest, sent to ClickHouse unchanged, counted by batch id.

Frames are concatenated and never decoded here; functions.shared.insert_statement has the statement.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from functions.shared.buckets.contract import (
    Bucket,
    BucketUnavailableError,
    ExpectedObject,
    ObjectChangedError,
)
from functions.shared.buckets.object_reader import ObjectReader
from functions.shared.errors import PermanentError
from functions.shared.insert_statement import insert, try_insert
from functions.shared.warehouse import Warehouse, WarehouseRefusedError
from functions.sync.ledger import Batch
from functions.sync.notifications import StagedObject
from functions.sync.plan import is_bulk

FETCHES_AT_ONCE = 16


class ManifestBrokenError(PermanentError):
    """A staged object is not the one that the manifest names."""


class BatchTooLargeError(PermanentError):
    """The objects of a batch exceed the size limit together, by the sizes in their notifications."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The fetched members of a batch: their frames in order, and the keys of missing objects."""

    frames: bytes
    gone: frozenset[str]


class StagingBucket:
    """The staged objects of one bucket; errors of the bucket pass through.

    Only the object with the notified ETag and size is read, not a replacement or a larger object.

    Parameters
    ----------
    max_bytes: limit for all objects that are read for one batch.
    reader: reads most objects of our own bucket with less CPU; the bucket reads the others.
    """

    def __init__(
        self, bucket: Bucket, max_bytes: float = math.inf, reader: ObjectReader | None = None
    ) -> None:
        self._bucket = bucket
        self._max_bytes = max_bytes
        self._reader = reader

    def fetch(self, members: tuple[StagedObject, ...]) -> Fetched:
        """Read `members`, FETCHES_AT_ONCE at a time.

        Raises
        ------
        BatchTooLargeError: nothing was read.
        ManifestBrokenError: one of them has changed.
        """
        self._check_size(members)
        bodies: list[bytes | memoryview | None] = [*self._read_at_once(members)]
        unread = [position for position, body in enumerate(bodies) if body is None]
        if unread:
            with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
                found = pool.map(self._body, [members[position] for position in unread])
                for position, body in zip(unread, found, strict=True):
                    bodies[position] = body
        gone = frozenset(each.key for each, body in zip(members, bodies, strict=True) if body is None)
        return Fetched(b"".join(body for body in bodies if body is not None), gone)

    def bodies(self, members: Sequence[StagedObject]) -> list[bytes]:
        """The frames of each of `members`.

        Raises
        ------
        BatchTooLargeError: nothing was read.
        ManifestBrokenError: one of them is gone or has changed.
        """
        self._check_size(members)
        found = [self._body(each) for each in members]
        if None in found:
            raise ManifestBrokenError("a staged object is gone")
        return [bytes(body) for body in found if body is not None]

    def put(self, key: str, body: bytes) -> StagedObject:
        """Create the object, or accept the existing one: the same key always holds the same bytes."""
        etag = self._bucket.create(key, body)
        if etag is None:
            etag = self._bucket.etag_of(key)
        if etag is None:
            raise BucketUnavailableError("Conflict")
        return StagedObject(key, etag, len(body))

    def delete(self, members: Sequence[StagedObject]) -> None:
        """Delete `members`; missing objects are not an error."""
        self._bucket.delete([each.key for each in members])

    def _check_size(self, members: Sequence[StagedObject]) -> None:
        if sum(max(each.size_bytes, 0) for each in members) > self._max_bytes:
            raise BatchTooLargeError("the batch is too large")

    def _read_at_once(self, members: Sequence[StagedObject]) -> Sequence[bytes | None]:
        """The bodies that the reader has read; None for the others."""
        if self._reader is None:
            return [None] * len(members)
        return self._reader.read([(each.key, ExpectedObject(each.etag, each.size_bytes)) for each in members])

    def _body(self, member: StagedObject) -> bytes | memoryview | None:
        try:
            found = self._bucket.get(member.key, ExpectedObject(member.etag, member.size_bytes))
        except ObjectChangedError:
            raise ManifestBrokenError("a staged object is not the one its manifest names") from None
        return None if found is None else found.body


class EventsTable:
    """The events table of one warehouse.

    `with_identity`: it has the columns of functions.shared.events.staged_key.IDENTITY.
    """

    def __init__(self, warehouse: Warehouse, *, with_identity: bool = True) -> None:
        self._warehouse = warehouse
        self._with_identity = with_identity

    def insert(self, batch: Batch, frames: bytes) -> None:
        """Insert the batch's rows; on return they are committed. Raises the errors of the warehouse."""
        insert(
            self._warehouse,
            frames,
            batch.batch_id,
            batch.manifest.expires_on.isoformat(),
            bulk=is_bulk(batch.manifest.destination, batch.members),
            with_identity=self._with_identity,
        )

    def accepts(self, frames: bytes) -> bool:
        """Whether ClickHouse accepts these rows; none of them is stored."""
        try:
            try_insert(self._warehouse, frames, with_identity=self._with_identity)
        except WarehouseRefusedError:
            return False
        return True

    def erase(self, batch: Batch) -> None:
        """Delete all rows of the batch; on return they are gone."""
        self._warehouse.command(
            "ALTER TABLE events DELETE WHERE expires_on = {expires_on:Date} AND batch_id = {batch_id:String}",
            {"expires_on": batch.manifest.expires_on.isoformat(), "batch_id": batch.batch_id},
            {"mutations_sync": 2},
        )

    def count(self, batch: Batch) -> int:
        """The number of the batch's rows in ClickHouse."""
        found = self._warehouse.select(
            "SELECT count() AS rows FROM events "
            "WHERE expires_on = {expires_on:Date} AND batch_id = {batch_id:String}",
            {"expires_on": batch.manifest.expires_on.isoformat(), "batch_id": batch.batch_id},
        )
        return found.whole("rows")

    def swallowed(self, batch: Batch) -> bool:
        """Whether an insert was lost: the engine has its deduplication token and none of its rows.

        MergeTree stores the token before the rows: a crash in between loses only the rows.
        ReplicatedMergeTree stores both in one write; a lagging replica may not show the rows yet.
        """
        return self.count(batch) == 0 and self._engine() == "MergeTree"

    def _engine(self) -> str:
        found = self._warehouse.select(
            "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = 'events'"
        )
        return found.text("engine")
