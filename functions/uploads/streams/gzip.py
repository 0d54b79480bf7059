"""Decompress gzip, member after member, with resume points in the middle of a member.

Members are decoded as raw deflate, and header and trailer are read here. So a member resumed in its middle is
checked to its end like any other: its CRC and length continue from their stored values.
"""

import struct
import zlib
from collections import deque
from dataclasses import dataclass

from functions.uploads.streams import deflate
from functions.uploads.streams.contract import (
    PIECE_BYTES,
    BrokenFileError,
    Members,
    Ranges,
    ResumePoint,
    ResumePoints,
)
from functions.uploads.streams.sequence import Sequence

MAGIC = b"\x1f\x8b"

INPUT_BYTES = 128 * 1024
KEPT_TEXT_BYTES = 6 * 1024 * 1024
"""How much returned text is kept: as far back as a mark may be requested."""

_PLACES_AT_LEAST = 3
_MAX_PLACES = 64
"""Places of 200 kB each. KEPT_TEXT_BYTES of incompressible text need 48; input without text has no end."""

_PLACES_SEARCHED = 3
"""Blocks are rarely longer than 64 KB; a file without findable blocks is not searched to its end."""

_FIXED = struct.Struct("<2sBBIBB")
_TRAILER = struct.Struct("<II")
_MAX_HEADER_BYTES = 128 * 1024
_FIRST_STEP_BYTES = 2 * 1024
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 2, 4, 8, 16

_CUT_OFF = BrokenFileError("truncated", "The file ends in the middle of its gzip stream.")
_CORRUPT = BrokenFileError("corrupt", "The gzip stream is damaged. The text after the damage cannot be read.")


@dataclass(slots=True)
class _GzipPlace:
    """The state of decoding before a piece of input, so that it can be decoded again to find an entry.

    `crc` and `length` are of the member's text so far.
    """

    at: int
    text_at: int
    decompressor: "zlib._Decompress"
    window: bytes
    crc: int
    length: int
    debt: int
    data: bytes


