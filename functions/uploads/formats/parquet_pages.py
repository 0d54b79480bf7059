"""Check the page headers of a Parquet file before pyarrow acts on them.

pyarrow allocates what a header claims, and decompresses pages without values one after the other. So each
byte of a column on its way to pyarrow passes `PageGuard`, which reads the headers in it (Thrift's compact
protocol) and raises before a page is decompressed that is too large, or one too many.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from functions.uploads.streams.contract import NO_PROGRESS, BrokenFileError

MAX_PAGE_BYTES = 128 * 1024 * 1024
MAX_HELD_BYTES = 512 * 1024 * 1024
"""The largest pages of all columns of a row group together, which pyarrow holds at the same time."""

FREE_BYTES_A_BATCH = 64 * 1024 * 1024
BYTES_A_FILE_BYTE = 16
"""The bytes that may be decompressed for one batch: a fixed number, and so many for each byte of the file."""

MAX_HEADER_BYTES = 1024 * 1024
PAGE_BYTES = 64
"""What a page counts in addition to its content."""

_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_KIND, _UNPACKED, _PACKED = 1, 2, 3
_HEADER_OF = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
"""Field numbers of every header, and of the struct of each page kind, which begins with the value count."""

_MAX_DEPTH = 8
_VARINT_BITS = 70
_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE = (1, 2), 3, (4, 5, 6), 7
_BINARY, _LISTS, _STRUCT = 8, (9, 10), 12

CORRUPT = BrokenFileError("corrupt", "A part of the Parquet file is damaged. Its rows cannot be read.")
TOO_MUCH_MEMORY = BrokenFileError(
    "too_much_memory",
    "The Parquet file needs too much memory. Write smaller pages and row groups.",
)
TOO_MUCH_UNPACKED = BrokenFileError(
    NO_PROGRESS, "The Parquet file decompresses to far more data than its rows. The rest was not read."
)


@dataclass(frozen=True, slots=True)
class PageHeader:
    """`kind`: Parquet's number; sizes in bytes; `values` includes nulls; all as the header claims."""

    kind: int
    unpacked_bytes: int
    packed_bytes: int
    values: int


@dataclass(slots=True)
class ColumnChunk:
    """A column of a row group: bytes `start` to `end` of the file, and the number of values that it claims.

    `may_have_dictionary`: it is read in a way that does not copy an entry for each row.
    """

    start: int
    end: int
    values: int
    may_have_dictionary: bool
    seen_to: int = field(init=False)
    next_header: int = field(init=False)
    begun_header: bytes = b""
    values_seen: int = 0
    held_bytes: int = 0

    def __post_init__(self) -> None:
        self.seen_to = self.next_header = self.start


class PageGuard:
    """Checks the columns of one row group.

    `work_bytes`: decompressed so far, with PAGE_BYTES for each page.

    Raises
    ------
    BrokenFileError: columns overlap, so that the same bytes would be read again and again.
    """

    def __init__(self, chunks: Sequence[ColumnChunk], file_bytes: int) -> None:
        self._chunks = sorted(chunks, key=lambda each: each.start)
        self._starts = [each.start for each in self._chunks]
        if any(each.start < 0 or not each.start <= each.end <= file_bytes for each in self._chunks):
            raise CORRUPT
        if any(each.end > start for each, start in zip(self._chunks, self._starts[1:], strict=False)):
            raise CORRUPT
        self._free_bytes = FREE_BYTES_A_BATCH + BYTES_A_FILE_BYTE * file_bytes
        self._batch_began = 0
        self._held_bytes = 0
        self.work_bytes = 0

    def begin_batch(self) -> None:
        self._batch_began = self.work_bytes

    def see(self, at: int, data: bytes) -> None:
        """Check the headers in `data`, which is at byte `at` of the file, before pyarrow gets it.

        Raises
        ------
        BrokenFileError: a header is invalid, or claims too much.
        """
        number = bisect_right(self._starts, at) - 1
        chunk = self._chunks[number] if number >= 0 else None
        if chunk is None or at >= chunk.end or at > chunk.seen_to:
            raise CORRUPT
        fresh = data[chunk.seen_to - at : chunk.end - at]
        if not fresh:
            return
        began = chunk.seen_to - len(chunk.begun_header)
        chunk.seen_to += len(fresh)
        self._walk(chunk, began, chunk.begun_header + fresh)

    def _walk(self, chunk: ColumnChunk, began: int, data: bytes) -> None:
        """Check all headers of `data`, which begins at byte `began` of the file."""
        chunk.begun_header = b""
        while chunk.next_header < chunk.seen_to and chunk.values_seen < chunk.values:
            read = page_header(data, chunk.next_header - began)
            if read is None:
                chunk.begun_header = data[chunk.next_header - began :]
                if len(chunk.begun_header) > MAX_HEADER_BYTES:
                    raise CORRUPT
                return
            header, end = read
            self._allow(chunk, header)
            chunk.next_header = began + end + header.packed_bytes

    def _allow(self, chunk: ColumnChunk, header: PageHeader) -> None:
        if min(header.unpacked_bytes, header.packed_bytes, header.values) < 0:
            raise CORRUPT
        held_bytes = header.unpacked_bytes + header.packed_bytes
        if header.kind == _DICTIONARY:
            if not chunk.may_have_dictionary or header.values > header.unpacked_bytes:
                raise CORRUPT
            # In addition to the page, pyarrow holds its entries and their offsets.
            self._held_bytes += 2 * header.unpacked_bytes + 16 * header.values
        elif header.kind in (_DATA, _DATA_V2):
            chunk.values_seen += header.values
            self._held_bytes += max(0, held_bytes - chunk.held_bytes)
            chunk.held_bytes = max(chunk.held_bytes, held_bytes)
        self.work_bytes += PAGE_BYTES + header.unpacked_bytes
        if held_bytes > MAX_PAGE_BYTES or self._held_bytes > MAX_HELD_BYTES:
            raise TOO_MUCH_MEMORY
        if self.work_bytes - self._batch_began > self._free_bytes:
            raise TOO_MUCH_UNPACKED


