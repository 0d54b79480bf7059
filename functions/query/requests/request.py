"""Decode and validate the body of `POST /v1/search`; the result is a search that can run."""

import hashlib
import time
from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from functions.query import times
from functions.query.errors import invalid_query
from functions.query.language.errors import QuerySyntaxError
from functions.query.language.parser import MAX_CHARACTERS, parse_filter
from functions.query.language.syntax_tree import EVERYTHING, AllOf, Equals, FieldRef, Filter
from functions.query.limits import budget
from functions.query.requests import time_expressions
from functions.query.requests.conditions import MAX_CHOICES, Where, level_named, where_filter, words_filters
from functions.query.requests.time_expressions import Written
from functions.query.requests.time_zones import MAX_CHARACTERS as MAX_ZONE_CHARACTERS
from functions.query.requests.time_zones import time_zone
from functions.query.results import cursor as cursors
from functions.query.results.row_order import Order
from functions.shared.forms import decoded, invalid

DEFAULT_RANGE_NS = 24 * 3600 * times.NANOSECONDS
"""The default of `from`: this long before `to`, whose default is now."""

MAX_CONDITIONS = 32

Name = Annotated[str, Meta(max_length=1024)]
Names = Annotated[list[Name], Meta(max_length=MAX_CHOICES)]


class FilterBody(Struct, forbid_unknown_fields=True):
    """Which events: a time range, and conditions that must all hold. Every field is optional."""

    since: Written | None = field(default=None, name="from")
    until: Written | None = field(default=None, name="to")
    projects: Names = []
    services: Names = []
    levels: Names = []
    q: Annotated[str, Meta(max_length=4096)] = ""
    query: Annotated[str, Meta(max_length=MAX_CHARACTERS)] | None = None
    where: Annotated[list[Where], Meta(max_length=MAX_CONDITIONS)] = []
    trace_id: Name | None = None
    time_zone: Annotated[str, Meta(max_length=MAX_ZONE_CHARACTERS)] = "UTC"


class SearchBody(FilterBody, forbid_unknown_fields=True):
    """The request body of a search."""

    order: Order = "desc"
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: Annotated[str, Meta(max_length=4096)] | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A validated search: from `since` (inclusive) to `until` (exclusive), nanoseconds since 1970."""

    since: int
    until: int
    filter: Filter
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
    return search_of(decoded(content or b"{}", SearchBody), now_ns)


def search_of(body: SearchBody, now_ns: int | None = None) -> Search:
    """The search that `body` asks for; raises as `search` does."""
    found = search_filter(body)
    budget.check(found)
    digest = _digest(body)
    after, since, until = _page(body, digest, time.time_ns() if now_ns is None else now_ns)
    return Search(
        since=since,
        until=until,
        filter=found,
        order=body.order,
        limit=body.limit,
        after=after,
        digest=digest,
    )


def search_filter(body: FilterBody) -> Filter:
    """All conditions of `body`, whose query has no pipes; each of them must hold.

    Raises
    ------
    HttpError: 400 `invalid_<field>` or `invalid_query`.
    """
    conditions = json_filters(body)
    if body.query is not None:
        conditions.append(query_filter(body.query))
    return all_of(conditions)


def json_filters(body: FilterBody) -> list[Filter]:
    """The conditions of `body` without its query.

    Raises
    ------
    HttpError: 400 `invalid_<field>`.
    """
    conditions = [*_chosen_filters(body), *words_filters(body.q)]
    return [*conditions, *(where_filter(where, f"where[{at}]") for at, where in enumerate(body.where))]


def _chosen_filters(body: FilterBody) -> list[Filter]:
    """The filters of the lists, and of `trace_id`."""
    levels = [level_named(level, f"levels[{at}]") for at, level in enumerate(body.levels)]
    chosen = {"project_id": body.projects, "service": body.services, "level": levels}
    if body.trace_id is not None:
        chosen["trace_id"] = [body.trace_id]
    return [Equals(FieldRef("column", name), tuple(values)) for name, values in chosen.items() if values]


def query_filter(text: str) -> Filter:
    """The filter of a query without pipes.

    Raises
    ------
    HttpError: 400 `invalid_query`.
    """
    try:
        return parse_filter(text)
    except QuerySyntaxError as fault:
        raise invalid_query(fault) from None


def all_of(conditions: list[Filter]) -> Filter:
    """All of `conditions`, of which there may be none."""
    flat: list[Filter] = []
    for each in conditions:
        flat += each.operands if isinstance(each, AllOf) else [each]
    if len(flat) < 2:
        return flat[0] if flat else EVERYTHING
    return AllOf(tuple(flat))


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
    return None, *time_range(body, now_ns)


def time_range(body: FilterBody, now_ns: int | None = None) -> tuple[int, int]:
    """From (inclusive) and to (exclusive), in nanoseconds since 1970; by default the last day.

    Raises
    ------
    HttpError: 400 `invalid_from`, `invalid_to` or `invalid_time_zone`.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    zone = time_zone(body.time_zone)
    until = now_ns if body.until is None else instant("to", body.until, now_ns, zone)
    if body.since is None:
        return max(0, until - DEFAULT_RANGE_NS), until
    since = instant("from", body.since, now_ns, zone)
    if since > until:
        raise invalid("from", "must not be later than 'to', whose default is now")
    return since, until


def instant(name: str, written: Written, now_ns: int, zone: tzinfo) -> int:
    """`written` in the field `name`, in nanoseconds since 1970.

    Raises
    ------
    HttpError: 400 `invalid_<name>`.
    """
    try:
        return time_expressions.parse(written, now_ns, zone)
    except ValueError as fault:
        raise invalid(name, str(fault)) from fault
