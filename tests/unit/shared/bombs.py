"""What a customer can put where we read it: kilobytes that become gigabytes. Targets of tests.measured."""

import io
import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from backports import zstd
from obstore.store import MemoryStore

from functions.shared.buckets.platform import PlatformBucket
from functions.shared.errors import AstralogError
from functions.shared.frames import decoded
from functions.shared.quarantine import MAX_ROWS, QuarantineHeader, header_of, unpack
from functions.shared.tenancy import TenantId

MEBIBYTE = 1024 * 1024
ACME = TenantId("acme")


def packed(first: bytes, piece: bytes, times: int) -> bytes:
    """One frame of `first`, a line break, and `piece` so many times."""
    body, step = io.BytesIO(), zstd.ZstdCompressor(1)
    body.write(step.compress(first + b"\n"))
    for _ in range(times):
        body.write(step.compress(piece))
    body.write(step.flush())
    return body.getvalue()


def header(rows: int = 1) -> bytes:
    made = QuarantineHeader("r", 27, "s", "b", [0], rows, date(2030, 1, 1), datetime(2026, 1, 1, tzinfo=UTC))
    return msgspec.json.encode(made)


def long_header(numbers: int) -> bytes:
    """A document whose header has so many positions."""
    fields = json.loads(header())
    fields["positions"] = []
    text = json.dumps(fields).encode().replace(b"[]", b"[" + b"300," * numbers + b"1]")
    return zstd.compress(text + b"\n{}\n", 1)


DOCUMENTS = {
    "bytes": lambda: packed(header(), bytes(MEBIBYTE), 1000),
    "rows": lambda: packed(header(), b"xy\n" * (MEBIBYTE // 3), 120),
    "rows below the bound": lambda: packed(header(), b"xyz\n" * (MAX_ROWS // 100), 100),
    "positions": lambda: long_header(30 * MEBIBYTE),
    "frames": lambda: zstd.compress(b"") * 100_000,
    "large window": lambda: _of_window(27),
}


def _of_window(log: int) -> bytes:
    step = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: log})
    return step.compress(header() + b"\n" + bytes(MEBIBYTE)) + step.flush()


def read_document(body: str) -> list[Any]:
    """What becomes of a document, as hexadecimal text: of it as a whole, and of its header."""
    document = bytes.fromhex(body)
    return [_outcome(lambda: len(unpack(document)[1])), _outcome(lambda: header_of(document).rows)]


def read_checkpoint(body: str) -> Any:
    """The same for how far the reading of a file was."""
    from functions.uploads.checkpoints import Checkpoints

    bucket = PlatformBucket(MemoryStore())
    bucket.create("k", bytes.fromhex(body))
    return _outcome(lambda: Checkpoints(bucket, ACME, "d").get("k").kind)


def sift(body: str, rows: int) -> Any:
    """The same for a staged object that ClickHouse refuses, whose key says that it holds `rows`."""
    from functions.sync.row_quarantine import MEMORY_BUDGET_BYTES, MemoryBudget

    room = MemoryBudget(MEMORY_BUDGET_BYTES)
    document = bytes.fromhex(body)

    def lines() -> int:
        with room.rows(document, rows) as found:
            return len(found)

    return _outcome(lines)


def undo_frames(body: str, max_bytes: int) -> Any:
    return _outcome(lambda: len(decoded(bytes.fromhex(body), max_bytes)))


def _outcome(call: Any) -> Any:
    try:
        return call()
    except (AstralogError, zstd.ZstdError) as fault:
        return type(fault).__name__
