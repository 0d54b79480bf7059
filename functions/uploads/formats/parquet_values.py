"""Convert the values of a Parquet file to JSON, and compute their size before they are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from functions.shared.events import timestamps

SLICE_BYTES = 8 * 1024 * 1024
"""The size of values that are made at once."""

CELL_BYTES = 40
"""The memory of a value of any kind in Python, beside its text."""

_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, and written without a zone


@dataclass(frozen=True, slots=True)
class Size:
    """The size of some values: `cells` counts them, including those within lists; `text_bytes` of content."""

    cells: int
    text_bytes: int

    @property
    def bytes(self) -> int:
        return self.text_bytes + CELL_BYTES * self.cells

    def __add__(self, other: "Size") -> "Size":
        return Size(self.cells + other.cells, self.text_bytes + other.text_bytes)


def slices(columns: Any) -> Iterator[tuple[Any, Size]]:
    """A batch in parts of at most SLICE_BYTES each, by repeated halving; a single row may be larger."""
    return _halved(columns, list(map(_lengths, columns.columns)))


def _halved(columns: Any, lengths: list[Any | None]) -> Iterator[tuple[Any, Size]]:
    size = sum(map(_size, columns.columns, lengths), Size(0, 0))
    rows = columns.num_rows
    if size.bytes <= SLICE_BYTES or rows <= 1:
        yield columns, size
        return
    for start, count in ((0, rows // 2), (rows // 2, rows - rows // 2)):
        parts = [None if each is None else each.slice(start, count) for each in lengths]
        yield from _halved(columns.slice(start, count), parts)


def _lengths(column: Any) -> Any | None:
    """For a dictionary column: the length of each row's entry in bytes; else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return None
    return pc.binary_length(column.dictionary).take(column.indices)


def _size(column: Any, lengths: Any | None = None) -> Size:
    """The size of a column, each entry of a dictionary counted as often as it is used."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if column.null_count == len(column):
        return Size(0, 0)
    if pa.types.is_dictionary(kind):
        return Size(len(column), pc.sum(_lengths(column) if lengths is None else lengths).as_py() or 0)
    if pa.types.is_struct(kind):
        return sum(map(_size, column.flatten()), Size(len(column), 0))
    if pa.types.is_map(kind):
        start, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
        inner = (each.slice(start, end - start) for each in (column.keys, column.items))
        return sum(map(_size, inner), Size(len(column), 0))
    if pa.types.is_nested(kind):
        return Size(len(column), 0) + _size(column.flatten())
    return Size(len(column), column.nbytes)


def dictionary_bytes(columns: Any) -> int:
    """The bytes of all dictionaries of a batch, which pyarrow makes anew for each batch."""
    import pyarrow as pa

    return sum(each.dictionary.nbytes for each in columns.columns if pa.types.is_dictionary(each.type))


def records(columns: Any) -> Iterator[dict[str, Any]]:
    """The rows of a batch, without nulls; names are text."""
    filled = [
        (str(name), _column(column))
        for name, column in zip(columns.schema.names, columns.columns, strict=True)
        if column.null_count < len(column)
    ]
    if not filled:
        yield from ({} for _ in range(columns.num_rows))
        return
    names, all_values = zip(*filled, strict=True)
    for values in zip(*all_values, strict=True):
        yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


def faults() -> tuple[type[Exception], ...]:
    """The exceptions for a broken file: pyarrow's, and those for rows that are missing."""
    import pyarrow as pa

    return OSError, ValueError, ArithmeticError, StopIteration, pa.ArrowException


def _has_no_value() -> tuple[type[Exception], ...]:
    """The exceptions for a value that Python cannot represent: the above, and for an unknown time zone."""
    return (*faults(), LookupError)


def _column(column: Any) -> list[Any]:
    """A column's values as JSON has them.

    Times and nanoseconds are read as numbers: pyarrow would need pandas or a time zone database for them,
    which are not installed, and supports no year beyond 9999.
    """
    import pyarrow as pa

    column = _without_dictionaries(column)
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


def _without_dictionaries(column: Any) -> Any:
    """The column with text in place of indices, within lists and structs too; for few rows only."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        return column.dictionary.take(column.indices)
    kind = _type_without_dictionaries(column.type)
    try:
        return column if kind == column.type else column.cast(kind)
    except faults():
        return column


def _type_without_dictionaries(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        made = pa.list_ if pa.types.is_list(kind) else pa.large_list
        return made(kind.value_field.with_type(_type_without_dictionaries(kind.value_type)))
    if pa.types.is_struct(kind):
        fields = [kind.field(at) for at in range(kind.num_fields)]
        return pa.struct([each.with_type(_type_without_dictionaries(each.type)) for each in fields])
    if pa.types.is_map(kind):
        key, item = map(_type_without_dictionaries, (kind.key_type, kind.item_type))
        return pa.map_(key, kind.item_field.with_type(item))
    return kind


def _one(scalar: Any) -> Any:
    """A single value; one that Python cannot represent, as its stored value."""
    try:
        return _value(scalar.as_py())
    except _has_no_value():
        pass
    if hasattr(scalar, "dictionary"):
        return None if scalar.value is None else _one(scalar.value)
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
    """A time as text; without a zone it is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return str(_moment(timestamps.from_datetime(aware), moment))


def _moment(nanoseconds: int, stored: Any) -> Any:
    """A time in the format of rows, its year with all digits; a time beyond the calendar stays as stored."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    try:
        return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()}.{fraction:09d}Z"
    except OverflowError:
        return stored
