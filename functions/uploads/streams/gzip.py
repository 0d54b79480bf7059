"""gzip undone, member after member, with ways back into the middle of a member.

Decoding is raw deflate with header and trailer read here, so that a member that is entered in its middle
is checked to its end like any other: its CRC and its length go on from where they were.
"""

import struct
import zlib
from collections import deque
from dataclasses import dataclass

from functions.uploads.streams import deflate
from functions.uploads.streams.contract import PIECE_BYTES, BrokenFileError, Mark, Ranges
from functions.uploads.streams.sequence import Sequence

MAGIC = b"\x1f\x8b"

INPUT_BYTES = 128 * 1024
KEPT_TEXT_BYTES = 6 * 1024 * 1024
"""Of text that was given: as far back as a mark may be asked for."""

_PLACES_AT_LEAST = 3
_PLACES_SEARCHED = 3
"""Blocks are rarely longer than 64 KB; a file without any that can be found is not looked through."""

_FIXED = struct.Struct("<2sBBIBB")
_TRAILER = struct.Struct("<II")
_MAX_HEADER_BYTES = 128 * 1024
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 2, 4, 8, 16

_CUT_OFF = BrokenFileError("truncated", "The file ends in the middle of its gzip stream.")
_CORRUPT = BrokenFileError("corrupt", "The file's gzip stream is damaged from some place on.")


@dataclass(slots=True)
class _Place:
    """Where decoding stood before a piece of input, so that it can be walked again to find an entry.

    `crc` and `length` are of the member's text so far.
    """

    at: int
    text_at: int
    decompressor: "zlib._Decompress"
    window: bytes
    crc: int
    length: int
    data: bytes