def page_header(data: bytes, start: int) -> tuple[PageHeader, int] | None:
    """The header that begins at `start` and where it ends; None when it does not end in `data`.

    Raises
    ------
    BrokenFileError: it is no header.
    """
    reader = _Reader(data, start)
    try:
        header = _page_header(reader)
    except IndexError:
        return None
    return header, reader.at


def _page_header(reader: "_Reader") -> PageHeader:
    numbers = dict.fromkeys((_KIND, _UNPACKED, _PACKED), -1)
    values = dict.fromkeys(_HEADER_OF.values(), 0)
    number = 0
    while True:
        number, kind = reader.field(number)
        if kind == 0:
            of_kind = values.get(_HEADER_OF.get(numbers[_KIND], 0), 0)
            return PageHeader(numbers[_KIND], numbers[_UNPACKED], numbers[_PACKED], of_kind)
        if number in numbers and kind in _INTEGERS:
            numbers[number] = reader.integer()
        elif number in values and kind == _STRUCT:
            values[number] = reader.first_number()
        else:
            reader.skip(kind, 0)


class _Reader:
    """Reads Thrift's compact protocol; raises IndexError at the end of the data."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def field(self, before: int) -> tuple[int, int]:
        """The number and type of the next field; type 0 is the end of the struct."""
        byte = self._byte()
        if byte & 15 == 0:
            return before, 0
        return (before + (byte >> 4) if byte >> 4 else self.integer()), byte & 15

    def integer(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)

    def first_number(self) -> int:
        """The number in the first field of a struct, which is read to its end."""
        first = number = 0
        while True:
            number, kind = self.field(number)
            if kind == 0:
                return first
            if number == 1 and kind in _INTEGERS:
                first = self.integer()
            else:
                self.skip(kind, 1)

    def skip(self, kind: int, depth: int) -> None:
        """Skip a value of that type.

        Raises
        ------
        BrokenFileError: there is no such type, or it is nested too deeply.
        """
        if depth > _MAX_DEPTH:
            raise CORRUPT
        if kind in _INTEGERS:
            self._varint()
        elif kind == _BINARY:
            self._pass(self._varint())
        elif kind == _STRUCT:
            number = 0
            while (field := self.field(number))[1]:
                number = field[0]
                self.skip(field[1], depth + 1)
        elif kind in (_BYTE, _DOUBLE):
            self._pass(1 if kind == _BYTE else 8)
        elif kind in _LISTS:
            self._skip_list(depth)
        elif kind not in _BOOLEANS:
            # Page headers contain no maps.
            raise CORRUPT

    def _skip_list(self, depth: int) -> None:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > MAX_HEADER_BYTES:
            raise CORRUPT
        for _ in range(count):
            if head & 15 in _BOOLEANS:
                self._pass(1)
            else:
                self.skip(head & 15, depth + 1)

    def _byte(self) -> int:
        byte = self._data[self.at]
        self.at += 1
        return byte

    def _pass(self, size_bytes: int) -> None:
        if size_bytes > MAX_HEADER_BYTES:
            raise CORRUPT
        self.at += size_bytes
        if self.at > len(self._data):
            raise IndexError

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7
            if shift >= _VARINT_BITS:
                raise CORRUPT
