"""Decode and validate the body of `POST /v1/search`; the result is a search that can run."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from functions.query import budget, times, words
from functions.query import cursor as cursors
from functions.query.conditions import METADATA, TEXT_COLUMNS, TIME_COLUMNS, FieldCondition, Operator
from functions.query.row_order import Order
from functions.query.tokens import Scalar
from functions.shared.forms import decoded, invalid

DEFAULT_RANGE_NS = 24 * 3600 * times.NANOSECONDS
"""The default of `from`: this long before `to`, whose default is now."""

MAX_CHOICES = 1000
MAX_CONDITIONS = 32

Name = Annotated[str, Meta(max_length=1024)]
Names = Annotated[list[Name], Meta(max_length=MAX_CHOICES)]

T = TypeVar("T")


class Where(Struct, forbid_unknown_fields=True):
    """One condition as it was sent."""

    field: Annotated[str, Meta(min_length=1, max_length=1024)]
    op: Operator
    value: Any = msgspec.UNSET


class SearchBody(Struct, forbid_unknown_fields=True):
    """The request body; every field is optional."""

    since: str | None = field(default=None, name="from")
    until: str | None = field(default=None, name="to")
    projects: Names = []
    services: Names = []
    levels: Names = []
    q: Annotated[str, Meta(max_length=4096)] = ""
    where: Annotated[list[Where], Meta(max_length=MAX_CONDITIONS)] = []
    trace_id: Name | None = None
    order: Order = "desc"
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: Annotated[str, Meta(max_length=4096)] | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A validated search: from `since` (inclusive) to `until` (exclusive), nanoseconds since 1970."""

    since: int
    until: int
    projects: list[str]
    services: list[str]
    levels: list[str]
    terms: tuple[words.Term, ...]
    conditions: tuple[FieldCondition, ...]
    trace_id: str | None
    order: Order
    limit: int
    after: cursors.CursorPosition | None
    digest: str
    """Identifies the search, independent of page and page size."""


def search(content: bytes, now_ns: int | None = None) -> Search:
    """The search that `content` asks for.

    Raises
    ------
    HttpError: 400 `invalid_<field>`, `unknown_field` or `invalid_body`.
    """
    body = decoded(content or b"{}", SearchBody)
    conditions = tuple(_condition(where, f"where[{at}]") for at, where in enumerate(body.where))
    _check_budget(body, conditions)
    digest = _digest(body)
    after, since, until = _page(body, digest, time.time_ns() if now_ns is None else now_ns)
    terms = words.parse(body.q)
    if len(terms) > words.MAX_TERMS:
        raise invalid("q", f"has more than {words.MAX_TERMS} words and phrases")
    return Search(
        since=since,
        until=until,
        projects=body.projects,
        services=body.services,
        levels=[level.lower() for level in body.levels],
        terms=terms,
        conditions=conditions,
        trace_id=body.trace_id,
        order=body.order,
        limit=body.limit,
        after=after,
        digest=digest,
    )


def _check_budget(body: SearchBody, conditions: tuple[FieldCondition, ...]) -> None:
    fields = [where.field for where in body.where]
    budget.check_paths(
        (f"where[{at}].field", name.removeprefix(METADATA))
        for at, name in enumerate(fields)
        if name.startswith(METADATA)
    )
    compared = [value for condition in conditions for value in condition.values]
    names = [*body.projects, *body.services, *body.levels]
    budget.check_values([*compared, *names], [body.q, body.trace_id or "", *fields])


def _digest(body: SearchBody) -> str:
    asked = msgspec.structs.replace(body, cursor=None, limit=1)
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()[:16]


def _page(body: SearchBody, digest: str, now_ns: int) -> tuple[cursors.CursorPosition | None, int, int]:
    if body.cursor is not None:
        try:
            cursor = cursors.decode(body.cursor)
        except cursors.OldCursorError as fault:
            raise invalid("cursor", "is of an earlier version of this API: start again without it") from fault
        except cursors.CursorError as fault:
            raise invalid("cursor", "must be the 'next_cursor' of a search") from fault
        if cursor.digest != digest:
            raise invalid("cursor", "belongs to another search: send it with the body of that search")
        return cursor.position, cursor.since, cursor.until
    until = now_ns if body.until is None else _checked("to", times.parse, body.until)
    if body.since is None:
        return None, max(0, until - DEFAULT_RANGE_NS), until
    since = _checked("from", times.parse, body.since)
    if since > until:
        raise invalid("from", "must not be later than 'to', whose default is now")
    return None, since, until


def _checked(name: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as fault:
        raise invalid(name, f"is {fault}") from fault


def _condition(where: Where, name: str) -> FieldCondition:
    if where.field not in TEXT_COLUMNS | TIME_COLUMNS and not where.field.startswith(METADATA):
        columns = ", ".join(sorted(TEXT_COLUMNS | TIME_COLUMNS))
        raise invalid(f"{name}.field", f"must be one of {columns} or metadata.<key>")
    if where.op == "exists":
        if where.value is not msgspec.UNSET and not isinstance(where.value, bool):
            raise invalid(f"{name}.value", "must be true, false or omitted for 'exists'")
        return FieldCondition(where.field, "exists", wanted=where.value is not False)
    if where.value is msgspec.UNSET:
        raise invalid(f"{name}.value", "is missing")
    values = where.value if where.op == "in" else [where.value]
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_CHOICES:
        raise invalid(f"{name}.value", f"must be a list of 1 to {MAX_CHOICES} values for 'in'")
    return FieldCondition(
        where.field, where.op, tuple(_value(where, value, f"{name}.value") for value in values)
    )


def _value(where: Where, value: Any, name: str) -> Scalar:
    if isinstance(value, (list, dict)):
        raise invalid(name, "must be text, a number, true, false or null")
    if where.field in TIME_COLUMNS:
        return _time(where, value, name)
    if (where.field in TEXT_COLUMNS or where.op == "contains") and not isinstance(value, str):
        raise invalid(name, f"must be text for '{where.op}' on '{where.field}'")
    if where.op in ("lt", "lte", "gt", "gte") and (value is None or isinstance(value, bool)):
        raise invalid(name, f"must be a number or text for '{where.op}'")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise invalid(name, "is a whole number beyond 64 bits, which is stored as text: send it as text")
    checked: Scalar = value
    return checked


def _time(where: Where, value: Any, name: str) -> int:
    if where.op == "contains" or not isinstance(value, str):
        raise invalid(name, f"must be an RFC 3339 time, and '{where.field}' does not support 'contains'")
    return _checked(name, times.parse, value)
