"""Compile a query with pipes to one SELECT. Pure.

Each pipe changes the rows that the next one reads. Rows are a source with conditions and an order; they
become a subquery where the next pipe must see the result: after `limit`, `dedup`, `stats` and `top`, and for
`where` on columns of `stats`. No name of the caller's is in the SQL: columns of results are numbered.
"""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from functions.query.bindings import Bindings
from functions.query.compile import filters
from functions.query.compile.hours import TIME_NANOSECONDS, WholeHours, by_hours_and_edges
from functions.query.compile.outputs import Output
from functions.query.compile.templates import frequent_templates
from functions.query.compile.text_match import regex_text
from functions.query.compile.values import Values
from functions.query.language.patterns import as_regex, pattern_names
from functions.query.language.pipe_parser import COUNT, MAX_ROWS, PATTERN, key_name
from functions.query.language.regex import group_names
from functions.query.language.scope import AnyType
from functions.query.language.syntax_tree import (
    MESSAGE,
    TIMESTAMP,
    Aggregate,
    DedupPipe,
    ExtractPipe,
    FieldRef,
    FieldsPipe,
    GroupField,
    GroupKey,
    LimitPipe,
    PatternsPipe,
    Pipe,
    SortKey,
    SortPipe,
    StatsPipe,
    TopPipe,
    ValueType,
    WherePipe,
)
from functions.query.times import NANOSECONDS

EVENT_COLUMNS = (
    "timestamp", "received_at", "level", "service", "project_id", "message", "trace_id", "span_id",
    "metadata", "duration_ms", "metadata_tokens",
)  # fmt: skip
"""What a subquery of events passes on, of which the engine reads what is used."""

DEFAULT_FIELDS = (
    TIMESTAMP,
    FieldRef("column", "level"),
    FieldRef("column", "service"),
    MESSAGE,
)
NEWEST_FIRST = SortKey(TIMESTAMP, descending=True)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a result: its name, and the type that the response shows."""

    name: str
    type: ValueType


@dataclass(frozen=True, slots=True)
class CompiledTable:
    """A SELECT whose rows have the columns c0, c1, … of `columns`; at most MAX_ROWS + 1 rows.

    `patterns`: the rows are templates, counts and the number of all templates, of which so many patterns are
    to be made (functions.query.templates.table); 0 for rows that are the result.
    """

    sql: str
    columns: tuple[TableColumn, ...]
    patterns: int = 0


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a pipe reads. `order`: sort keys, most significant first. `shown`: None for all of them.

    `level`: how many times rows were aggregated, so that each time their columns get new names.
    """

    source: str
    conditions: tuple[str, ...]
    outputs: dict[str, Output] = field(default_factory=dict)
    order: tuple[SortKey, ...] = (NEWEST_FIRST,)
    shown: tuple[FieldRef, ...] | None = None
    events: bool = True
    level: int = 0


def table(
    pipes: Sequence[Pipe], conditions: Sequence[str], bindings: Bindings, hours: WholeHours | None = None
) -> CompiledTable:
    """The SELECT of `pipes` over the events that meet `conditions`, which are bound in `bindings`.

    `conditions`: those of functions.query.compile.base_conditions.
    `hours`: of functions.query.compile.counted.hours_of_table, for the first pipe that makes groups.
    """
    compiler = _PipeCompiler(bindings, hours)
    rows = _Rows("events", tuple(conditions))
    for pipe in pipes:
        rows = compiler.piped(rows, pipe)
    last = pipes[-1] if pipes else None
    return replace(compiler.result(rows), patterns=last.count if isinstance(last, PatternsPipe) else 0)


