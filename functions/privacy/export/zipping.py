"""The ZIP format, written front to back and piece by piece: pure functions, so that a run may end anywhere.

Python's own writer keeps its progress in memory, and starts over after a crash. Here an entry is created by
itself, its place in the archive is a value that can be stored anywhere, and the directory at the end is built
from those. Sizes and offsets beyond four gigabytes, and more than 65,535 entries, use the 64-bit form.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

LIMIT_32 = 0xFFFFFFFF
LIMIT_16 = 0xFFFF

_DEFLATED = 8
_UTF8 = 0x800
_VERSION = 45
_LOCAL, _CENTRAL, _END, _END_64, _LOCATOR_64 = (
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07",
)  # fmt: skip
_PLAIN_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file in an archive: where it begins, its sizes and its CRC-32."""

    name: str
    offset: int
    crc: int
    packed_bytes: int
    size_bytes: int


def packed(name: str, body: bytes, offset: int, at: datetime) -> tuple[bytes, ZipEntry]:
    """The bytes of a file at `offset`, and its entry. `body` is below four gigabytes."""
    deflated = zlib.compressobj(6, zlib.DEFLATED, -15)
    data = deflated.compress(body) + deflated.flush()
    entry = ZipEntry(name, offset, zlib.crc32(body), len(data), len(body))
    encoded = name.encode()
    header = struct.pack(
        "<4s5H3L2H",
        _LOCAL, 20, _UTF8, _DEFLATED, *_dos(at), entry.crc, len(data), len(body), len(encoded), 0,
    )  # fmt: skip
    return header + encoded + data, entry


def directory(entries: Sequence[ZipEntry], offset: int, at: datetime) -> bytes:
    """The end of an archive whose directory begins at `offset`."""
    central = b"".join(_central(each, at) for each in entries)
    end = offset + len(central)
    count = len(entries)
    ending = b""
    if count >= LIMIT_16 or offset >= LIMIT_32 or len(central) >= LIMIT_32:
        ending = struct.pack(
            "<4sQ2H2L4Q", _END_64, 44, _VERSION, _VERSION, 0, 0, count, count, len(central), offset
        ) + struct.pack("<4sLQL", _LOCATOR_64, 0, end, 1)
    return (
        central
        + ending
        + struct.pack(
            "<4s4H2LH",
            _END, 0, 0, min(count, LIMIT_16), min(count, LIMIT_16), min(len(central), LIMIT_32),
            min(offset, LIMIT_32), 0,
        )
    )  # fmt: skip


def _central(entry: ZipEntry, at: datetime) -> bytes:
    encoded = entry.name.encode()
    extra = struct.pack("<2HQ", 1, 8, entry.offset) if entry.offset >= LIMIT_32 else b""
    header = struct.pack(
        "<4s6H3L5H2L",
        _CENTRAL, (3 << 8) | _VERSION, 20 if not extra else _VERSION, _UTF8, _DEFLATED, *_dos(at), entry.crc,
        entry.packed_bytes, entry.size_bytes, len(encoded), len(extra), 0, 0, 0, _PLAIN_FILE,
        min(entry.offset, LIMIT_32),
    )  # fmt: skip
    return header + encoded + extra


def _dos(at: datetime) -> tuple[int, int]:
    """Time and date as MS-DOS has them: in UTC, to two seconds, from 1980 on."""
    at = at.astimezone(UTC)
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    return time, max(at.year - 1980, 0) << 9 | at.month << 5 | at.day
