"""Decode the engine's answer to a search into rows; anything a customer's server sends otherwise is an error.

The answer is decoded into types, not into arbitrary JSON. No other objects are built, so an answer of 64 MB
takes only a few times its size in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from functions.query import times
from functions.query.results.cursor import MANAGED, Store
from functions.query.results.statistics import EngineStatistics, cost_of
from functions.shared.warehouse import UnusableAnswerError

MAX_NAME_LENGTH = 8 * 1024
MAX_METADATA_BYTES = 2 * 1024 * 1024
"""Twice the limit of our ingestion; one such event always fits into a page."""

_Name = Annotated[str, Meta(max_length=MAX_NAME_LENGTH)]
_Hash = Annotated[str, Meta(pattern=r"^[0-9]{1,20}$")]


class EventRow(Struct, frozen=True):
    """One row, as functions.query.results.row_order selects it; times and `row_hash` as the engine's text.

    `object_id` is empty for a row without identity. `store` is the one that was searched, whatever its engine
    says.
    """

    timestamp: str
    received_at: _Name
    level: _Name
    service: _Name
    project_id: _Name
    message: str
    trace_id: _Name
    span_id: _Name
    metadata: str
    object_id: _Name
    position: Annotated[int, Meta(ge=0, lt=2**32)]
    row_hash: _Hash
    store: Store = MANAGED


class _JsonAnswer(Struct):
    data: list[EventRow]
    statistics: EngineStatistics


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The rows of a search and their cost."""

    rows: Sequence[EventRow]
    rows_read: int
    elapsed_ms: float
    bytes_read: int = 0


NOTHING = SearchResult((), 0, 0.0)

_DECODER = msgspec.json.Decoder(_JsonAnswer)


def decode(answer: bytes, store: Store) -> SearchResult:
    """The rows of an answer of `store` in FORMAT JSON.

    Raises
    ------
    UnusableAnswerError: the answer does not have this format, or its rows are not those of a search.
    """
    try:
        found = _DECODER.decode(answer)
        for row in found.data:
            times.from_engine(row.timestamp)
            if len(row.metadata.encode()) > MAX_METADATA_BYTES:
                raise UnusableAnswerError("a row's metadata is too long")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no rows of a search") from None
    rows = [row if row.store == store else msgspec.structs.replace(row, store=store) for row in found.data]
    cost = cost_of(found.statistics)
    return SearchResult(rows, cost.rows_read, cost.elapsed_ms, cost.bytes_read)