class _PipeCompiler:
    def __init__(self, bindings: Bindings, hours: WholeHours | None) -> None:
        self._bindings = bindings
        self._hours = hours

    def piped(self, rows: _Rows, pipe: Pipe) -> _Rows:
        """The rows behind `pipe`."""
        match pipe:
            case WherePipe():
                held = filters.sql(pipe.filter, self._bindings, rows.outputs)
                return replace(rows, conditions=(*rows.conditions, held))
            case SortPipe():
                return replace(rows, order=(*pipe.keys, *_ties(rows)))
            case LimitPipe():
                return self._subquery(rows, f"LIMIT {pipe.count}")
            case DedupPipe():
                values = Values(self._bindings, rows.outputs)
                return self._subquery(rows, f"LIMIT 1 BY {', '.join(map(values.shown, pipe.fields))}")
            case FieldsPipe():
                return replace(rows, shown=pipe.fields)
            case ExtractPipe():
                return self._extracted(rows, pipe)
            case StatsPipe():
                return self._aggregated(rows, pipe.by, pipe.aggregates)
            case TopPipe():
                return self._top(rows, pipe)
            case PatternsPipe():
                return self._templates(rows)

    def result(self, rows: _Rows) -> CompiledTable:
        """The SELECT of the shown fields of `rows`."""
        values = Values(self._bindings, rows.outputs)
        shown = rows.shown or (*(DEFAULT_FIELDS if rows.events else ()), *_output_fields(rows))
        columns = tuple(TableColumn(each.name, values.kind(each) or "text") for each in shown)
        selected = ", ".join(f"{values.shown(each)} AS c{at}" for at, each in enumerate(shown))
        return CompiledTable(f"{self._select(selected, rows)} LIMIT {MAX_ROWS + 1}", columns)

    def _select(self, selected: str, rows: _Rows, *, ordered: bool = True) -> str:
        where = f" WHERE {' AND '.join(rows.conditions)}" if rows.conditions else ""
        return f"SELECT {selected} FROM {rows.source}{where}{self._order(rows) if ordered else ''}"

    def _order(self, rows: _Rows) -> str:
        values = Values(self._bindings, rows.outputs)
        keys = [sql for key in rows.order for sql in values.sort(key)]
        return f" ORDER BY {', '.join(keys)}" if keys else ""

    def _subquery(self, rows: _Rows, limit: str) -> _Rows:
        """The first rows by `limit`, as a source; extracted fields are computed anew from its columns."""
        passed = EVENT_COLUMNS if rows.events else [output.sql for output in rows.outputs.values()]
        source = f"({self._select(', '.join(passed), rows)} {limit})"
        return replace(rows, source=source, conditions=())

    def _extracted(self, rows: _Rows, pipe: ExtractPipe) -> _Rows:
        if pipe.pattern:
            expression, groups = as_regex(pipe.expression), list[str | None](pattern_names(pipe.expression))
        else:
            expression, groups = pipe.expression, group_names(pipe.expression)
        source = Values(self._bindings, rows.outputs).shown(pipe.source)
        bound = self._bindings.text(regex_text(expression, ignore_case=pipe.ignore_case))
        found = f"extractGroups(ifNull({source}, ''), {bound})"
        outputs = {
            name: Output(f"arrayElementOrNull({found}, {at})", None)
            for at, name in enumerate(groups, 1)
            if name is not None
        }
        return replace(rows, outputs={**rows.outputs, **outputs})

    def _aggregated(self, rows: _Rows, by: Sequence[GroupKey], aggregates: Sequence[Aggregate]) -> _Rows:
        values, level = Values(self._bindings, rows.outputs), rows.level + 1
        kinds: list[tuple[str, AnyType]] = [
            *((key_name(key), _key_kind(key, values)) for key in by),
            *((each.name, _result_kind(each, values)) for each in aggregates),
        ]
        hours = self._hours if rows.level == 0 else None
        counted = self._counted(rows, by, aggregates, hours) if hours else None
        return _Rows(
            source=f"({counted or self._grouped(rows, by, aggregates)})",
            conditions=(),
            outputs={name: Output(f"t{level}_{at}", kind) for at, (name, kind) in enumerate(kinds)},
            order=tuple(SortKey(FieldRef("output", key_name(key))) for key in by),
            events=False,
            level=level,
        )

    def _grouped(
        self,
        rows: _Rows,
        by: Sequence[GroupKey],
        aggregates: Sequence[Aggregate],
        nanoseconds: str = TIME_NANOSECONDS,
    ) -> str:
        """The SELECT of the keys and results, where an event's time is `nanoseconds`."""
        values = Values(self._bindings, rows.outputs)
        columns = [
            *(self._key(key, values, nanoseconds) for key in by),
            *(_aggregate(each, values) for each in aggregates),
        ]
        selected = ", ".join(f"{sql} AS t{rows.level + 1}_{at}" for at, sql in enumerate(columns))
        return f"{self._select(selected, rows, ordered=False)}{_grouping(rows, by)}"

    def _counted(
        self, rows: _Rows, by: Sequence[GroupKey], aggregates: Sequence[Aggregate], hours: WholeHours
    ) -> str:
        """The same by `hours`: all results are counts, which add up."""

        def select(nanoseconds: str, condition: str) -> str:
            return self._grouped(replace(rows, conditions=(condition,)), by, aggregates, nanoseconds)

        tenant_filter, since, until, *held = rows.conditions
        parts = by_hours_and_edges(
            hours, [tenant_filter, since, until, " AND ".join(held)], self._bindings, select
        )
        if hours.alone:
            return parts
        names = [f"t{rows.level + 1}_{at}" for at in range(len(by) + len(aggregates))]
        sums = [f"sum(part.{name}) AS {name}" for name in names[len(by) :]]
        return f"SELECT {', '.join([*names[: len(by)], *sums])} FROM ({parts}) AS part{_grouping(rows, by)}"

    def _key(self, key: GroupKey, values: Values, nanoseconds: str) -> str:
        if isinstance(key, GroupField):
            return values.shown(key.field)
        width = f"toInt64({self._bindings.whole(key.seconds * NANOSECONDS)})"
        return f"fromUnixTimestamp64Nano(intDiv({nanoseconds}, {width}) * {width}, 'UTC')"

    def _top(self, rows: _Rows, pipe: TopPipe) -> _Rows:
        keys = tuple(GroupField(each) for each in pipe.fields)
        counted = self._aggregated(rows, keys, [Aggregate(COUNT, None, COUNT)])
        most_first = SortKey(FieldRef("output", COUNT), descending=True)
        return self._subquery(replace(counted, order=(most_first, *counted.order)), f"LIMIT {pipe.count}")

    def _templates(self, rows: _Rows) -> _Rows:
        where = f" WHERE {' AND '.join(rows.conditions)}" if rows.conditions else ""
        count, pattern = FieldRef("output", COUNT), FieldRef("output", PATTERN)
        return _Rows(
            source=f"({frequent_templates(f'{rows.source}{where}', self._bindings)})",
            conditions=(),
            outputs={
                PATTERN: Output("masked", "text"),
                COUNT: Output("n", "number"),
                "templates": Output("templates", "number"),
            },
            order=(SortKey(count, descending=True), SortKey(pattern)),
            events=False,
            level=rows.level + 1,
        )


