"""`POST /v1/query/complete`: what may be written at a position of a query.

Names and values come from the caller's events of the last day: services and projects from all of them, the
keys of metadata and their values from the newest SAMPLE_ROWS.
"""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions, metadata
from functions.query.compile.counted import hours_of_values
from functions.query.compile.counts import value_counts
from functions.query.compile.pipes import TableColumn
from functions.query.language.completion import (
    Completion,
    KnownField,
    KnownValue,
    Wanted,
    completions,
    wanted,
)
from functions.query.language.literals import is_loose
from functions.query.language.parser import MAX_CHARACTERS
from functions.query.language.syntax_tree import EVERYTHING, FieldRef, Loose, Value
from functions.query.requests.request import FilterBody, time_range
from functions.query.requests.route_call import RouteCall
from functions.query.results.cursor import BYOC, MANAGED
from functions.query.results.statistics import SearchStats, stats_of
from functions.query.results.table_rows import EMPTY, TableRows, decode_table
from functions.query.stats import STATS_SETTINGS
from functions.shared.forms import decoded, invalid
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError

SAMPLE_ROWS = 5000
MAX_KNOWN = 200
MAX_VALUE_CHARACTERS = 200

_LISTED = frozenset({"service", "project_id"})
"""Columns of few values, which the engine counts by the hour."""

COLUMNS = (TableColumn("value", "text"), TableColumn("count", "number"))


class CompleteBody(Struct, forbid_unknown_fields=True):
    """The request body. `position`: in characters from 0; the end of the text by default."""

    query: Annotated[str, Meta(max_length=MAX_CHARACTERS)] = ""
    position: Annotated[int, Meta(ge=0)] | None = None


class ReplacedRange(Struct):
    """From `start` (inclusive) to `end` (exclusive), in characters."""

    start: int
    end: int


class CompletionPage(Struct):
    """Each completion's `insert` replaces the range. `stats`: of reading names and values."""

    replace: ReplacedRange
    completions: list[Completion]
    stats: SearchStats


def answer(call: RouteCall) -> bytes:
    """The response to `POST /v1/query/complete`; a functions.query.requests.route_call.Answer."""
    found, caller = complete_request(call.body), call.caller
    statement = known_statement(found, caller.tenant)
    if statement is None:
        return complete_page(found, EMPTY)

    def decode(content: bytes) -> TableRows:
        return decode_known(content, found)

    store = BYOC if caller.byoc else MANAGED
    known = call.run_in(store, caller.tenant, statement, decode, EMPTY, STATS_SETTINGS)
    return complete_page(found, known)


def complete_request(content: bytes) -> Wanted:
    """What is being written at the position of the request in `content`.

    Raises
    ------
    HttpError: 400 `invalid_<field>`, `unknown_field` or `invalid_body`.
    """
    body = decoded(content or b"{}", CompleteBody)
    position = len(body.query) if body.position is None else body.position
    if position > len(body.query):
        raise invalid("position", f"must be from 0 to {len(body.query)}, the length of 'query'")
    return wanted(body.query, position)


def known_statement(found: Wanted, tenant: TenantId, now_ns: int | None = None) -> Statement | None:
    """The SELECT of the names or values that `found` needs, most frequent first; None if it needs none."""
    bindings = Bindings()
    since, until = time_range(FilterBody(), now_ns)
    conditions, parameters = base_conditions(tenant, since, until, EVERYTHING, bindings)
    where = " AND ".join(conditions)
    sample = f"(SELECT metadata FROM events WHERE {where} ORDER BY timestamp DESC LIMIT {SAMPLE_ROWS})"
    field = found.field
    if found.kind == "field" and found.events:
        counted = _counted("arrayJoin(JSONExtractKeys(metadata))", sample)
    elif field is not None and field.kind == "column" and field.name in _LISTED:
        counted = value_counts(
            field, conditions, bindings, hours_of_values(since, until, EVERYTHING, [field])
        )
    elif field is not None and field.kind == "path":
        counted = _counted(metadata.raw_of(field.name, bindings), sample)
    else:
        return None
    sql = (
        f"SELECT c0, c1 FROM ({counted}) WHERE c0 != '' AND length(c0) <= {MAX_VALUE_CHARACTERS} "
        f"ORDER BY c1 DESC, c0 LIMIT {MAX_KNOWN}"
    )
    return Statement(sql, {**bindings.parameters, **parameters})


def _counted(value: str, source: str) -> str:
    return f"SELECT {value} AS c0, count() AS c1 FROM {source} GROUP BY c0"


def decode_known(content: bytes, found: Wanted) -> TableRows:
    """The rows of an answer to known_statement.

    Raises
    ------
    UnusableAnswerError: the answer has another format, or text that is no JSON where values of metadata are.
    """
    known = decode_table(content, COLUMNS)
    try:
        for value, _ in known.rows:
            _value(found, str(value))
    except msgspec.MsgspecError:
        raise UnusableAnswerError("the answer has no values of metadata") from None
    return known


def complete_page(found: Wanted, known: TableRows) -> bytes:
    """The JSON response; `known` are the rows of known_statement."""
    texts = [(str(value), int(count or 0)) for value, count in known.rows]
    if found.kind == "field":
        offered = completions(found, fields=[KnownField(FieldRef("path", text), n) for text, n in texts])
    else:
        offered = completions(found, values=[KnownValue(_value(found, text), n) for text, n in texts])
    replaced = ReplacedRange(found.start, found.end)
    return msgspec.json.encode(CompletionPage(replaced, offered, stats_of(known)))


def _value(found: Wanted, text: str) -> Value:
    """The value of a column's text, or of a JSON value of metadata."""
    if found.field is None or found.field.kind != "path":
        return text
    if text.startswith('"'):
        decoded_text: str = msgspec.json.decode(text, type=str)
        return decoded_text
    return Loose(text) if is_loose(text) else text
