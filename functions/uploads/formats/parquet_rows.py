"""Parquet, row group by row group, through pyarrow: loaded here only, when such a file is found.

A place in it is a row group and how many of its rows are done; the row group is begun anew and those passed
over. A row group that cannot be read is told of, and the next one goes on.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import RawIOBase, UnsupportedOperation
from typing import Any

import msgspec

from functions.shared.judging import timestamps
from functions.shared.judging.judge import Verdict
from functions.shared.judging.rows import Receipt, Row
from functions.uploads.formats.contract import Batch, State
from functions.uploads.formats.json_records import row_of
from functions.uploads.streams.contract import BrokenFileError, Ranges

MAGIC = b"PAR1"

BATCH_ROWS = 2_000
READ_AHEAD_BYTES = 1024 * 1024
MAX_FOOTER_BYTES = 64 * 1024 * 1024

_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_TIME_CHARACTERS = len("2026-01-02T03:04:05.678901234Z")

_TRUNCATED = BrokenFileError("truncated", "The Parquet file has no footer: it was cut off.")
_CORRUPT = BrokenFileError("corrupt", "A part of the Parquet file is damaged, and its rows cannot be read.")

_encoder = msgspec.json.Encoder(enc_hook=lambda value: str(value), decimal_format="number")


class ParquetRows:
    """The rows of a Parquet file, from where `state` was taken.

    Raises
    ------
    BrokenFileError: it has no footer that can be read.
    """

    name = "parquet"

    def __init__(self, ranges: Ranges, receipt: Receipt, state: State) -> None:
        self._receipt = receipt
        self._ranges = ranges
        self._group = int(state.get("group", 0))
        self._done = int(state.get("done", 0))
        self._index = int(state.get("index", 0))
        self.fault: BrokenFileError | None = _CORRUPT if state.get("damaged") else None
        self._file = _opened(ranges)
        self._groups: int = self._file.metadata.num_row_groups
        self._batches: Iterator[Any] | None = None

    @property
    def file_at(self) -> int:
        """So much of the file as the row groups that are done are of all."""
        return self._ranges.size_bytes * self._group // max(1, self._groups)

    def state(self) -> State:
        return {
            "group": self._group,
            "done": self._done,
            "index": self._index,
            "damaged": self.fault is not None,
        }

    def next(self) -> Batch | None:
        """The next rows; None when there are no more."""
        while self._group < self._groups:
            columns = self._next_columns()
            if columns is not None:
                return self._converted(columns)
            self._group, self._done, self._batches = self._group + 1, 0, None
        return None

    def _next_columns(self) -> Any | None:
        """The next batch of the row group; None at its end, and where it is damaged."""
        try:
            if self._batches is None:
                self._batches = self._file.iter_batches(
                    BATCH_ROWS, row_groups=[self._group], use_threads=False
                )
                passed = 0
                while passed < self._done:
                    passed += next(self._batches).num_rows
            return next(self._batches, None)
        except _faults():
            # What is not the file's fault, but its bucket's, passes through pyarrow as it was raised.
            self.fault = _CORRUPT
            return None

    def _converted(self, columns: Any) -> Batch:
        batch = Batch()
        rows: list[Row] = []
        for record in _records(columns):
            row = row_of(_encoder.encode(record), self._receipt)
            if isinstance(row, Verdict):
                batch.refuse(self._index + len(rows) + batch.refused, row)
            else:
                rows.append(row)
        batch.keep(rows)
        self._done += columns.num_rows
        self._index += columns.num_rows
        return batch


def _opened(ranges: Ranges) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(1)
    if ranges.size_bytes < 2 * len(MAGIC) + 4:
        raise _TRUNCATED
    tail = ranges.read(ranges.size_bytes - 8, 8)
    if tail[4:] != MAGIC or int.from_bytes(tail[:4], "little") > MAX_FOOTER_BYTES:
        raise _TRUNCATED
    try:
        return pq.ParquetFile(
            pa.PythonFile(_File(ranges), mode="r"), buffer_size=READ_AHEAD_BYTES, pre_buffer=False
        )
    except _faults():
        raise _CORRUPT from None


class _File(RawIOBase):
    """Ranges as a file that pyarrow can read."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__()
        self._ranges = ranges
        self._at = 0

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
        self._at += len(data)
        return data

    def write(self, _data: Any) -> int:
        raise UnsupportedOperation("write")


def _faults() -> tuple[type[Exception], ...]:
    """What is raised about a file: by pyarrow, or for want of rows that were there before."""
    import pyarrow as pa

    return OSError, ValueError, ArithmeticError, StopIteration, pa.ArrowException


def _has_no_value() -> tuple[type[Exception], ...]:
    """What is raised about a value that Python has none for: beside the above, of a zone that is not here."""
    return (*_faults(), LookupError)


def _records(columns: Any) -> Iterator[dict[str, Any]]:
    """The rows of a batch, without what is null; names are text."""
    names = [str(name) for name in columns.schema.names]
    for values in zip(*map(_column, columns.columns), strict=True):
        yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _column(column: Any) -> list[Any]:
    """A column's values as JSON has them.

    Times and nanoseconds are taken as the numbers they are: pyarrow would need pandas or a table of zones for
    them, which are not here, and knows no year beyond 9999.
    """
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        factor = _NANOSECONDS[kind.unit]
        return [
            None if each is None else _moment(each * factor, each)
            for each in column.view(pa.int64()).to_pylist()
        ]
    if getattr(kind, "unit", "") == "ns":
        return list(column.view(pa.int64()).to_pylist())
    try:
        return [_value(each) for each in column.to_pylist()]
    except _has_no_value():
        return [_one(each) for each in column]


def _one(scalar: Any) -> Any:
    """A single value; one that Python has none for, as what it is stored as."""
    try:
        return _value(scalar.as_py())
    except _has_no_value():
        pass
    inner = getattr(scalar, "values", None)
    if callable(inner):
        return {str(name): _one(each) for name, each in scalar.items()}
    if inner is not None:
        return [_one(each) for each in inner]
    if hasattr(scalar, "as_buffer"):
        return scalar.as_buffer().to_pybytes().decode("latin-1")
    return scalar.value


def _value(value: Any) -> Any:
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value  # Base64, as msgspec writes it
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): _value(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    return value


def _time(moment: datetime) -> str:
    """No zone means UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return str(_moment(timestamps.from_datetime(aware), moment))


def _moment(nanoseconds: int, stored: Any) -> Any:
    """A time as rows have it, its year with all digits; what no calendar holds is left as it is."""
    try:
        return timestamps.to_text(nanoseconds).rjust(_TIME_CHARACTERS, "0")
    except OverflowError:
        return stored
