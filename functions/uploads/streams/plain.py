"""Uncompressed text: every place is a resume point."""

from functions.uploads.streams.contract import PIECE_BYTES, Ranges, ResumePoint
from functions.uploads.streams.sequence import Sequence


class PlainStream:
    """The Stream of an uncompressed file."""

    def __init__(self, ranges: Ranges, mark: ResumePoint) -> None:
        self._bytes = Sequence(ranges, mark.at)

    @property
    def file_at(self) -> int:
        return self._bytes.at

    def read(self) -> bytes:
        return self._bytes.read(PIECE_BYTES)

    def mark(self, text_at: int) -> ResumePoint:
        return ResumePoint(text_at, text_at)