def _grouping(rows: _Rows, by: Sequence[GroupKey]) -> str:
    """The GROUP BY of the next level's keys, after a space; empty without keys."""
    return f" GROUP BY {', '.join(f't{rows.level + 1}_{at}' for at in range(len(by)))}" if by else ""


def _ties(rows: _Rows) -> tuple[SortKey, ...]:
    """The order of rows whose sort keys are equal: events by time, other rows by their columns."""
    return (NEWEST_FIRST,) if rows.events else tuple(map(SortKey, _output_fields(rows)))


def _output_fields(rows: _Rows) -> list[FieldRef]:
    return [FieldRef("output", name) for name in rows.outputs]


def _key_kind(key: GroupKey, values: Values) -> AnyType:
    return values.kind(key.field) if isinstance(key, GroupField) else "time"


def _result_kind(aggregate: Aggregate, values: Values) -> AnyType:
    if aggregate.function not in ("min", "max") or aggregate.field is None:
        return "number"
    return values.kind(aggregate.field) or "number"


def _aggregate(aggregate: Aggregate, values: Values) -> str:
    """SQL of a result, which is NULL for no values: of a type that is not nullable it would be 0 or 1970."""
    if aggregate.field is None:
        return "count()"
    match aggregate.function:
        case "count":
            return f"countIf({values.present(aggregate.field)})"
        case "uniq":
            return f"uniqExact({values.distinct(aggregate.field)})"
        case "min" | "max" if values.kind(aggregate.field) is not None:
            return f"{aggregate.function}(toNullable({values.distinct(aggregate.field)}))"
        case "sum" | "avg" | "min" | "max":
            return f"{aggregate.function}(toNullable({values.number(aggregate.field)}))"
        case _:
            share = (aggregate.percentile or 0) / 100
            return f"quantileExact({share})(toNullable({values.number(aggregate.field)}))"
