"""Parse one pipe, and say what the pipes after it can name."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from functions.query.language import names
from functions.query.language.filter_parser import FilterParser
from functions.query.language.patterns import PatternError, pattern_names
from functions.query.language.scanner import Scanner
from functions.query.language.scope import AnyType, Scope
from functions.query.language.syntax_tree import (
    BUCKET,
    MESSAGE,
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
    TimeBucket,
    TopPipe,
    ValueType,
    WherePipe,
)

MAX_FIELDS = 32
"""Fields, aggregates or keys of one pipe."""

MAX_ROWS = 10_000
DEFAULT_TOP = 10
MAX_BUCKET_UNITS = 100_000
COUNT = "count"

DEFAULT_PATTERNS = 20
MAX_PATTERNS = 1000
PATTERN = "pattern"

FUNCTIONS = ("count", "uniq", "sum", "avg", "min", "max", "p50", "p95", "p99")
_PERCENTILE = re.compile(r"p([1-9][0-9]?)")
_NUMERIC = ("sum", "avg")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


T = TypeVar("T")


class PipeParser:
    """Parses the pipes of one query after each other; `scope` is that of the next pipe."""

    def __init__(self, scanner: Scanner, filters: FilterParser) -> None:
        self._scanner = scanner
        self._filters = filters
        self.scope = Scope()

    def parse(self) -> Pipe:
        """Read a pipe behind its `|`, and the blanks around it."""
        scanner = self._scanner
        scanner.blanks()
        began = scanner.at
        parse = self._parsers().get(scanner.word())
        if parse is None:
            scanner.fail(*PIPES, at=began)
        if not scanner.blanks() and not scanner.ended and scanner.peek() != "|":
            scanner.fail("a blank")
        pipe = parse()
        scanner.blanks()
        if not scanner.ended and scanner.peek() != "|":
            scanner.fail("|", "the end")
        return pipe

    def _parsers(self) -> dict[str, Callable[[], Pipe]]:
        return {
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limit,
            "fields": lambda: FieldsPipe(self._fields(distinct=True)),
            "where": lambda: WherePipe(self._filters.parse(self.scope)),
            "extract": self._extract,
            "dedup": lambda: DedupPipe(self._fields()),
            "top": self._top,
            "patterns": self._patterns,
        }

    def _stats(self) -> Pipe:
        outputs: dict[str, AnyType] = {}
        aggregates = self._listed(lambda: self._aggregate(outputs))
        by = self._listed(lambda: self._key(outputs)) if self._scanner.keyword("by") else ()
        keys = {name: outputs[name] for name in map(key_name, by)}
        self.scope = Scope({**keys, **outputs}, events=False)
        return StatsPipe(aggregates, by)

    def _aggregate(self, outputs: dict[str, AnyType]) -> Aggregate:
        scanner, began = self._scanner, self._scanner.at
        function = scanner.word()
        if function not in FUNCTIONS and not _PERCENTILE.fullmatch(function):
            scanner.fail(*(f"{name}()" for name in FUNCTIONS), at=began)
        if not scanner.take("("):
            scanner.fail("(")
        scanner.blanks()
        field = None if function == "count" and scanner.peek() == ")" else self._argument(function)
        scanner.blanks()
        if not scanner.take(")"):
            scanner.fail(")")
        scanner.blanks()
        name, named = default_name(function, field), began
        if scanner.keyword("as"):
            named = scanner.at
            name = scanner.name("a name")[0]
        self._add_output(outputs, name, self._result_type(function, field), named)
        return Aggregate(function, field, name)

    def _argument(self, function: str) -> FieldRef:
        scanner, began = self._scanner, self._scanner.at
        field = self.scope.field(scanner)
        kind = self.scope.type_of(field)
        numeric = function in _NUMERIC or _PERCENTILE.fullmatch(function)
        if numeric and kind in ("text", "time"):
            scanner.fail("a field with numbers", at=began, reason=f"'{field.name}' has the type {kind}")
        return field

    def _result_type(self, function: str, field: FieldRef | None) -> ValueType:
        if function not in ("min", "max") or field is None:
            return "number"
        return self.scope.type_of(field) or "number"

    def _key(self, outputs: dict[str, AnyType]) -> GroupKey:
        scanner, began = self._scanner, self._scanner.at
        if scanner.take("bucket("):
            if not self.scope.events:
                scanner.fail("a column", at=began, reason="after stats and top there is no timestamp")
            seconds = self._seconds()
            self._add_output(outputs, BUCKET, "time", began)
            return TimeBucket(seconds)
        field = self.scope.field(scanner)
        self._add_output(outputs, field.name, self.scope.type_of(field), began)
        return GroupField(field)

    def _seconds(self) -> int:
        scanner = self._scanner
        count = scanner.whole("an interval such as 5m, 1h or 1d", 1, MAX_BUCKET_UNITS)
        at = scanner.at
        unit = UNITS.get(scanner.word())
        if unit is None:
            scanner.fail(*UNITS, at=at)
        if not scanner.take(")"):
            scanner.fail(")")
        return count * unit

    def _add_output(self, outputs: dict[str, AnyType], name: str, kind: AnyType, at: int) -> None:
        if name in outputs:
            self._scanner.fail("another name: `as name`", at=at, reason=f"two columns are called '{name}'")
        outputs[name] = kind

    def _sort(self) -> Pipe:
        return SortPipe(self._listed(self._sort_key))

    def _sort_key(self) -> SortKey:
        descending = self._scanner.take("-")
        return SortKey(self.scope.field(self._scanner), descending)

    def _limit(self) -> Pipe:
        return LimitPipe(self._scanner.whole(f"a number of rows from 1 to {MAX_ROWS:,}", 1, MAX_ROWS))

    def _top(self) -> Pipe:
        scanner, began = self._scanner, self._scanner.at
        count = DEFAULT_TOP
        if scanner.peek().isdigit():
            count = scanner.whole(f"a number of rows from 1 to {MAX_ROWS:,}", 1, MAX_ROWS)
            if not scanner.blanks():
                scanner.fail("a blank and a field")
        fields = self._fields(distinct=True)
        outputs = {field.name: self.scope.type_of(field) for field in fields}
        self._add_output(outputs, COUNT, "number", began)
        self.scope = Scope(outputs, events=False)
        return TopPipe(count, fields)

    def _patterns(self) -> Pipe:
        scanner, began = self._scanner, self._scanner.at
        if not self.scope.events:
            reason = "patterns comes before stats and top"
            scanner.fail("sort", "limit", "fields", "where", at=began, reason=reason)
        count = DEFAULT_PATTERNS
        if not scanner.ended and scanner.peek() != "|":
            count = scanner.whole(f"a number of patterns from 1 to {MAX_PATTERNS:,}", 1, MAX_PATTERNS)
        self.scope = Scope({PATTERN: "text", COUNT: "number"}, events=False)
        return PatternsPipe(count)

    def _extract(self) -> Pipe:
        scanner, began = self._scanner, self._scanner.at
        if not self.scope.events:
            reason = "extract comes before stats and top"
            scanner.fail("sort", "limit", "fields", "where", at=began, reason=reason)
        expression, groups, pattern, ignore_case = self._expression()
        found = [name for name in groups if name]
        if not found:
            example = "<name> in the pattern" if pattern else "a group (?P<name>…) in the expression"
            scanner.fail(example, at=began)
        scanner.blanks()
        source, named = MESSAGE, scanner.at
        if scanner.keyword("from"):
            named = scanner.at
            source = self.scope.field(scanner)
        if self.scope.type_of(source) == "time":
            scanner.fail("a field with text", at=named, reason=f"'{source.name}' has the type time")
        outputs = dict(self.scope.outputs)
        for name in found:
            if name in names.COLUMNS or name in names.ALIASES:
                scanner.fail("another name", at=began, reason=f"'{name}' is a column of events")
            self._add_output(outputs, name, None, began)
        if len(outputs) > MAX_FIELDS:
            scanner.fail(f"at most {MAX_FIELDS} extracted fields", at=began)
        self.scope = replace(self.scope, outputs=outputs)
        return ExtractPipe(expression, pattern, source, ignore_case)

    def _expression(self) -> tuple[str, list[str | None], bool, bool]:
        """The expression, its groups, whether it is a pattern, and whether it ignores case."""
        scanner = self._scanner
        if scanner.keyword("pattern"):
            began = scanner.at
            text = scanner.quoted()
            if text is None:
                scanner.fail('a pattern such as "user <user> from <address>"')
            try:
                return text, list(pattern_names(text)), True, False
            except PatternError as fault:
                scanner.fail(fault.expected, at=began)
        regex = scanner.expression()
        if regex is None:
            scanner.fail("/regex with (?P<name>…)/", 'pattern "… <name> …"')
        return regex[0], regex[2], False, regex[1]

    def _fields(self, *, distinct: bool = False) -> tuple[FieldRef, ...]:
        fields: list[FieldRef] = []

        def field() -> FieldRef:
            began = self._scanner.at
            found = self.scope.field(self._scanner)
            if distinct and found.name in (each.name for each in fields):
                self._scanner.fail("another field", at=began, reason=f"'{found.name}' is there already")
            fields.append(found)
            return found

        return self._listed(field)

    def _listed(self, parse: Callable[[], T]) -> tuple[T, ...]:
        """One or more, with commas between them."""
        scanner, found = self._scanner, []
        while True:
            scanner.blanks()
            found.append(parse())
            scanner.blanks()
            if not scanner.take(","):
                return tuple(found)
            if len(found) == MAX_FIELDS:
                scanner.fail(f"at most {MAX_FIELDS} of them")


PIPES = ("stats", "sort", "limit", "fields", "where", "extract", "dedup", "top", "patterns")


def default_name(function: str, field: FieldRef | None) -> str:
    """The column of an aggregate without `as`."""
    return f"{function}_{field.name}" if field else function


def key_name(key: GroupKey) -> str:
    """The column of a key."""
    return BUCKET if isinstance(key, TimeBucket) else key.field.name
