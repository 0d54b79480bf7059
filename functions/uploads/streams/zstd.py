"""Decompress zstd, frame after frame."""

from backports import zstd

from functions.uploads.streams.contract import PIECE_BYTES, BrokenFileError, Ranges, ResumePoint
from functions.uploads.streams.members import MemberStream

MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = tuple(bytes((0x50 | number,)) + b"\x2a\x4d\x18" for number in range(16))

MAX_WINDOW_LOG = 27
"""128 MB, the most that `zstd --ultra --long` needs unless its reader gets another limit."""

_CORRUPT = BrokenFileError("corrupt", "The zstd stream is damaged. The text after the damage cannot be read.")
_TOO_WIDE = BrokenFileError(
    "unsupported_format",
    "The zstd window is larger than 128 MB. Compress the file without `--long`, or with `--long=27`.",
)
_CUT_OFF = BrokenFileError("truncated", "The file ends in the middle of a zstd frame.")


class ZstdStream(MemberStream[zstd.ZstdDecompressor]):
    """The Stream of a zstd file."""

    def __init__(self, ranges: Ranges, mark: ResumePoint) -> None:
        super().__init__(ranges, mark, _CUT_OFF)

    def opened(self) -> zstd.ZstdDecompressor:
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG}
        return zstd.ZstdDecompressor(options=options)

    def decompressed(self, member: zstd.ZstdDecompressor, data: bytes) -> bytes:
        try:
            return member.decompress(data, PIECE_BYTES)
        except zstd.ZstdError as fault:
            # Matched by zstd's message: the library does not expose zstd's error code.
            self.fault = _TOO_WIDE if "too much memory" in str(fault) else _CORRUPT
            return b""
