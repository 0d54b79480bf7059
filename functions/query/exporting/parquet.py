"""Events as Parquet, row group by row group, so that a file can be continued by another process.

Parquet libraries keep the places of all row groups in memory until they write the footer. Here a row group is
described by a few numbers, which are stored with the part of the upload that has it. The footer is made of
those of the whole file. Columns are PLAIN, one page each, plain or gzip; all values of text are UTF-8.

Format: https://parquet.apache.org/docs/file-format/, with Thrift's compact protocol.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import msgspec

from functions.query import times
from functions.query.exporting import thrift
from functions.query.results.page import FoundEvent
from functions.shared.exports.search_export import ExportCompression

MAGIC = b"PAR1"
GROUP_BYTES = 8 * 1024 * 1024
"""The size of the values, before compression; a group may exceed it by one page of events."""

_GZIP_WINDOW = 31
_INT64, _BYTE_ARRAY = 2, 6
_REQUIRED, _OPTIONAL = 0, 1
_UNCOMPRESSED, _GZIP = 0, 2
_PLAIN, _RLE = 0, 3
_DATA_PAGE = 0
_UTF8, _MICROS = 0, 10
_STRING_TYPE, _TIMESTAMP_TYPE = 1, 8
_MICROS_UNIT, _NANOS_UNIT = 2, 3


@dataclass(frozen=True, slots=True)
class ParquetColumn:
    """`unit`: of a time, as Parquet numbers it; None for text."""

    name: str
    unit: int | None = None
    optional: bool = False

    @property
    def physical(self) -> int:
        return _BYTE_ARRAY if self.unit is None else _INT64


PARQUET_COLUMNS = (
    ParquetColumn("id", optional=True),
    ParquetColumn("timestamp", _NANOS_UNIT),
    ParquetColumn("received_at", _MICROS_UNIT),
    *map(
        ParquetColumn,
        ("level", "service", "project_id", "message", "trace_id", "span_id", "metadata"),
    ),
)


@dataclass(slots=True)
class _ColumnValues:
    """The values of one column in the current group, encoded; `present`: which rows have one."""

    column: ParquetColumn
    encoded: list[bytes] = field(default_factory=list)
    present: list[bool] = field(default_factory=list)
    size: int = 0

    def add(self, event: FoundEvent) -> None:
        value = getattr(event, self.column.name)
        self.present.append(value is not None)
        if value is None:
            return
        content = _encoded(self.column, value)
        self.encoded.append(content)
        self.size += len(content)

    def page(self) -> bytes:
        levels = _levels(self.present) if self.column.optional else b""
        return levels + b"".join(self.encoded)


class ParquetEncoder:
    """A functions.query.exporting.formats.Encoder.

    `groups` describes each row group that was written: its rows, and for each column the size of its chunk
    before and after compression, each with the header of its page.
    """

    def __init__(self, compression: ExportCompression, group_bytes: int = GROUP_BYTES) -> None:
        self._is_packed = compression == "gzip"
        self._group_bytes = group_bytes
        self._values = [_ColumnValues(column) for column in PARQUET_COLUMNS]
        self.groups: list[list[int]] = []

    def begin(self) -> bytes:
        return MAGIC

    def add(self, events: Sequence[FoundEvent]) -> bytes:
        ready = b""
        for event in events:
            for values in self._values:
                values.add(event)
            if sum(values.size for values in self._values) >= self._group_bytes:
                ready += self.flush()
        return ready

    def flush(self) -> bytes:
        values, rows = self._values, len(self._values[0].present)
        if not rows:
            return b""
        self._values = [_ColumnValues(column) for column in PARQUET_COLUMNS]
        group, chunks = [rows], []
        for each in values:
            page = each.page()
            packed = _packed(page) if self._is_packed else page
            header = _page_header(rows, len(page), len(packed))
            group += [len(header) + len(page), len(header) + len(packed)]
            chunks += [header, packed]
        self.groups.append(group)
        return b"".join(chunks)

    def end(self, groups: Sequence[Sequence[int]]) -> bytes:
        footer = _footer(groups, _GZIP if self._is_packed else _UNCOMPRESSED)
        return footer + struct.pack("<I", len(footer)) + MAGIC


def _encoded(column: ParquetColumn, value: str | msgspec.Raw) -> bytes:
    if column.unit is None:
        content = value.encode() if isinstance(value, str) else bytes(value)
        return struct.pack("<I", len(content)) + content
    instant = times.parse(str(value))
    return struct.pack("<q", instant if column.unit == _NANOS_UNIT else instant // 1000)


def _levels(present: Sequence[bool]) -> bytes:
    """Definition levels in RLE: which rows have a value."""
    runs = b"".join(
        thrift.varint(sum(1 for _ in run) << 1) + bytes([value]) for value, run in groupby(present)
    )
    return struct.pack("<I", len(runs)) + runs


def _packed(page: bytes) -> bytes:
    deflated = zlib.compressobj(6, zlib.DEFLATED, _GZIP_WINDOW)
    return deflated.compress(page) + deflated.flush()


def _page_header(rows: int, size: int, packed: int) -> bytes:
    page = thrift.structure((1, rows), (2, _PLAIN), (3, _RLE), (4, _RLE))
    return thrift.structure((1, _DATA_PAGE), (2, size), (3, packed), (5, page))


def _footer(groups: Sequence[Sequence[int]], codec: int) -> bytes:
    root = thrift.structure((4, "schema"), (5, len(PARQUET_COLUMNS)))
    schema = thrift.Structures([root, *map(_schema_element, PARQUET_COLUMNS)])
    return thrift.structure(
        (1, 1),
        (2, schema),
        (3, thrift.I64(sum(group[0] for group in groups))),
        (4, thrift.Structures(list(_row_groups(groups, codec)))),
        (6, "AstraLog"),
    )


def _schema_element(column: ParquetColumn) -> bytes:
    if column.unit is None:
        converted: tuple[tuple[int, int], ...] = ((6, _UTF8),)
        logical = thrift.structure((_STRING_TYPE, thrift.structure()))
    else:
        converted = ((6, _MICROS),) if column.unit == _MICROS_UNIT else ()
        unit = thrift.structure((column.unit, thrift.structure()))
        logical = thrift.structure((_TIMESTAMP_TYPE, thrift.structure((1, True), (2, unit))))
    return thrift.structure(
        (1, column.physical),
        (3, _OPTIONAL if column.optional else _REQUIRED),
        (4, column.name),
        *converted,
        (10, logical),
    )


def _row_groups(groups: Sequence[Sequence[int]], codec: int) -> Iterator[bytes]:
    """Groups and their chunks follow each other without gaps, from the magic bytes on."""
    offset = len(MAGIC)
    for rows, *sizes in groups:
        chunks = []
        for column, size, packed in zip(PARQUET_COLUMNS, sizes[::2], sizes[1::2], strict=True):
            metadata = thrift.structure(
                (1, column.physical),
                (2, thrift.I32s([_PLAIN, _RLE])),
                (3, thrift.Texts([column.name])),
                (4, codec),
                (5, thrift.I64(rows)),
                (6, thrift.I64(size)),
                (7, thrift.I64(packed)),
                (9, thrift.I64(offset)),
            )
            chunks.append(thrift.structure((2, thrift.I64(offset)), (3, metadata)))
            offset += packed
        yield thrift.structure(
            (1, thrift.Structures(chunks)), (2, thrift.I64(sum(sizes[::2]))), (3, thrift.I64(rows))
        )