class GzipStream:
    """The Stream of a gzip file."""

    def __init__(self, ranges: Ranges, mark: ResumePoint) -> None:
        self._bytes = Sequence(ranges, mark.at)
        self._text_at = mark.text_at
        self._marks = ResumePoints(mark, KEPT_TEXT_BYTES)
        self._members = Members(mark.debt)
        self._places: deque[_GzipPlace] = deque(maxlen=_MAX_PLACES)
        self._data = b""
        self._used = 0
        self._step_bytes = INPUT_BYTES
        self._decompressor: zlib._Decompress | None = None
        self._is_new = False
        self._window = mark.window
        self._crc, self._length = mark.crc, mark.length
        self._fault: BrokenFileError | None = None
        if mark.inside:
            self._decompressor = deflate.decompressor(mark.window)
            self._data = deflate.entered(self._bytes.read(INPUT_BYTES), mark.bits)

    @property
    def file_at(self) -> int:
        return self._bytes.at - (len(self._data) - self._used)

    def read(self) -> bytes:
        while not self._fault:
            if self._decompressor is None and not self._begin_member():
                break
            text = self._decoded()
            if text:
                return text
        if self._fault:
            raise self._fault
        return b""

    def mark(self, text_at: int) -> ResumePoint:
        origin = self._marks.before(text_at)
        if text_at - origin.text_at < PIECE_BYTES:
            return origin
        places = [place for place in self._places if place.text_at <= text_at]
        for place in places[: -1 - _PLACES_SEARCHED : -1]:
            if found := self._entry(place, text_at):
                return found if found.text_at > origin.text_at else origin
        return origin

    def _entry(self, place: _GzipPlace, text_at: int) -> ResumePoint | None:
        found = deflate.find(
            place.decompressor,
            place.window,
            place.data + self._following(place),
            len(place.data),
            text_at - place.text_at,
        )
        if found is None:
            return None
        return ResumePoint(
            at=place.at + found.at,
            text_at=place.text_at + len(found.text),
            inside=True,
            bits=found.bits,
            window=(place.window + found.text)[-deflate.WINDOW_BYTES :],
            crc=zlib.crc32(found.text, place.crc),
            length=place.length + len(found.text),
            debt=max(0, place.debt - len(found.text)),
        )

    def _following(self, place: _GzipPlace) -> bytes:
        """The piece of input right after that of `place`, if it is kept too."""
        end = place.at + len(place.data)
        return next((each.data for each in self._places if each.at == end), b"")

    def _begin_member(self) -> bool:
        """Read a header; False at the end of the file, and of the gzip data in it."""
        begins_at, debt = self.file_at, self._members.debt
        end = self._header_end()
        if end is None:
            return False
        if self._marks.wants(self._text_at):
            self._marks.add(ResumePoint(begins_at, self._text_at, debt=debt))
        self._fault = self._members.begin()
        if self._fault:
            return False
        self._used = end
        self._decompressor, self._is_new = deflate.decompressor(b""), True
        self._step_bytes = _FIRST_STEP_BYTES
        self._window, self._crc, self._length = b"", 0, 0
        return True

    def _header_end(self) -> int | None:
        """Where the member's header ends in the read data; None when there is none."""
        while (end := _header_end(self._data, self._used)) is None:
            held = len(self._data) - self._used
            if held >= _MAX_HEADER_BYTES or not self._read_more():
                self._fault = _CUT_OFF if self._data[self._used :].strip(b"\0") else None
                return None
        if end >= 0:
            return end
        if not self._is_padding():
            self._fault = BrokenFileError(
                "trailing_data", "The file has other data after its last gzip member."
            )
        return None

    def _read_more(self) -> bool:
        """Read another piece after the unused data; False at the end of the file."""
        more = self._bytes.read(INPUT_BYTES)
        self._data, self._used = self._data[self._used :] + more, 0
        return bool(more)

    def _is_padding(self) -> bool:
        """Whether the rest is zeros: tapes and some tools pad files with them."""
        while not self._data[self._used :].strip(b"\0"):
            self._data, self._used = self._bytes.read(INPUT_BYTES), 0
            if not self._data:
                return True
        return False

    def _decoded(self) -> bytes:
        """Some text, empty when there is none yet, or when the member has ended."""
        assert self._decompressor is not None  # noqa: S101 - a member has begun
        if self._used < len(self._data):
            return self._given(self._step(self._decompressor))
        self._data, self._used = self._bytes.read(INPUT_BYTES), 0
        if self._data:
            self._keep_place(self._decompressor)
            return self._given(self._step(self._decompressor))
        text = self._decompressor.decompress(b"", PIECE_BYTES)
        if not text:
            self._fault = _CUT_OFF
        return self._given(text)

    def _step(self, decompressor: "zlib._Decompress") -> bytes:
        """Decode some of the read data; when it is damaged, return the good part.

        The first step is small: zlib copies the data after a member, and another member may follow right
        away.
        """
        before = deflate.decompressor(b"") if self._is_new else decompressor.copy()
        self._is_new = False
        piece = self._data[self._used : self._used + self._step_bytes]
        self._step_bytes = min(INPUT_BYTES, 8 * self._step_bytes)
        try:
            text = decompressor.decompress(piece, PIECE_BYTES)
        except zlib.error:
            self._fault = _CORRUPT
            return _good_part(before, piece)
        if decompressor.eof:
            self._used += len(piece) - len(decompressor.unused_data)
            self._decompressor = None
            self._end_member(text)
        else:
            self._used += len(piece) - len(decompressor.unconsumed_tail)
        return text

    def _given(self, text: bytes) -> bytes:
        self._crc = zlib.crc32(text, self._crc)
        self._length += len(text)
        self._text_at += len(text)
        self._members.add_text(len(text))
        if len(text) < deflate.WINDOW_BYTES:
            self._window = (self._window + text)[-deflate.WINDOW_BYTES :]
        else:
            self._window = text[-deflate.WINDOW_BYTES :]
        return text

    def _end_member(self, last_text: bytes) -> None:
        while len(self._data) - self._used < _TRAILER.size:
            if not self._read_more():
                self._fault = _CUT_OFF
                return
        expected = _TRAILER.unpack_from(self._data, self._used)
        self._used += _TRAILER.size
        length = self._length + len(last_text)
        if expected != (zlib.crc32(last_text, self._crc), length & 0xFFFFFFFF):
            self._fault = BrokenFileError(
                "checksum", "The checksum of a gzip member does not match its text."
            )

    def _keep_place(self, decompressor: "zlib._Decompress") -> None:
        """Keep the current state: a piece of input that begins here was read."""
        self._places.append(
            _GzipPlace(
                self.file_at,
                self._text_at,
                decompressor.copy(),
                self._window,
                self._crc,
                self._length,
                self._members.debt,
                self._data,
            )
        )
        oldest = self._text_at - KEPT_TEXT_BYTES
        while len(self._places) > _PLACES_AT_LEAST and self._places[1].text_at < oldest:
            self._places.popleft()


def _good_part(before: "zlib._Decompress", data: bytes) -> bytes:
    """The text of `data` up to the fault, found by halving: an error discards all text of a call."""
    good: list[bytes] = []
    width = len(data) // 2
    while width and data:
        trial = before.copy()
        try:
            good.append(trial.decompress(data[:width]))
        except zlib.error:
            width //= 2
            continue
        before, data = trial, data[width:]
        width = max(1, width // 2)
    return b"".join(good)


def _header_end(data: bytes, start: int) -> int | None:
    """Where the header of the member at `start` ends; None when more must be read, -1 for an invalid one."""
    held = len(data) - start
    if held >= len(MAGIC) and not data.startswith(MAGIC, start):
        return -1
    if held < _FIXED.size:
        return None
    _, method, flags, *_ = _FIXED.unpack_from(data, start)
    if method != zlib.DEFLATED:
        return -1
    at = start + _FIXED.size
    if flags & _FEXTRA:
        if len(data) < at + 2:
            return None
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_FNAME, _FCOMMENT):
        if flags & flag:
            end = data.find(b"\0", at)
            if end < 0:
                return None
            at = end + 1
    at += 2 if flags & _FHCRC else 0
    return at if at <= len(data) else None
