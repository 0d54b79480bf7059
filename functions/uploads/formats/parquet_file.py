"""Open a Parquet file with pyarrow, within limits on the claims of its footer and pages."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase, UnsupportedOperation
from typing import Any

from functions.uploads.formats.contract import MAX_COLUMN_NAME_CHARACTERS
from functions.uploads.formats.parquet_pages import CORRUPT, TOO_MUCH_MEMORY, ColumnChunk, PageGuard
from functions.uploads.formats.parquet_values import dictionary_bytes, faults
from functions.uploads.memory import limited
from functions.uploads.streams.contract import BrokenFileError, Ranges

MAGIC = b"PAR1"

MAX_FOOTER_BYTES = 16 * 1024 * 1024
MAX_COLUMNS = 10_000
MAX_LIST_ITEMS = 100_000
"""The longest list in the footer: row groups, or elements of the schema."""

MAX_DEPTH = 100
"""The depth of the schema; a row may be nested 200 levels deep, and a list takes two."""

BATCH_ROWS = 2_000
BATCH_BYTES = 16 * 1024 * 1024
BATCH_CELLS = 2_000_000
"""Limits on a decoded batch: the one with the fewest rows counts, by the row size in the footer."""

MORE_MEMORY_BYTES = 1024 * 1024 * 1024
"""The memory for pyarrow, beside about 150 MB of the function itself; the function has 1,769 MB."""

READ_AHEAD_BYTES, READ_AHEAD_AT_LEAST = 1024 * 1024, 16 * 1024
ALL_READ_AHEAD_BYTES = 256 * 1024 * 1024

_COPIED_A_WORK_BYTE = 16
"""Copying so many bytes of a dictionary costs as much as decompressing one."""

_DICTIONARY_ENCODINGS = frozenset({"PLAIN_DICTIONARY", "RLE_DICTIONARY"})

_TRUNCATED = BrokenFileError("truncated", "The Parquet file is truncated: it has no footer.")
_TOO_MANY_COLUMNS = BrokenFileError(
    "unsupported_format", f"The Parquet file has more than {MAX_COLUMNS} columns."
)
_TOO_DEEP = BrokenFileError(
    "unsupported_format", f"The Parquet file's columns are nested more than {MAX_DEPTH} levels deep."
)
_LONG_NAME = BrokenFileError(
    "unsupported_format",
    f"A column of the Parquet file has a name of more than {MAX_COLUMN_NAME_CHARACTERS} characters.",
)


class ParquetFile:
    """A file whose row groups can be read one by one.

    Raises
    ------
    BrokenFileError: the footer cannot be read, or exceeds the limits.
    """

    def __init__(self, ranges: Ranges) -> None:
        # pyarrow's other allocators reserve a gigabyte at once, which the memory limit counts as held.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        import pyarrow as pa

        pa.set_cpu_count(1)
        _check_end(ranges)
        self._ranges = ranges
        self._source = _Source(ranges)
        self._metadata = self._opened().metadata
        with _limited():
            self._paths = [self._metadata.schema.column(at).path for at in range(self._metadata.num_columns)]
        self._check_schema()
        self.groups: int = self._metadata.num_row_groups

    def group(self, number: int) -> "RowGroup":
        """Row group `number`.

        Raises
        ------
        BrokenFileError: the footer's claims about it are impossible.
        """
        group = self._metadata.row_group(number)
        columns = [group.column(at) for at in range(group.num_columns)]
        guard = PageGuard(list(map(_chunk, columns)), self._ranges.size_bytes)
        as_dictionary = [
            path for path, each in zip(self._paths, columns, strict=True) if _reads_as_dictionary(each)
        ]
        file = self._opened(metadata=self._metadata, read_dictionary=as_dictionary)
        self._source.guard = guard
        packed = sum(each.total_compressed_size for each in columns)
        return RowGroup(file, number, group.num_rows, self._batch_rows(group, columns), guard, packed)

    def _opened(self, **options: Any) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = options["metadata"].num_columns if options else 1
        read_ahead = max(READ_AHEAD_AT_LEAST, min(READ_AHEAD_BYTES, ALL_READ_AHEAD_BYTES // max(1, columns)))
        self._source.guard = None
        with _limited():
            return pq.ParquetFile(
                pa.PythonFile(self._source, mode="r"),
                buffer_size=read_ahead,
                pre_buffer=False,
                thrift_string_size_limit=MAX_FOOTER_BYTES,
                thrift_container_size_limit=MAX_LIST_ITEMS,
                schema_depth_limit=MAX_DEPTH,
                arrow_extensions_enabled=False,
                **options,
            )

    def _check_schema(self) -> None:
        if len(self._paths) > MAX_COLUMNS:
            raise _TOO_MANY_COLUMNS
        for path in self._paths:
            if path.count(".") >= MAX_DEPTH:
                raise _TOO_DEEP
            if any(len(name) > MAX_COLUMN_NAME_CHARACTERS for name in path.split(".")):
                raise _LONG_NAME

    def _batch_rows(self, group: Any, columns: list[Any]) -> int:
        """How many rows to decode at once; the footer is a hint only, the limits above hold anyway."""
        rows = max(1, group.num_rows)
        row_bytes = sum(
            max(0, each.total_uncompressed_size) // rows + self._fixed_bytes(at)
            for at, each in enumerate(columns)
        )
        fewest: int = min(BATCH_BYTES // max(1, row_bytes), BATCH_CELLS // max(1, len(columns)), BATCH_ROWS)
        return max(1, fewest)

    def _fixed_bytes(self, column: int) -> int:
        """The size of a value of fixed length, which a dictionary may give to each row."""
        schema = self._metadata.schema.column(column)
        return max(0, int(schema.length)) if schema.physical_type == "FIXED_LEN_BYTE_ARRAY" else 0


class RowGroup:
    """The batches of a row group.

    `rows`: how many the footer claims, at least 1. `packed_bytes`: size in the file. `work_bytes`: the bytes
    that are decompressed so far.
    """

    def __init__(
        self, file: Any, number: int, rows: int, batch_rows: int, guard: PageGuard, packed_bytes: int
    ) -> None:
        self._batches: Iterator[Any] | None = None
        self._file = file
        self._number = number
        self._batch_rows = batch_rows
        self._guard = guard
        self.rows = max(1, rows)
        self.packed_bytes = packed_bytes

    @property
    def work_bytes(self) -> int:
        return self._guard.work_bytes

    def next(self) -> Any | None:
        """The next batch, with text as dictionaries where it is stored so; None at the end.

        Raises
        ------
        BrokenFileError: it is damaged, or exceeds the limits. Errors of the file's bucket.
        """
        self._guard.begin_batch()
        with _limited():
            if self._batches is None:
                self._batches = self._file.iter_batches(
                    self._batch_rows, row_groups=[self._number], use_threads=False
                )
            batch = next(self._batches, None)
            self._guard.work_bytes += dictionary_bytes(batch) // _COPIED_A_WORK_BYTE if batch else 0
            return batch


@contextmanager
def _limited() -> Iterator[None]:
    """Let pyarrow read within the memory for it; what it cannot read is a BrokenFileError.

    An error of the bucket, not caused by the file, passes through pyarrow unchanged.
    """
    try:
        with limited(MORE_MEMORY_BYTES):
            yield
    except MemoryError:
        raise TOO_MUCH_MEMORY from None
    except faults():
        raise CORRUPT from None


def _check_end(ranges: Ranges) -> None:
    if ranges.size_bytes < 2 * len(MAGIC) + 4:
        raise _TRUNCATED
    tail = ranges.read(ranges.size_bytes - 8, 8)
    if tail[4:] != MAGIC:
        raise _TRUNCATED
    if int.from_bytes(tail[:4], "little") > min(MAX_FOOTER_BYTES, ranges.size_bytes):
        raise _TRUNCATED if int.from_bytes(tail[:4], "little") > ranges.size_bytes else TOO_MUCH_MEMORY


def _chunk(column: Any) -> ColumnChunk:
    first = column.data_page_offset
    if column.has_dictionary_page and 0 < column.dictionary_page_offset < first:
        first = column.dictionary_page_offset
    may_have_dictionary = column.physical_type != "BYTE_ARRAY" or _reads_as_dictionary(column)
    return ColumnChunk(first, first + column.total_compressed_size, column.num_values, may_have_dictionary)


def _reads_as_dictionary(column: Any) -> bool:
    """Whether text of the column is read as indices: else each row would have a copy of its entry."""
    is_text = column.physical_type == "BYTE_ARRAY"
    return is_text and (
        column.has_dictionary_page or bool(_DICTIONARY_ENCODINGS.intersection(column.encodings))
    )


class _Source(RawIOBase):
    """Ranges as a file for pyarrow; `guard` checks the bytes of columns before pyarrow gets them."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__()
        self._ranges = ranges
        self._at = 0
        self.guard: PageGuard | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        origin = (0, self._at, self._ranges.size_bytes)[whence]
        self._at = origin + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._ranges.size_bytes - self._at)
        length = left if size < 0 else min(size, left)
        data = self._ranges.read(self._at, length) if length else b""
        if self.guard and data:
            self.guard.see(self._at, data)
        self._at += len(data)
        return data

    def write(self, _data: Any) -> int:
        raise UnsupportedOperation("write")
