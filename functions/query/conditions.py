"""`where` conditions on fields, compiled to SQL that is 1 or 0 for every row and never NULL.

`ne` is the opposite of `eq`: it also finds rows without the field. Text compares byte by byte. A text column
is never missing: it compares as empty text, and it `exists` when it is not empty. functions.query.metadata
describes how metadata values compare.
"""

from dataclasses import dataclass
from typing import Literal

from functions.query import metadata
from functions.query.bindings import Bindings
from functions.query.tokens import Scalar

Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "exists", "contains"]
COMPARISONS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

TEXT_COLUMNS = frozenset({"project_id", "level", "service", "message", "trace_id", "span_id"})
TIME_COLUMNS = frozenset({"timestamp", "received_at"})
METADATA = "metadata."


@dataclass(frozen=True, slots=True)
class FieldCondition:
    """One condition, checked by functions.query.request.

    `field`: a column or `metadata.<key>`. `values`: one value, or several for `in`; nanoseconds since 1970
    for a time column; none for `exists`, whose expected result is `wanted`.
    """

    field: str
    op: Operator
    values: tuple[Scalar, ...] = ()
    wanted: bool = True


def sql(condition: FieldCondition, bindings: Bindings) -> str:
    """The SQL of `condition`."""
    match condition.op:
        case "eq" | "in":
            return _any_equal(condition, bindings)
        case "ne":
            return f"NOT {_any_equal(condition, bindings)}"
        case "exists":
            held = _exists(condition, bindings)
            return held if condition.wanted else f"NOT {held}"
        case "contains":
            return _contains(condition, bindings)
        case _:
            return _compared(condition, bindings)


def _any_equal(condition: FieldCondition, bindings: Bindings) -> str:
    key = _metadata_key(condition)
    if key is not None:
        return metadata.equals_any(key, condition.values, bindings)
    if len(condition.values) == 1:
        return f"({condition.field} = {_bound(condition, condition.values[0], bindings)})"
    if condition.field in TIME_COLUMNS:
        # A set takes the type of the compared expression: fewer than nine digits would truncate a value.
        column = (
            "timestamp" if condition.field == "timestamp" else f"toDateTime64({condition.field}, 9, 'UTC')"
        )
        instants = [value for value in condition.values if isinstance(value, int)]
        return f"({column} IN {bindings.instants(instants)})"
    return f"({condition.field} IN {bindings.texts([str(value) for value in condition.values])})"


def _exists(condition: FieldCondition, bindings: Bindings) -> str:
    key = _metadata_key(condition)
    if key is not None:
        return metadata.exists(key, bindings)
    return "(1 = 1)" if condition.field in TIME_COLUMNS else f"({condition.field} != '')"


def _contains(condition: FieldCondition, bindings: Bindings) -> str:
    key = _metadata_key(condition)
    text = str(condition.values[0])
    if key is not None:
        return metadata.contains(key, text, bindings)
    return f"(position({condition.field}, {bindings.text(text)}) > 0)"


def _compared(condition: FieldCondition, bindings: Bindings) -> str:
    key = _metadata_key(condition)
    value = condition.values[0]
    sign = COMPARISONS[condition.op]
    if key is not None:
        return metadata.compares(key, sign, value, bindings)
    return f"({condition.field} {sign} {_bound(condition, value, bindings)})"


def _metadata_key(condition: FieldCondition) -> str | None:
    field = condition.field
    return field.removeprefix(METADATA) if field.startswith(METADATA) else None


def _bound(condition: FieldCondition, value: Scalar, bindings: Bindings) -> str:
    if condition.field in TIME_COLUMNS and isinstance(value, int):
        return bindings.instant(value)
    return bindings.text(str(value))
