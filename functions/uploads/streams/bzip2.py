"""Decompress bzip2, block by block: blocks are independent, so each is a resume point.

Blocks of up to 900 kB begin at any bit with a mark of 48 bits. A block is cut out, gets its own header and
trailer, and is decoded alone. Streams may follow one another, as parallel compressors write them.
"""

import bz2
from collections.abc import Iterator

from functions.uploads.streams.contract import (
    PIECE_BYTES,
    BrokenFileError,
    Members,
    Ranges,
    ResumePoint,
    ResumePoints,
)
from functions.uploads.streams.sequence import Sequence

MAGIC = b"BZh"

INPUT_BYTES = 256 * 1024
KEPT_TEXT_BYTES = 6 * 1024 * 1024
MAX_BLOCK_BYTES = 2 * 1024 * 1024
"""The size of a compressed block; an incompressible one has little more than 900 kB."""

MAX_PIECES_KEPT = 4

_BLOCK, _END = 0x314159265359, 0x177245385090
FIRST_MARKS = tuple(mark.to_bytes(6, "big") for mark in (_BLOCK, _END))
_MARK_BITS, _CRC_BITS = 48, 32
_SEARCHED_AT_FIRST = 1024
_HEAD_BITS = 32
_FALSE_MARKS = 2
"""How many consecutive marks may be data: one in 2**48 bits looks like a mark."""

_CUT_OFF = BrokenFileError("truncated", "The file ends in the middle of its bzip2 stream.")
_CORRUPT = BrokenFileError(
    "corrupt", "The bzip2 stream is damaged. The text after the damage cannot be read."
)


