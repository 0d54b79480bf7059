"""Conditions on columns of the events table."""

from functions.query.bindings import Bindings
from functions.query.compile import words
from functions.query.compile.regex_words import required_words
from functions.query.compile.text_match import like_check, regex_check
from functions.query.language.names import TIME_COLUMNS
from functions.query.language.syntax_tree import (
    MESSAGE,
    Bound,
    ContainsText,
    Equals,
    Exists,
    InRange,
    Like,
    MatchesRegex,
    Value,
)


def condition(
    found: Equals | InRange | Exists | Like | MatchesRegex | ContainsText, bindings: Bindings
) -> str:
    """The SQL of a condition on a column."""
    column = found.field.name
    match found:
        case Equals():
            return _equals(found, bindings)
        case InRange():
            ends = [(">", found.low), ("<", found.high)]
            parts = [_compared(column, sign, end, bindings) for sign, end in ends if end]
            return f"({' AND '.join(parts)})"
        case Exists():
            return "(1 = 1)" if column in TIME_COLUMNS else f"({column} != '')"
        case ContainsText():
            return f"(position({column}, {bindings.text(found.text)}) > 0)"
        case Like():
            required = words.required(found.parts, bindings) if found.field == MESSAGE else []
            return f"({' AND '.join([*required, like_check(found.parts, bindings)(column)])})"
        case MatchesRegex():
            check = regex_check(found.pattern, ignore_case=found.ignore_case, bindings=bindings)
            required = _regex_words(found, bindings) if found.field == MESSAGE else []
            return f"({' AND '.join([*required, check(column)])})"


def _regex_words(found: MatchesRegex, bindings: Bindings) -> list[str]:
    return words.longest(required_words(found.pattern, ignore_case=found.ignore_case), bindings)


def _equals(found: Equals, bindings: Bindings) -> str:
    column, values = found.field.name, found.values
    if len(values) == 1:
        equal = f"{column} = {_bound(column, values[0], bindings)}"
        required = words.required((str(values[0]),), bindings) if found.field == MESSAGE else []
        return f"({' AND '.join([*required, equal])})"
    if column in TIME_COLUMNS:
        # A set takes the type of the compared expression: fewer than nine digits would truncate a value.
        exact = column if column == "timestamp" else f"toDateTime64({column}, 9, 'UTC')"
        return f"({exact} IN {bindings.instants([value for value in values if isinstance(value, int)])})"
    return f"({column} IN {bindings.texts([str(value) for value in values])})"


def _compared(column: str, sign: str, end: Bound, bindings: Bindings) -> str:
    return f"{column} {sign}{'=' if end.inclusive else ''} {_bound(column, end.value, bindings)}"


def _bound(column: str, value: Value, bindings: Bindings) -> str:
    if column in TIME_COLUMNS and isinstance(value, int):
        return bindings.instant(value)
    return bindings.text(str(value))
