"""One page of a search's answer: rows as the engine gave them in, the wire's JSON out."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import msgspec
from msgspec import Struct

from functions.query import cursor as cursors
from functions.query import times
from functions.query.request import Search
from functions.shared.warehouse import Selection

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""A Lambda function answers with 6 MB at the most, and JSON's escapes take their share."""

Row = dict[str, Any]


class Found(Struct):
    """One event; `metadata` is the JSON that was sent, to the byte."""

    timestamp: str
    received_at: str
    level: str
    service: str
    project_id: str
    message: str
    trace_id: str
    span_id: str
    metadata: msgspec.Raw


class Stats(Struct):
    """What the search cost."""

    rows_read: int
    elapsed_ms: float


class Page(Struct):
    """`next_cursor` is null on the last page."""

    events: list[Found]
    next_cursor: str | None
    stats: Stats


def page(search: Search, selection: Selection) -> bytes:
    """The answer to `search`, as JSON, from the rows of its statement.

    A page may hold fewer events than the limit, when they are large, and still have a next one.
    """
    rows = _fitting(selection.rows[: search.limit])
    more = len(selection.rows) > len(rows)
    return msgspec.json.encode(
        Page(
            events=[_found(row) for row in rows],
            next_cursor=_cursor_after(rows, search) if more else None,
            stats=Stats(selection.rows_read, round(selection.elapsed_ms, 3)),
        )
    )


def _fitting(rows: Sequence[Row]) -> Sequence[Row]:
    """The first rows that fit into an answer; one at least."""
    total = 0
    for count, row in enumerate(rows):
        total += len(row["message"].encode()) + len(row["metadata"].encode()) + 512
        if total > MAX_PAGE_BYTES and count:
            return rows[:count]
    return rows


def _found(row: Row) -> Found:
    return Found(
        timestamp=times.for_people(row["timestamp"]),
        received_at=times.for_people(row["received_at"]),
        level=row["level"],
        service=row["service"],
        project_id=row["project_id"],
        message=row["message"],
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        metadata=msgspec.Raw((row["metadata"] or "{}").encode()),
    )


def _cursor_after(rows: Sequence[Row], search: Search) -> str:
    last = _place(rows[-1])
    given = sum(1 for _ in takewhile(lambda row: _place(row) == last, reversed(rows)))
    before = search.after
    if before and given == len(rows) and last == (before.instant, before.batch_id, before.row_hash):
        given += before.given
    return cursors.encode(
        cursors.Cursor(
            version=cursors.VERSION,
            digest=search.digest,
            since=search.since,
            until=search.until,
            position=cursors.Position(*last, given),
        )
    )


def _place(row: Row) -> tuple[int, str, int]:
    return times.from_engine(row["timestamp"]), row["batch_id"], int(row["row_hash"])