class Bzip2Stream:
    """The Stream of a bzip2 file."""

    def __init__(self, ranges: Ranges, mark: ResumePoint) -> None:
        self._bytes = Sequence(ranges, mark.at)
        self._data = b""
        self._bit = mark.bits
        self._in_stream = mark.inside
        self._combined_crc = mark.crc
        self._text_at = mark.text_at
        self._marks = ResumePoints(mark, KEPT_TEXT_BYTES)
        self._members = Members(mark.debt)
        self._text: Iterator[bytes] = iter(())
        self._fault: BrokenFileError | None = None

    @property
    def file_at(self) -> int:
        return self._bytes.at - len(self._data) + self._bit // 8

    def read(self) -> bytes:
        while not self._fault:
            piece = next(self._text, b"")
            if piece:
                self._text_at += len(piece)
                self._members.add_text(len(piece))
                return piece
            if not self._begin():
                break
        if self._fault:
            raise self._fault
        return b""

    def mark(self, text_at: int) -> ResumePoint:
        return self._marks.before(text_at)

    def _begin(self) -> bool:
        """Begin the next block, or find the end of a stream; False at the end of the file."""
        self._forget_used()
        if not self._in_stream and not self._begin_stream():
            return False
        if not self._has(_MARK_BITS + _CRC_BITS):
            self._fault = _CUT_OFF
            return False
        mark = self._bits(self._bit, _MARK_BITS)
        crc = self._bits(self._bit + _MARK_BITS, _CRC_BITS)
        if mark == _END:
            self._end_stream(crc)
        elif mark == _BLOCK:
            self._begin_block(crc)
        else:
            self._fault = _CORRUPT
        return True

    def _begin_stream(self) -> bool:
        if not self._has(_HEAD_BITS):
            self._fault = _CUT_OFF if self._data[self._bit // 8 :] else None
            return False
        if not self._data.startswith(MAGIC, self._bit // 8):
            self._fault = BrokenFileError(
                "trailing_data", "The file has other data after its last bzip2 stream."
            )
            return False
        self._bit += _HEAD_BITS
        self._in_stream, self._combined_crc = True, 0
        self._fault = self._members.begin()
        return self._fault is None

    def _end_stream(self, crc: int) -> None:
        self._bit = -(-(self._bit + _MARK_BITS + _CRC_BITS) // 8) * 8
        self._in_stream = False
        if crc != self._combined_crc:
            self._fault = BrokenFileError(
                "checksum", "The checksum of a bzip2 stream does not match its text."
            )

    def _begin_block(self, crc: int) -> None:
        if self._marks.wants(self._text_at):
            crc_before, debt = self._combined_crc, self._members.debt
            self._marks.add(
                ResumePoint(self.file_at, self._text_at, True, self._bit % 8, crc=crc_before, debt=debt)
            )
        self._fault = self._members.begin()
        text = None if self._fault else self._block(crc)
        if text is None:
            return
        rotated = (self._combined_crc << 1 | self._combined_crc >> 31) & 0xFFFFFFFF
        self._combined_crc = rotated ^ crc
        self._text = text

    def _block(self, crc: int) -> Iterator[bytes] | None:
        """The text of the block that begins here, if the whole block can be decoded."""
        end = self._bit + _MARK_BITS
        for tried in range(1 + _FALSE_MARKS):
            found = self._next_mark(end)
            if found is None:
                self._fault = _CORRUPT if tried else self._fault
                return None
            end = found
            length = end - self._bit
            cut = (self._bits(self._bit, length) << _MARK_BITS | _END) << _CRC_BITS | crc
            padding = -(length + _MARK_BITS + _CRC_BITS) % 8
            size_bytes = (length + _MARK_BITS + _CRC_BITS + padding) // 8
            block = b"BZh9" + (cut << padding).to_bytes(size_bytes, "big")
            if text := _sound(block):
                self._bit = end
                return text
            end += 1
        self._fault = _CORRUPT
        return None

    def _next_mark(self, start: int) -> int | None:
        """The bit at which the next mark begins; None, and a fault, when there is none within the limit."""
        searched = _SEARCHED_AT_FIRST
        while True:
            # Search little at first, then more: data behind a near mark is not searched.
            end = start // 8 + searched
            found = [
                each for mark in (_BLOCK, _END) if (each := _find(self._data, mark, start, end)) is not None
            ]
            if found:
                return min(found)
            if end < len(self._data):
                searched *= 4
                continue
            if len(self._data) > self._bit // 8 + MAX_BLOCK_BYTES:
                self._fault = _CORRUPT
                return None
            if not self._more():
                self._fault = _CUT_OFF
                return None

    def _has(self, bits: int) -> bool:
        while len(self._data) * 8 < self._bit + bits:
            if not self._more():
                return False
        return True

    def _more(self) -> bool:
        piece = self._bytes.read(INPUT_BYTES)
        self._data += piece
        return bool(piece)

    def _bits(self, start: int, length: int) -> int:
        first, last = start // 8, -(-(start + length) // 8)
        number = int.from_bytes(self._data[first:last], "big")
        return number >> (last * 8 - start - length) & ((1 << length) - 1)

    def _forget_used(self) -> None:
        used = self._bit // 8
        if used < INPUT_BYTES // 4 and used < len(self._data):
            return
        self._data, self._bit = self._data[used:], self._bit % 8


def _find(data: bytes, mark: int, start: int, within: int) -> int | None:
    """The bit at which `mark` begins in `data[:within]`, the first at or after bit `start`."""
    data_bytes = min(len(data), within)
    nearest: int | None = None
    for bits in range(8):
        known = (mark >> bits & 0xFFFFFFFFFF).to_bytes(5, "big")
        """The five bytes that `mark` fills when it ends `bits` bits into the sixth."""
        at = data.find(known, max(0, start // 8 - 1), data_bytes)
        while at >= 0:
            begin = at * 8 + 40 + bits - _MARK_BITS
            end = at + 5 + bool(bits)
            if begin >= start and end <= data_bytes:
                window = int.from_bytes(data[begin // 8 : end], "big") >> (end * 8 - begin - _MARK_BITS)
                if window & ((1 << _MARK_BITS) - 1) == mark:
                    nearest = begin if nearest is None else min(nearest, begin)
                    break
            at = data.find(known, at + 1, data_bytes)
    return nearest


def _sound(block: bytes) -> Iterator[bytes] | None:
    """The text of the block; None if it cannot be decoded to its end or its checksum is wrong.

    The text is decoded once and kept; the rare block that decompresses to very much is decoded twice.
    """
    kept: list[bytes] = []
    is_large = False
    try:
        for piece in _pieces(block):
            is_large = is_large or len(kept) == MAX_PIECES_KEPT
            if not is_large:
                kept.append(piece)
    except (OSError, EOFError):
        return None
    return _pieces(block) if is_large else iter(kept)


def _pieces(stream: bytes) -> Iterator[bytes]:
    decompressor = bz2.BZ2Decompressor()
    data = stream
    while not decompressor.eof:
        piece = decompressor.decompress(data, PIECE_BYTES)
        data = b""
        if not piece and decompressor.needs_input:
            raise EOFError
        yield piece
