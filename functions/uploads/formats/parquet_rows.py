"""Read Parquet, row group by row group, with pyarrow, which is imported only when such a file is found.

A position is a row group and the number of its rows that are done; to resume, the row group is read anew and
those rows are skipped. A damaged row group is reported, and reading continues with the next one; a row group
that exceeds the limits ends the file. Memory and work are bounded whatever the file claims (docs/adr/0027).
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import msgspec

from functions.shared.events.judge import RejectedEvent
from functions.shared.events.row import ReceiptContext, Row
from functions.uploads.formats.contract import MAX_RECORD_BYTES, TOO_LONG, RecordBatch, State
from functions.uploads.formats.json_records import row_of
from functions.uploads.formats.parquet_file import MAGIC, ParquetFile, RowGroup
from functions.uploads.formats.parquet_pages import CORRUPT
from functions.uploads.formats.parquet_values import Size, faults, records, slices
from functions.uploads.streams.contract import BrokenFileError, Ranges
from functions.uploads.text import SKIPPED_UNASKED_BYTES

__all__ = ["MAGIC", "ParquetRows"]

MAX_RECORD_CELLS = 1_000_000
"""A row with more values exceeds the size of a record."""

_encoder = msgspec.json.Encoder(enc_hook=lambda value: str(value), decimal_format="number")


class ParquetRows:
    """The rows of a Parquet file, from the position in `state`.

    Raises
    ------
    BrokenFileError: the footer cannot be read.
    """

    name = "parquet"

    def __init__(self, ranges: Ranges, receipt: ReceiptContext, state: State) -> None:
        self._receipt = receipt
        self._ranges = ranges
        self._group = int(state.get("group", 0))
        self._done = int(state.get("done", 0))
        self._index = int(state.get("index", 0))
        self._work_before = int(state.get("work", 0))
        self._packed_before = int(state.get("packed", 0))
        self.fault: BrokenFileError | None = CORRUPT if state.get("damaged") else None
        self._file = ParquetFile(ranges)
        self._row_group: RowGroup | None = None
        self._slices: Iterator[tuple[Any, Size]] = iter(())
        self._values_bytes = 0

    @property
    def work_bytes(self) -> int:
        """The bytes decompressed of the row groups so far, and the values made of them."""
        return self._work_before + (self._row_group.work_bytes if self._row_group else 0) + self._values_bytes

    @property
    def file_at(self) -> int:
        """The bytes of the row groups that are done, and of this one in proportion to its rows."""
        if self._group >= self._file.groups:
            return self._ranges.size_bytes
        group = self._row_group
        share = group.packed_bytes * min(self._done, group.rows) // group.rows if group else 0
        return min(self._ranges.size_bytes, max(0, self._packed_before + share))

    def state(self) -> State:
        return {
            "group": self._group,
            "done": self._done,
            "index": self._index,
            "work": self._work_before,
            "packed": self._packed_before,
            "damaged": self.fault is not None,
        }

    def next(self) -> RecordBatch | None:
        """The next rows, no rows at the end of a row group; None when there are no more."""
        if self._group >= self._file.groups:
            return None
        try:
            found = self._next_slice()
        except BrokenFileError as fault:
            return self._broken(fault)
        if found is not None:
            return self._converted(*found)
        self._end_group()
        return RecordBatch()

    def skip(self, may_continue: Callable[[], bool]) -> bool:
        """Skip the rows of the row group that were read before, by the same steps.

        False when `may_continue` forbade it.
        """
        rows, asked_at = self._done, self.work_bytes
        try:
            while rows > 0:
                found = self._next_slice()
                if found is None:
                    raise CORRUPT
                columns, size = found
                if columns.num_rows > rows:
                    self._slices = chain([(columns.slice(rows), size)], self._slices)
                    break
                rows -= columns.num_rows
                self._values_bytes += size.bytes
                if self.work_bytes - asked_at >= SKIPPED_UNASKED_BYTES:
                    if not may_continue():
                        return False
                    asked_at = self.work_bytes
        except BrokenFileError as fault:
            self._broken(fault)
        return True

    def _broken(self, fault: BrokenFileError) -> RecordBatch | None:
        """Report `fault`; continue with the next row group if this one is only damaged."""
        self.fault = fault
        if fault.code != CORRUPT.code:
            self._group = self._file.groups
            return None
        self._end_group()
        return RecordBatch()

    def _next_slice(self) -> tuple[Any, Size] | None:
        """The next rows of the row group, few enough to be made at once; None at its end."""
        if self._row_group is None:
            self._row_group = self._file.group(self._group)
            # Row groups that share their bytes would be decompressed without end.
            if self._packed_before + self._row_group.packed_bytes > self._ranges.size_bytes:
                raise CORRUPT
        while (found := self._slice()) is None:
            columns = self._row_group.next()
            if columns is None:
                return None
            self._slices = slices(columns)
        return found

    def _slice(self) -> tuple[Any, Size] | None:
        try:
            return next(self._slices, None)
        except faults():
            raise CORRUPT from None

    def _end_group(self) -> None:
        self._work_before = self.work_bytes
        self._packed_before += self._row_group.packed_bytes if self._row_group else 0
        self._group, self._done, self._row_group = self._group + 1, 0, None
        self._slices, self._values_bytes = iter(()), 0

    def _converted(self, columns: Any, size: Size) -> RecordBatch:
        batch = RecordBatch()
        rows: list[Row] = []
        is_one = columns.num_rows == 1
        if is_one and (size.text_bytes > MAX_RECORD_BYTES or size.cells > MAX_RECORD_CELLS):
            batch.refuse(self._index, TOO_LONG)
        else:
            for record in records(columns):
                row = row_of(_encoder.encode(record), self._receipt)
                if isinstance(row, RejectedEvent):
                    batch.refuse(self._index + len(rows) + batch.refused, row)
                else:
                    rows.append(row)
        batch.rows += rows
        self._values_bytes += size.bytes
        self._done += columns.num_rows
        self._index += columns.num_rows
        return batch
