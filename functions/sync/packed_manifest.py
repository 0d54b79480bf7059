"""The objects of a manifest as compressed bytes, and the limit that keeps them in one DynamoDB item."""

from collections.abc import Sequence

import msgspec
from backports import zstd

from functions.sync.notifications import StagedObject

MAX_MANIFEST_BYTES = 360_000
"""Before compression, which saves nothing if keys are random. DynamoDB accepts 409,600 bytes in an item."""

_OVERHEAD_BYTES = 16
"""MessagePack's, for an object: an array of two texts and a number."""

_rows = msgspec.msgpack.Decoder(list[tuple[str, str, int]])


def packed_bytes(each: StagedObject) -> int:
    """Upper bound of the bytes of an object in a manifest before compression."""
    return len(each.key.encode()) + len(each.etag.encode()) + _OVERHEAD_BYTES


def pack(objects: Sequence[StagedObject]) -> bytes:
    """Encode `objects` in their order: zstd of MessagePack, which escapes nothing."""
    rows = [(each.key, each.etag, each.size_bytes) for each in objects]
    return zstd.compress(msgspec.msgpack.encode(rows), 1)


def unpack(packed: bytes) -> tuple[StagedObject, ...]:
    """Decode the bytes made by `pack`."""
    return tuple(StagedObject(*row) for row in _rows.decode(zstd.decompress(packed)))
