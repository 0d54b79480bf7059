"""Conditions on the outputs of pipes, which are nullable: a missing value meets no condition."""

from dataclasses import dataclass

from functions.query.bindings import Bindings
from functions.query.compile.text_match import like_check, regex_check
from functions.query.language.literals import number
from functions.query.language.scope import AnyType
from functions.query.language.syntax_tree import (
    Bound,
    ContainsText,
    Equals,
    Exists,
    InRange,
    Like,
    Loose,
    MatchesRegex,
    Value,
)

_JSON_NUMBER = r"'^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$'"


@dataclass(frozen=True, slots=True)
class Output:
    """`sql`: its expression. `kind`: None for text that is compared with a number as a number."""

    sql: str
    kind: AnyType


def condition(
    found: Equals | InRange | Exists | Like | MatchesRegex | ContainsText, output: Output, bindings: Bindings
) -> str:
    """The SQL of a condition on `output`."""
    match found:
        case Equals():
            held = " OR ".join(_equal(output, value, bindings) for value in found.values)
        case InRange():
            ends = [(">", found.low), ("<", found.high)]
            held = " AND ".join(_compared(output, sign, end, bindings) for sign, end in ends if end)
        case Exists():
            held = f"isNotNull({output.sql})" if output.kind != "text" else f"{output.sql} != ''"
        case ContainsText():
            held = f"position({output.sql}, {bindings.text(found.text)}) > 0"
        case Like():
            held = like_check(found.parts, bindings)(output.sql)
        case MatchesRegex():
            check = regex_check(found.pattern, ignore_case=found.ignore_case, bindings=bindings)
            held = check(output.sql)
    return f"ifNull({held}, 0)"


def number_of(output: Output) -> str:
    """SQL: the value as a number; NULL for other text."""
    if output.kind == "number":
        return output.sql
    return f"if(match(ifNull({output.sql}, ''), {_JSON_NUMBER}), toFloat64OrNull({output.sql}), NULL)"


def _equal(output: Output, value: Value, bindings: Bindings) -> str:
    if not isinstance(value, Loose):
        return f"ifNull({output.sql} = {_bound(output, value, bindings)}, 0)"
    text = f"ifNull({output.sql} = {bindings.text(value.text)}, 0)"
    as_number = number(value.text)
    if as_number is None:
        return text
    return f"{text} OR ifNull({number_of(output)} = {bindings.number(as_number)}, 0)"


def _compared(output: Output, sign: str, end: Bound, bindings: Bindings) -> str:
    compared = f"{sign}{'=' if end.inclusive else ''}"
    is_number = output.kind is None and not isinstance(end.value, str)
    left = number_of(output) if is_number else output.sql
    return f"{left} {compared} {_bound(output, end.value, bindings)}"


def _bound(output: Output, value: Value, bindings: Bindings) -> str:
    if output.kind == "time" and isinstance(value, int):
        return bindings.instant(value)
    return bindings.text(value) if isinstance(value, str) else bindings.number(float(str(value)))
