"""Detect a file's compression by its first bytes, never by its name, and open its Stream."""

from collections.abc import Callable

from functions.uploads.streams import bzip2, gzip, zstd
from functions.uploads.streams.contract import BrokenFileError, Ranges, ResumePoint, Stream
from functions.uploads.streams.plain import PlainStream

FIRST_BYTES = 16

PLAIN = "none"

_STREAMS: dict[str, Callable[[Ranges, ResumePoint], Stream]] = {
    PLAIN: PlainStream,
    "gzip": gzip.GzipStream,
    "zstd": zstd.ZstdStream,
    "bzip2": bzip2.Bzip2Stream,
}

_OTHERS = {
    b"\xfd7zXZ\x00": "an xz file",
    b"PK\x03\x04": "a zip archive",
    b"\x04\x22\x4d\x18": "an lz4 file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\xff\x06\x00\x00sNaPpY": "a framed snappy file",
    b"Obj\x01": "an Avro file",
}


def compression_of(first: bytes) -> str:
    """The compression of a file that begins with `first`: `none`, `gzip`, `zstd` or `bzip2`.

    Raises
    ------
    BrokenFileError: the compression is not supported.
    """
    if first.startswith(gzip.MAGIC):
        return "gzip"
    if first.startswith((zstd.MAGIC, *zstd.SKIPPABLE)):
        return "zstd"
    if first.startswith(bzip2.MAGIC) and first[3:4].isdigit() and first[4:10] in bzip2.FIRST_MARKS:
        return "bzip2"
    for magic, kind in _OTHERS.items():
        if first.startswith(magic):
            raise BrokenFileError(
                "unsupported_format",
                f"This is {kind}, which is not supported. Use plain, gzip, zstd or bzip2.",
            )
    return PLAIN


def stream_of(compression: str, ranges: Ranges, mark: ResumePoint) -> Stream:
    """The text of a file of that compression, from `mark` on."""
    return _STREAMS[compression](ranges, mark)