class GzipStream:
    """The Stream of a gzip file."""

    def __init__(self, ranges: Ranges, mark: Mark) -> None:
        self._bytes = Sequence(ranges, mark.at)
        self._text_at = mark.text_at
        self._origins = deque([mark])
        self._places: deque[_Place] = deque()
        self._pending = b""
        self._decompressor: zlib._Decompress | None = None
        self._window = mark.window
        self._crc, self._length = mark.crc, mark.length
        self._fault: BrokenFileError | None = None
        if mark.inside:
            self._decompressor = deflate.decompressor(mark.window)
            self._pending = deflate.entered(self._bytes.read(INPUT_BYTES), mark.bits)

    @property
    def file_at(self) -> int:
        return self._bytes.at - len(self._pending)

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

    def mark(self, text_at: int) -> Mark:
        origin = next(each for each in reversed(self._origins) if each.text_at <= text_at)
        if text_at - origin.text_at < PIECE_BYTES:
            return origin
        places = [place for place in self._places if place.text_at <= text_at]
        for place in places[: -1 - _PLACES_SEARCHED : -1]:
            if found := self._entry(place, text_at):
                return found if found.text_at > origin.text_at else origin
        return origin

    def _entry(self, place: _Place, text_at: int) -> Mark | None:
        found = deflate.find(
            place.decompressor,
            place.window,
            place.data + self._following(place),
            len(place.data),
            text_at - place.text_at,
        )
        if found is None:
            return None
        return Mark(
            at=place.at + found.at,
            text_at=place.text_at + len(found.text),
            inside=True,
            bits=found.bits,
            window=(place.window + found.text)[-deflate.WINDOW_BYTES :],
            crc=zlib.crc32(found.text, place.crc),
            length=place.length + len(found.text),
        )

    def _following(self, place: _Place) -> bytes:
        """The piece of input that came right after that of `place`, if it is kept too."""
        end = place.at + len(place.data)
        return next((each.data for each in self._places if each.at == end), b"")

    def _begin_member(self) -> bool:
        """Read a header; False at the end of the file, and of what is gzip in it."""
        begins_at = self.file_at
        size_bytes = self._header_bytes()
        if size_bytes is None:
            return False
        self._pending = self._pending[size_bytes:]
        self._decompressor = deflate.decompressor(b"")
        self._window, self._crc, self._length = b"", 0, 0
        self._origins.append(Mark(begins_at, self._text_at))
        while len(self._origins) > 1 and self._origins[1].text_at <= self._text_at - KEPT_TEXT_BYTES:
            self._origins.popleft()
        return True

    def _header_bytes(self) -> int | None:
        while (size_bytes := _header_size(self._pending)) is None:
            more = self._bytes.read(INPUT_BYTES) if len(self._pending) < _MAX_HEADER_BYTES else b""
            if not more:
                self._fault = _CUT_OFF if self._pending.strip(b"\0") else None
                return None
            self._pending += more
        if size_bytes >= 0:
            return size_bytes
        if not self._is_padding():
            self._fault = BrokenFileError("trailing_data", "After its last gzip member the file goes on.")
        return None

    def _is_padding(self) -> bool:
        """Tapes and some tools fill up with zeros."""
        while not self._pending.strip(b"\0"):
            self._pending = self._bytes.read(INPUT_BYTES)
            if not self._pending:
                return True
        return False

    def _decoded(self) -> bytes:
        """Some text, empty when there is none yet, or when the member has ended."""
        assert self._decompressor is not None  # noqa: S101 - a member has begun
        if self._pending:
            return self._given(self._step(self._decompressor))
        self._pending = self._bytes.read(INPUT_BYTES)
        if self._pending:
            self._keep_place(self._decompressor)
            return self._given(self._step(self._decompressor))
        text = self._decompressor.decompress(b"", PIECE_BYTES)
        if not text:
            self._fault = _CUT_OFF
        return self._given(text)

    def _step(self, decompressor: "zlib._Decompress") -> bytes:
        """Decode what is pending; what is good of it, when it is damaged."""
        before = decompressor.copy()
        try:
            text = decompressor.decompress(self._pending, PIECE_BYTES)
        except zlib.error:
            self._fault = _CORRUPT
            return _good_part(before, self._pending)
        if decompressor.eof:
            self._pending = decompressor.unused_data
            self._decompressor = None
            self._end_member(text)
        else:
            self._pending = decompressor.unconsumed_tail
        return text

    def _given(self, text: bytes) -> bytes:
        self._crc = zlib.crc32(text, self._crc)
        self._length += len(text)
        self._text_at += len(text)
        if len(text) < deflate.WINDOW_BYTES:
            self._window = (self._window + text)[-deflate.WINDOW_BYTES :]
        else:
            self._window = text[-deflate.WINDOW_BYTES :]
        return text

    def _end_member(self, last_text: bytes) -> None:
        while len(self._pending) < _TRAILER.size and (more := self._bytes.read(INPUT_BYTES)):
            self._pending += more
        if len(self._pending) < _TRAILER.size:
            self._fault = _CUT_OFF
            return
        told = _TRAILER.unpack_from(self._pending)
        self._pending = self._pending[_TRAILER.size :]
        length = self._length + len(last_text)
        if told != (zlib.crc32(last_text, self._crc), length & 0xFFFFFFFF):
            self._fault = BrokenFileError(
                "checksum", "The text of a gzip member is not what its checksum says."
            )

    def _keep_place(self, decompressor: "zlib._Decompress") -> None:
        """Remember where we are: a piece of input was read that begins here."""
        self._places.append(
            _Place(
                self.file_at,
                self._text_at,
                decompressor.copy(),
                self._window,
                self._crc,
                self._length,
                self._pending,
            )
        )
        oldest = self._text_at - KEPT_TEXT_BYTES
        while len(self._places) > _PLACES_AT_LEAST and self._places[1].text_at < oldest:
            self._places.popleft()


def _good_part(before: "zlib._Decompress", data: bytes) -> bytes:
    """The text of `data` up to the fault, found by halving: an error takes all of a call's text with it."""
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


def _header_size(data: bytes) -> int | None:
    """Bytes of the member's header; None when more has to be read, -1 when it is none."""
    if len(data) >= len(MAGIC) and not data.startswith(MAGIC):
        return -1
    if len(data) < _FIXED.size:
        return None
    _, method, flags, *_ = _FIXED.unpack_from(data)
    if method != zlib.DEFLATED:
        return -1
    at = _FIXED.size
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
