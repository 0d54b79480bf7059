"""Decompress zstd, frame after frame; a resume point is the beginning of a frame.

There is none within a frame: a decoder's tables and last distances are not accessible. The text between the
frame's beginning and the place is decoded again, at about a gigabyte a second, and discarded (docs/adr/0021).
"""

from backports import zstd

from functions.uploads.streams.contract import (
    PIECE_BYTES,
    BrokenFileError,
    Members,
    Ranges,
    ResumePoint,
    ResumePoints,
)
from functions.uploads.streams.sequence import Sequence

MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = tuple(bytes((0x50 | number,)) + b"\x2a\x4d\x18" for number in range(16))

INPUT_BYTES = 16 * 1024
"""Small, because an error discards the text of the same piece before it."""

KEPT_TEXT_BYTES = 6 * 1024 * 1024
MAX_WINDOW_LOG = 27
"""128 MB, the most that `zstd --ultra --long` needs unless its reader gets another limit."""

_CORRUPT = BrokenFileError("corrupt", "The zstd stream is damaged. The text after the damage cannot be read.")
_TOO_WIDE = BrokenFileError(
    "unsupported_format",
    "The zstd window is larger than 128 MB. Compress the file without `--long`, or with `--long=27`.",
)
_CUT_OFF = BrokenFileError("truncated", "The file ends in the middle of a zstd frame.")


class ZstdStream:
    """The Stream of a zstd file."""

    def __init__(self, ranges: Ranges, mark: ResumePoint) -> None:
        self._bytes = Sequence(ranges, mark.at)
        self._text_at = mark.text_at
        self._marks = ResumePoints(mark, KEPT_TEXT_BYTES)
        self._members = Members(mark.debt)
        self._pending = b""
        self._decompressor: zstd.ZstdDecompressor | None = None
        self._fault: BrokenFileError | None = None

    @property
    def file_at(self) -> int:
        return self._bytes.at - len(self._pending)

    def read(self) -> bytes:
        while not self._fault:
            if self._decompressor is None and not self._begin_frame():
                break
            text = self._decoded()
            if text:
                self._text_at += len(text)
                self._members.add_text(len(text))
                return text
        if self._fault:
            raise self._fault
        return b""

    def mark(self, text_at: int) -> ResumePoint:
        return self._marks.before(text_at)

    def _begin_frame(self) -> bool:
        self._pending = self._pending or self._bytes.read(INPUT_BYTES)
        if not self._pending:
            return False
        if self._marks.wants(self._text_at):
            self._marks.add(ResumePoint(self.file_at, self._text_at, debt=self._members.debt))
        self._fault = self._members.begin()
        if self._fault:
            return False
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG}
        self._decompressor = zstd.ZstdDecompressor(options=options)
        return True

    def _decoded(self) -> bytes:
        """Some text, empty when there is none yet, or when the frame has ended."""
        assert self._decompressor is not None  # noqa: S101 - a frame has begun
        if self._decompressor.needs_input and not self._pending:
            self._pending = self._bytes.read(INPUT_BYTES)
            if not self._pending:
                self._fault = _CUT_OFF
                return b""
        try:
            text = self._decompressor.decompress(self._pending, PIECE_BYTES)
        except zstd.ZstdError as fault:
            # Matched by zstd's message: the library does not expose zstd's error code.
            self._fault = _TOO_WIDE if "too much memory" in str(fault) else _CORRUPT
            return b""
        self._pending = b""
        if self._decompressor.eof:
            self._pending = self._decompressor.unused_data
            self._decompressor = None
        return text
