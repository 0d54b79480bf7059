"""The columns that the engine counts by the hour, for `POST /v1/fields`: exact instead of sampled."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from msgspec import Struct

from functions.query.bindings import Bindings
from functions.query.compile import FilteredRange, Statement, base_conditions, checked
from functions.query.compile.counted import COUNTED_FIELDS, hours_of_values
from functions.query.compile.counts import field_counts
from functions.query.counting.field_summary import is_listed
from functions.query.language.syntax_tree import FieldRef
from functions.query.results.statistics import EngineStatistics
from functions.query.results.table_rows import MAX_RESULT_BYTES
from functions.query.stats import MAX_STATEMENT_CHARACTERS
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError


class AskedFields(FilteredRange, Protocol):
    """A validated request; `fields` is None for all."""

    @property
    def fields(self) -> tuple[FieldRef, ...] | None: ...
    @property
    def values(self) -> int: ...


@dataclass(slots=True)
class CountedField:
    """`distinct`: values that are not empty. `count`: events that have one. `rows`: all events."""

    distinct: int = 0
    count: int = 0
    rows: int = 0
    top: list[tuple[str, int]] = field(default_factory=list)


class _FieldCount(Struct):
    c0: int
    c1: str
    c2: int | str
    c3: int | str
    c4: int | str
    c5: int | str


class CountedRows(Struct):
    """An answer to `counted_statement`."""

    data: list[_FieldCount]
    statistics: EngineStatistics


NO_ROWS = CountedRows([], EngineStatistics(0, 0.0))
_DECODER = msgspec.json.Decoder(CountedRows)


def are_counted_fields(asked: AskedFields) -> bool:
    """Whether all fields are named, and the engine counts each of them."""
    return bool(asked.fields) and COUNTED_FIELDS.issuperset(asked.fields or ())


def counted_statement(asked: AskedFields, tenant: TenantId, *, in_utc: bool = False) -> Statement:
    """The SELECT of the counts of the named fields in the rows of `tenant`.

    `in_utc`: as of functions.query.compile.counted.hours_of_values.
    """
    fields = asked.fields or ()
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, asked.since, asked.until, asked.filter, bindings)
    hours = hours_of_values(asked.since, asked.until, asked.filter, fields, in_utc=in_utc)
    sql = field_counts(fields, asked.values, conditions, bindings, hours)
    return checked(Statement(sql, {**bindings.parameters, **parameters}), MAX_STATEMENT_CHARACTERS)


def decode_counted(content: bytes, asked: AskedFields) -> CountedRows:
    """The counts of an answer, all of them whole numbers.

    Raises
    ------
    UnusableAnswerError: the answer has another format, or fields and counts that are impossible.
    """
    if len(content) > 4 * MAX_RESULT_BYTES:
        raise UnusableAnswerError("the answer is longer than the counts of fields may be")
    try:
        found = _DECODER.decode(content)
        for row in found.data:
            row.c2, row.c3, row.c4, row.c5 = map(int, (row.c2, row.c3, row.c4, row.c5))
            if not (0 <= row.c2 <= row.c5 and 0 <= row.c3 <= row.c4 <= row.c5):
                raise UnusableAnswerError("the answer has impossible counts")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnusableAnswerError("the answer has no counts of fields") from None
    fields = len(asked.fields or ())
    if len(found.data) > fields * max(asked.values, 1) or not all(0 <= row.c0 < fields for row in found.data):
        raise UnusableAnswerError("the answer has other fields than were asked for")
    return found


def counted_fields(asked: AskedFields, found: Sequence[_FieldCount]) -> list[CountedField]:
    """Each of the named fields, in their order."""
    counted = [CountedField() for _ in asked.fields or ()]
    for row in found:
        each = counted[row.c0]
        each.distinct, each.count, each.rows = int(row.c3), int(row.c4), int(row.c5)
        if row.c1 and is_listed(row.c1):
            each.top.append((row.c1, int(row.c2)))
    for each in counted:
        each.top = each.top[: asked.values]
    return counted
