"""Decompress gzip, member after member."""

from functions.shared.inflate import WBITS, InflateError, Inflater, inflater
from functions.uploads.streams.contract import PIECE_BYTES, BrokenFileError, Ranges, ResumePoint
from functions.uploads.streams.members import MemberStream

MAGIC = b"\x1f\x8b"

_GZIP_FORMAT = 16 + WBITS
_FALSE_CHECKSUMS = ("incorrect data check", "incorrect length check")

_CUT_OFF = BrokenFileError("truncated", "The file ends in the middle of its gzip stream.")
_CORRUPT = BrokenFileError("corrupt", "The gzip stream is damaged. The text after the damage cannot be read.")
_CHECKSUM = BrokenFileError("checksum", "The checksum of a gzip member does not match its text.")
_TRAILING = BrokenFileError("trailing_data", "The file has other data after its last gzip member.")


class _GzipMember:
    """zlib-ng's decompressor of one member, including header and checksum."""

    def __init__(self) -> None:
        self.zlib = inflater(_GZIP_FORMAT)

    @property
    def needs_input(self) -> bool:
        return not self.zlib.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self.zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self.zlib.unused_data


class GzipStream(MemberStream[_GzipMember]):
    """The Stream of a gzip file."""

    def __init__(self, ranges: Ranges, mark: ResumePoint) -> None:
        super().__init__(ranges, mark, _CUT_OFF)

    def opened(self) -> _GzipMember | None:
        if len(self.pending) < len(MAGIC):
            self.more()
        if MAGIC.startswith(self.pending[: len(MAGIC)]):
            return _GzipMember()
        if not self._is_padding():
            self.fault = _TRAILING
        return None

    def decompressed(self, member: _GzipMember, data: bytes) -> bytes:
        """As required; the text before damage is returned to the byte."""
        data = member.zlib.unconsumed_tail + data
        before = member.zlib.copy()
        try:
            return member.zlib.decompress(data, PIECE_BYTES)
        except InflateError as fault:
            # Matched by zlib-ng's message: all its errors have one type.
            is_checksum = any(each in str(fault) for each in _FALSE_CHECKSUMS)
            self.fault = _CHECKSUM if is_checksum else _CORRUPT
            return _good_part(before, data)

    def _is_padding(self) -> bool:
        """Whether the rest is zeros: tapes and some tools pad files with them."""
        while not self.pending.strip(b"\0"):
            self.pending = b""
            if not self.more():
                return True
        return False


def _good_part(before: Inflater, data: bytes) -> bytes:
    """The text of `data` up to the fault, found by halving: an error discards all text of a call."""
    good: list[bytes] = []
    width = len(data) // 2
    while width and data:
        trial = before.copy()
        try:
            good.append(trial.decompress(data[:width]))
        except InflateError:
            width //= 2
            continue
        before, data = trial, data[width:]
        width = max(1, width // 2)
    return b"".join(good)
