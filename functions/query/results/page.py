"""Build the JSON of responses with events: engine rows in, response JSON out."""

import json
from collections.abc import Sequence
from itertools import takewhile
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from functions.query import times
from functions.query.requests.request import Search
from functions.query.results import cursor as cursors
from functions.query.results.rows import EventRow, SearchResult
from functions.query.results.statistics import SearchStats, stats_of
from functions.query.searching.event_id import format_id

MAX_PAGE_BYTES = 5 * 1024 * 1024
"""A Lambda response is limited to 6 MB, counted as JSON in which this JSON is an escaped string."""

MAX_CUT_MESSAGE = 64 * 1024
"""Characters shown of a message that is cut because its whole event does not fit into a page."""

Place = tuple[int, str, int, int, cursors.Store]
"""Time in nanoseconds since 1970, object, position, hash, and store: the order of rows."""

_ESCAPED_AGAIN = b'"\\\n\r\t'


class FoundEvent(Struct):
    """One event; `metadata` is the sent JSON, byte for byte; `message_cut` is true or absent.

    `id`: null for an event that was stored without identity.
    """

    id: str | None
    timestamp: str
    received_at: str
    level: str
    service: str
    project_id: str
    message: str
    trace_id: str
    span_id: str
    metadata: msgspec.Raw
    message_cut: bool | UnsetType = UNSET


class QueryPage(Struct):
    """`next_cursor` is null on the last page."""

    events: list[msgspec.Raw]
    next_cursor: str | None
    stats: SearchStats


def page(search: Search, result: SearchResult) -> bytes:
    """The JSON response to `search`, from the rows of its statement.

    With large events a page may have fewer events than the limit and still have a next page.
    """
    events = fitting(result.rows[: search.limit])
    more = len(result.rows) > len(events)
    return msgspec.json.encode(
        QueryPage(
            events=events,
            next_cursor=cursor_after(result.rows[: len(events)], search) if more else None,
            stats=stats_of(result),
        )
    )


def fitting(
    rows: Sequence[EventRow], max_bytes: int = MAX_PAGE_BYTES, *, at_least: Literal[0, 1] = 1
) -> list[msgspec.Raw]:
    """The first rows that fit into a response, encoded; `at_least` one, which is cut if it does not fit.

    `max_bytes`: as size_bytes counts.
    """
    events: list[msgspec.Raw] = []
    left = max_bytes
    for row in rows:
        event = msgspec.json.encode(found_event(row))
        if len(events) < at_least and size_bytes(event) > left:
            event = msgspec.json.encode(_cut(found_event(row)))
        left -= size_bytes(event)
        if left < 0 and len(events) >= at_least:
            break
        events.append(msgspec.Raw(event))
    return events


def size_bytes(event: bytes | msgspec.Raw) -> int:
    """The size of an encoded event in a Lambda response, where it is escaped once more."""
    event = bytes(event)
    return 2 * len(event) - len(event.translate(None, _ESCAPED_AGAIN))


def _cut(event: FoundEvent) -> FoundEvent:
    return msgspec.structs.replace(event, message=event.message[:MAX_CUT_MESSAGE], message_cut=True)


def found_event(row: EventRow) -> FoundEvent:
    """The event that a response shows of `row`."""
    return FoundEvent(
        id=format_id(row.object_id, row.position),
        timestamp=times.for_people(row.timestamp),
        received_at=times.for_people(row.received_at),
        level=row.level,
        service=row.service,
        project_id=row.project_id,
        message=row.message,
        trace_id=row.trace_id,
        span_id=row.span_id,
        metadata=_metadata(row.metadata),
    )


def _metadata(text: str) -> msgspec.Raw:
    """The JSON, unchanged; invalid JSON, which only a customer's table can contain, becomes a string."""
    content = (text or "{}").encode()
    return msgspec.Raw(content if _is_json(content) else msgspec.json.encode(text))


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        # Only the slower decoder reads an unpaired surrogate, which JSON may escape but UTF-8 cannot hold.
        return _is_json_of_any_text(content)
    return True


def _is_json_of_any_text(content: bytes) -> bool:
    try:
        json.loads(content, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def cursor_after(rows: Sequence[EventRow], search: Search) -> str:
    """The cursor of the page of `search` behind the one with `rows`."""
    return cursors.encode(
        cursors.Cursor(
            version=cursors.VERSION,
            digest=search.digest,
            since=search.since,
            until=search.until,
            position=position_after(rows, search.after),
        )
    )


def position_after(rows: Sequence[EventRow], before: cursors.CursorPosition | None) -> cursors.CursorPosition:
    """The position behind the last of `rows`, which are those behind `before`."""
    last = place(rows[-1])
    given = sum(1 for _ in takewhile(lambda row: place(row) == last, reversed(rows)))
    if before and given == len(rows) and last == _place_of(before):
        given += before.given
    return cursors.CursorPosition(*last[:4], given, last[4])


def place(row: EventRow) -> Place:
    """The position of `row` in the order of a search."""
    return times.from_engine(row.timestamp), row.object_id, row.position, int(row.row_hash), row.store


def _place_of(position: cursors.CursorPosition) -> Place:
    return position.instant, position.object_id, position.position, position.row_hash, position.store
