"""JSON conditions as a filter: `q`, and the `where` of a search. They are strict in types.

Conditions on the level take the names of levels and compare by severity, as in a query. `ne` is the opposite
of `eq`: it also finds rows without the field. functions.query.compile.metadata describes how metadata values
compare.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from functions.query import times
from functions.query.language.filter_parser import LEVEL
from functions.query.language.names import (
    MAX_PATH_PARTS,
    METADATA,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    path_parts,
)
from functions.query.language.syntax_tree import (
    Bound,
    ContainsText,
    ContainsWords,
    Equals,
    Exists,
    FieldRef,
    Filter,
    InRange,
    Negation,
)
from functions.query.tokens import Scalar
from functions.shared.events.levels import CANONICAL, canonical
from functions.shared.forms import invalid

MAX_CHOICES = 1000
MAX_TERMS = 32

Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "exists", "contains"]

_TERM = re.compile(r'(?P<negated>-(?=[^\s]))?(?:"(?P<phrase>[^"]*)"?|(?P<text>\S+))')


class Where(Struct, forbid_unknown_fields=True):
    """One condition as it was sent."""

    field: Annotated[str, Meta(min_length=1, max_length=1024)]
    op: Operator
    value: Any = msgspec.UNSET


def words_filters(q: str) -> list[Filter]:
    """The terms of `q`; an unclosed quotation mark extends to the end. Empty phrases are ignored.

    Raises
    ------
    HttpError: 400 `invalid_q` when there are too many.
    """
    found: list[Filter] = []
    for match in _TERM.finditer(q):
        text = match["phrase"] if match["phrase"] is not None else match["text"]
        if text:
            found.append(Negation(ContainsWords(text)) if match["negated"] else ContainsWords(text))
    if len(found) > MAX_TERMS:
        raise invalid("q", f"has more than {MAX_TERMS} words and phrases")
    return found


def where_filter(where: Where, name: str) -> Filter:
    """The filter of a condition, which is at `name` in the body.

    Raises
    ------
    HttpError: 400 `invalid_where`.
    """
    field = _field(where.field, name)
    if where.op == "contains" and where.field in TIME_COLUMNS:
        raise invalid(f"{name}.op", f"must not be 'contains' for '{where.field}': compare times")
    if where.op == "exists":
        if where.value is not msgspec.UNSET and not isinstance(where.value, bool):
            raise invalid(f"{name}.value", "must be true, false or omitted for 'exists'")
        return Negation(Exists(field)) if where.value is False else Exists(field)
    values = _values(where, name)
    if field == LEVEL and where.op != "contains":
        values = _levels(where.op, values, f"{name}.value")
    match where.op:
        case "eq" | "in":
            return Equals(field, values)
        case "ne":
            return Negation(Equals(field, values))
        case "contains":
            return ContainsText(field, str(values[0]))
        case _ if field == LEVEL:
            return Equals(field, values)
        case _:
            return _range(where.op, field, values[0])


def level_named(text: str, name: str) -> str:
    """The level that the text at `name` in the body names.

    Raises
    ------
    HttpError: 400 `invalid_<field>`.
    """
    level = canonical(text)
    if level is None:
        raise invalid(name, f"must be one of {', '.join(CANONICAL)}")
    return level


def _levels(op: Operator, values: Sequence[Scalar], name: str) -> tuple[str, ...]:
    """The levels for which the condition holds (`ne`: does not hold); ranges are by severity."""
    named = tuple(level_named(str(value), name) for value in values)
    at = CANONICAL.index(named[0])
    match op:
        case "lt" | "lte":
            held = CANONICAL[: at + (op == "lte")]
        case "gt" | "gte":
            held = CANONICAL[at + (op == "gt") :]
        case _:
            return named
    if not held:
        raise invalid(name, f"leaves no level for '{op}': the levels are {', '.join(CANONICAL)}")
    return held


def _range(op: Operator, field: FieldRef, value: Scalar) -> Filter:
    # _value lets through text and numbers only.
    bound = Bound(value if isinstance(value, str | int | float) else 0, inclusive=op.endswith("e"))
    return InRange(field, bound, None) if op.startswith("g") else InRange(field, None, bound)


def _field(sent: str, name: str) -> FieldRef:
    if sent.startswith(METADATA):
        path = sent.removeprefix(METADATA)
        if path_parts(path) > MAX_PATH_PARTS:
            wrong = (
                f"has {path_parts(path):,} parts between dots, more than {MAX_PATH_PARTS}: shorten the path"
            )
            raise invalid(f"{name}.field", wrong)
        return FieldRef("path", path)
    if sent not in TEXT_COLUMNS | TIME_COLUMNS:
        columns = ", ".join(sorted(TEXT_COLUMNS | TIME_COLUMNS))
        raise invalid(f"{name}.field", f"must be one of {columns} or metadata.<key>")
    return FieldRef("column", sent)


def _values(where: Where, name: str) -> tuple[Scalar, ...]:
    if where.value is msgspec.UNSET:
        raise invalid(f"{name}.value", "is missing")
    values = where.value if where.op == "in" else [where.value]
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_CHOICES:
        raise invalid(f"{name}.value", f"must be a list of 1 to {MAX_CHOICES} values for 'in'")
    return tuple(_value(where, value, f"{name}.value") for value in values)


def _value(where: Where, value: Any, name: str) -> Scalar:
    if isinstance(value, (list, dict)):
        raise invalid(name, "must be text, a number, true, false or null")
    if where.field in TIME_COLUMNS:
        return _time(value, name)
    if (where.field in TEXT_COLUMNS or where.op == "contains") and not isinstance(value, str):
        raise invalid(name, f"must be text for '{where.op}' on '{where.field}'")
    if where.op in ("lt", "lte", "gt", "gte") and (value is None or isinstance(value, bool)):
        raise invalid(name, f"must be a number or text for '{where.op}'")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise invalid(name, "is a whole number beyond 64 bits, which is stored as text: send it as text")
    checked: Scalar = value
    return checked


def _time(value: Any, name: str) -> int:
    if not isinstance(value, str):
        raise invalid(name, "must be an RFC 3339 time such as 2026-11-23T10:00:00Z")
    try:
        return times.parse(value)
    except ValueError as fault:
        raise invalid(name, f"is {fault}") from fault
