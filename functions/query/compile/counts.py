"""Compile counts of events: all, by the value of a field, by bucket and value, and by columns of few values.

The SELECTs take the base conditions of functions.query.compile, and the whole hours that the projection
counts, if it can. A histogram compares values by their first MAX_VALUE_CHARACTERS. Pure.
"""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from collections.abc import Mapping, Sequence

from functions.query.bindings import Bindings
from functions.query.compile import metadata
from functions.query.compile.hours import TIME_NANOSECONDS, WholeHours, by_hours_and_edges
from functions.query.counting.field_summary import MAX_VALUE_CHARACTERS as MAX_LISTED_CHARACTERS
from functions.query.counting.intervals import even_width
from functions.query.language.syntax_tree import FieldRef
from functions.query.times import NANOSECONDS

MAX_VALUE_CHARACTERS = 256

MAX_CANDIDATES = 1000
"""The most frequent values of one store, of which the groups are chosen."""

OTHER = 0
"""The number of the group of all other values; groups are numbered from 1."""

_SHORT_COLUMNS = frozenset({"level", "service", "project_id"})


def value_counts(
    field: FieldRef, conditions: Sequence[str], bindings: Bindings, hours: WholeHours | None = None
) -> str:
    """The SELECT of values (c0, NULL for events without one) and their counts (c1), most frequent first."""
    value = _value(field, bindings)

    def select(_nanoseconds: str, condition: str) -> str:
        return f"SELECT {value} AS c0, count() AS c1 FROM events WHERE {condition} GROUP BY c0"

    if hours is None:
        counted = select(TIME_NANOSECONDS, " AND ".join(conditions))
    else:
        counted = _total(by_hours_and_edges(hours, conditions, bindings, select), hours)
    return f"{counted} ORDER BY c1 DESC, c0 ASC NULLS LAST LIMIT {MAX_CANDIDATES}"


def bucket_counts(
    starts: Sequence[int],
    field: FieldRef | None,
    groups: Sequence[str | None],
    conditions: Sequence[str],
    bindings: Bindings,
    hours: WholeHours | None = None,
) -> str:
    """The SELECT of cells (c0), each a bucket and a group, and their counts (c1).

    A cell is the number of the bucket, from 0, times `len(groups) + 1`, plus the number of the group. As one
    number of 16 bits it is a place in the engine's table of groups, which two numbers are not.
    """
    group = str(OTHER) if field is None else _group(field, groups, bindings)
    width = bindings.whole(len(groups) + 1)

    def select(nanoseconds: str, condition: str) -> str:
        bucket = _bucket(list(starts), nanoseconds, bindings)
        cell = f"toUInt16({bucket} * {width} + {group})"
        return f"SELECT {cell} AS c0, count() AS c1 FROM events WHERE {condition} GROUP BY c0"

    if hours is None:
        return select(TIME_NANOSECONDS, " AND ".join(conditions))
    return _total(by_hours_and_edges(hours, conditions, bindings, select), hours)


def _total(parts: str, hours: WholeHours) -> str:
    """The counts (c1) of each c0 of `parts`, which are of `hours` and of the events around them, if any."""
    return parts if hours.alone else f"SELECT c0, sum(part.c1) AS c1 FROM ({parts}) AS part GROUP BY c0"


def row_count(conditions: Sequence[str], bindings: Bindings, hours: WholeHours | None) -> str:
    """The SELECT of the number of all rows."""
    if hours is None:
        return f"SELECT count() FROM events WHERE {' AND '.join(conditions)}"

    def select(_nanoseconds: str, condition: str) -> str:
        return f"SELECT count() AS n FROM events WHERE {condition}"

    return f"SELECT sum(n) FROM ({by_hours_and_edges(hours, conditions, bindings, select)})"


def field_counts(
    fields: Sequence[FieldRef],
    values: int,
    conditions: Sequence[str],
    bindings: Bindings,
    hours: WholeHours | None = None,
) -> str:
    """The SELECT of the most frequent values of each of `fields`, which are columns of few values.

    Its rows are the number of the field (c0), a value (c1) and its count (c2), and of the field the values
    that are not empty (c3), their events (c4), and all events (c5). Each field that has events has at most
    `values` rows, and at least one. The values of functions.query.counting.field_summary.is_listed come
    first.
    """
    numbers = range(len(fields))
    keys = ", ".join(f"k{at}" for at in numbers)
    selected = ", ".join(f"{field.name} AS k{at}" for at, field in enumerate(fields))

    def select(_nanoseconds: str, condition: str) -> str:
        return f"SELECT {selected}, count() AS n FROM events WHERE {condition} GROUP BY {keys}"

    if hours is None:
        parts = select(TIME_NANOSECONDS, " AND ".join(conditions))
    else:
        parts = by_hours_and_edges(hours, conditions, bindings, select)
    pairs = ", ".join(f"({at}, toString(k{at}))" for at in numbers)
    counted = (
        f"SELECT pair.1 AS c0, pair.2 AS c1, sum(n) AS c2 FROM ({parts}) ARRAY JOIN [{pairs}] AS pair "
        "GROUP BY c0, c1"
    )
    return (
        "SELECT c0, c1, c2, countIf(c1 != '') OVER field AS c3, sumIf(c2, c1 != '') OVER field AS c4, "
        f"sum(c2) OVER field AS c5 FROM ({counted}) WINDOW field AS (PARTITION BY c0) "
        f"ORDER BY c0, c1 = '', lengthUTF8(c1) > {MAX_LISTED_CHARACTERS}, c2 DESC, c1 "
        f"LIMIT {max(values, 1)} BY c0"
    )


def _bucket(starts: list[int], nanoseconds: str, bindings: Bindings) -> str:
    if len(starts) < 2:
        return "toInt64(0)"
    width = even_width(starts)
    if width is None:
        seconds = bindings.integers([start // NANOSECONDS for start in starts])
        numbers = bindings.integers(range(len(starts)))
        return f"transform(roundDown(intDiv({nanoseconds}, {NANOSECONDS}), {seconds}), {seconds}, {numbers})"
    first, step = bindings.integer(starts[0]), bindings.integer(width)
    number = f"intDiv({nanoseconds} - {first}, {step})"
    # The last bucket is longer than the others if it is the day on which the clock goes back.
    return f"least({number}, {len(starts) - 1})"


def _group(field: FieldRef, groups: Sequence[str | None], bindings: Bindings) -> str:
    """SQL: the number of the group in `groups` that has the field's value."""
    numbers = {value: number for number, value in enumerate(groups, 1)}
    missing = str(numbers.pop(None, OTHER))
    value = _value(field, bindings)
    if field.kind == "column":
        return _numbered(value, numbers, bindings)
    present = _numbered(f"ifNull({value}, '')", numbers, bindings)
    return f"if(isNull({value}), {missing}, {present})"


def _numbered(value: str, numbers: Mapping[str | None, int], bindings: Bindings) -> str:
    """SQL: the number of a value that is not NULL; the engine looks up each value of a column once."""
    if not numbers:
        return str(OTHER)
    texts, places = bindings.texts([str(text) for text in numbers]), bindings.integers([*numbers.values()])
    return f"transform({value}, {texts}, {places}, {OTHER})"


def _value(field: FieldRef, bindings: Bindings) -> str:
    if field.kind == "path":
        return f"substringUTF8({metadata.text_of(field.name, bindings)}, 1, {MAX_VALUE_CHARACTERS})"
    if field.name in _SHORT_COLUMNS:
        return field.name
    return f"substringUTF8({field.name}, 1, {MAX_VALUE_CHARACTERS})"
