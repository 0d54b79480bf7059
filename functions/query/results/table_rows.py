"""Tables: the results of queries with pipes, and the statements that ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Struct

from functions.query import times
from functions.query.compile import Statement
from functions.query.compile.pipes import TableColumn
from functions.query.language.pipe_parser import MAX_ROWS
from functions.query.results.statistics import EngineStatistics, cost_of
from functions.shared.warehouse import UnusableAnswerError

MAX_RESULT_BYTES = 4 * 1024 * 1024

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class CompiledStats:
    """A statement, and the columns of its rows; `patterns` as of CompiledTable."""

    statement: Statement
    columns: tuple[TableColumn, ...]
    patterns: int = 0


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of a result, and their cost."""

    rows: list[list[Cell]]
    truncated: bool
    rows_read: int
    elapsed_ms: float
    bytes_read: int = 0


_ShortName = Annotated[str, msgspec.Meta(max_length=8)]


class _TableAnswer(Struct):
    data: list[dict[_ShortName, Cell]]
    statistics: EngineStatistics


_DECODER = msgspec.json.Decoder(_TableAnswer)

EMPTY = TableRows([], False, 0, 0.0)
"""The result of a BYOC account before its first load: even `count()` has no row."""


def decode_table(content: bytes, columns: Sequence[TableColumn]) -> TableRows:
    """The rows of an answer in FORMAT JSON, at most MAX_ROWS.

    Raises
    ------
    UnusableAnswerError: the answer does not have this format, or is too long.
    """
    if len(content) > 4 * MAX_RESULT_BYTES:
        raise UnusableAnswerError("the answer is longer than the result of a query may be")
    try:
        found = _DECODER.decode(content)
        rows = [
            [_cell(row[f"c{at}"], column) for at, column in enumerate(columns)]
            for row in found.data[:MAX_ROWS]
        ]
    except (msgspec.MsgspecError, ValueError, TypeError, LookupError, RecursionError):
        raise UnusableAnswerError("the answer has no rows of a table") from None
    truncated = len(found.data) > MAX_ROWS
    cost = cost_of(found.statistics)
    return TableRows(rows, truncated, cost.rows_read, cost.elapsed_ms, cost.bytes_read)


def _cell(value: Cell, column: TableColumn) -> Cell:
    if value is None:
        return None
    if column.type == "number":
        # The engine may write 64-bit numbers as text.
        return int(value) if isinstance(value, str) else value
    if not isinstance(value, str):
        raise TypeError("not text")
    if column.type == "time":
        times.from_engine(value)
        return times.for_people(value)
    return value
