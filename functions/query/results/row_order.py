"""The order of rows in SQL, and a page of rows in that order: exactly, or in one pass. Pure.

Rows are ordered by time, and rows of equal time as they were sent: by object (ids are time-ordered), then by
position in the object. `desc` is exactly the reverse of `asc`. Rows that were stored before these columns
existed have none: they come before the others of their time in `asc`, in the order of a hash, which is stable
and means nothing. A customer's table may lack the columns altogether: then all of its rows are such rows.
"""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from dataclasses import dataclass, replace
from typing import Literal

from functions.query.bindings import Bindings
from functions.query.results.cursor import CursorPosition, Store

Order = Literal["asc", "desc"]

COLUMNS = (
    "timestamp", "received_at", "level", "service", "project_id",
    "message", "trace_id", "span_id", "metadata",
)  # fmt: skip

_HASH = f"sipHash64({', '.join(COLUMNS[1:])})"


@dataclass(frozen=True, slots=True)
class RowOrderColumns:
    """SQL for the columns of the order of rows after the time.

    `row_hash` distinguishes rows without identity and is 0 for all others.
    """

    object_id: str
    position: str
    row_hash: str


IDENTIFIED = RowOrderColumns("object_id", "position", f"if(object_id = '', {_HASH}, 0)")
UNIDENTIFIED = RowOrderColumns("''", "toUInt32(0)", _HASH)
"""For a table without the columns."""

_WITHOUT_HASH = replace(IDENTIFIED, row_hash="0")
"""For one pass: the plan of the hash takes the engine a tenth of a millisecond for each of its columns."""


def sort_key(*, with_identity: bool) -> RowOrderColumns:
    """The sort key of a table that has the columns of the identity, or has not."""
    return IDENTIFIED if with_identity else UNIDENTIFIED


@dataclass(frozen=True, slots=True)
class PageRange:
    """Which of the matching rows a page has: `size` in `order`, those after `after`, of `store`."""

    order: Order
    size: int
    after: CursorPosition | None
    store: Store


MORE_ROWS = 20
"""That one pass reads beyond a page, so that the order of the last rows of a page is nearly always known."""


@dataclass(frozen=True, slots=True)
class OnePass:
    """SQL of the first `limit` rows by time, of which functions.query.searching.one_pass makes the page
    `wanted`.

    `hashed`: rows without identity have their hash; else 0, and two passes are needed for a page of them.
    """

    sql: str
    wanted: PageRange
    hashed: bool

    @property
    def limit(self) -> int:
        """The number of rows that the SELECT returns if there are as many."""
        return self.wanted.size + MORE_ROWS


def selection(key: RowOrderColumns) -> str:
    """The SELECT of an EventRow (functions.query.results.rows), up to its WHERE."""
    return (
        f"SELECT {', '.join(COLUMNS)}, {key.object_id} AS object_id, {key.position} AS position, "
        f"toString({key.row_hash}) AS row_hash FROM events"
    )


def page_of(matching: str, wanted: PageRange, key: RowOrderColumns, bindings: Bindings) -> str:
    """The SELECT of one page of the rows that meet the condition `matching`.

    The hash needs every column of a row, so a first, narrow pass finds the time at which the page ends. Only
    rows up to that time are sorted by the whole key.
    """
    after = wanted.after
    parts = [matching, *_window(matching, wanted, key, bindings)]
    skipped = after.given if after and after.store == wanted.store else 0
    by = ", ".join(
        f"{part} {wanted.order.upper()}" for part in ("timestamp", key.object_id, key.position, key.row_hash)
    )
    return f"{selection(key)} WHERE {' AND '.join(parts)} ORDER BY {by} LIMIT {skipped}, {wanted.size}"


def one_pass_of(
    matching: str,
    wanted: PageRange,
    key: RowOrderColumns,
    bindings: Bindings,
    narrowed: str | None = None,
) -> OnePass:
    """The first rows by time of the page of `page_of`, and those of the cursor's time that come before it.

    The engine reads the times of all matching rows, and the other columns of the returned rows alone. Of a
    table with identities the rows have no hash, which nearly none of them needs.

    `narrowed`: a condition that all rows of the page meet, if one is known (functions.query.compile.hours).
    """
    parts = [matching, *([narrowed] if narrowed else [])]
    if wanted.after is not None:
        parts.append(f"timestamp {_beyond(wanted)}= {bindings.instant(wanted.after.instant)}")
    hashed = key is not IDENTIFIED
    selected = selection(key if hashed else _WITHOUT_HASH)
    sql = f"{selected} WHERE {' AND '.join(parts)} ORDER BY timestamp {wanted.order.upper()} LIMIT "
    return OnePass(f"{sql}{wanted.size + MORE_ROWS}", wanted, hashed)


def was_returned(after: CursorPosition, wanted: PageRange) -> bool:
    """Whether all rows of exactly that position in this store come before it."""
    return wanted.store < after.store if wanted.order == "asc" else wanted.store > after.store


def _window(matching: str, wanted: PageRange, key: RowOrderColumns, bindings: Bindings) -> list[str]:
    """The range from the last returned row, if any, to the time by which `size` further rows are found.

    It includes the rows of exactly that position, unless the store comes before the store of that row in the
    order: then all of them were returned.
    """
    after = wanted.after
    if after is None:
        return [f"timestamp {_within(wanted)} {_end(matching, wanted)}"]
    beyond = _beyond(wanted)
    at = bindings.instant(after.instant)
    object_id, position = bindings.text(after.object_id), bindings.whole(after.position)
    row_hash = bindings.whole(after.row_hash)
    following = beyond if was_returned(after, wanted) else f"{beyond}="
    resumed = (
        f"(timestamp {beyond} {at} OR timestamp = {at} AND "
        f"({key.object_id} {beyond} {object_id} OR {key.object_id} = {object_id} AND "
        f"({key.position} {beyond} {position} OR {key.position} = {position} AND "
        f"{key.row_hash} {following} {row_hash})))"
    )
    # When no row is left, the range ends at the epoch, which must not exclude rows at exactly that time.
    end = _end(f"{matching} AND timestamp {beyond} {at}", wanted)
    return [resumed, f"(timestamp {_within(wanted)} {end} OR timestamp = {at})"]


def _beyond(wanted: PageRange) -> str:
    return "<" if wanted.order == "desc" else ">"


def _within(wanted: PageRange) -> str:
    return ">=" if wanted.order == "desc" else "<="


def _end(matching: str, wanted: PageRange) -> str:
    last = "min" if wanted.order == "desc" else "max"
    return (
        f"(SELECT {last}(timestamp) FROM (SELECT timestamp FROM events WHERE {matching} "
        f"ORDER BY timestamp {wanted.order.upper()} LIMIT {wanted.size}))"
    )
