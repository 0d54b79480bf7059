"""Compile a search to one SELECT and its bound values. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from functions.query.bindings import Bindings, Bound
from functions.query.compile import filters, hours
from functions.query.compile.counted import narrows_pages
from functions.query.errors import too_long
from functions.query.language.syntax_tree import Filter
from functions.query.requests.request import Search
from functions.query.results.cursor import MANAGED, Store
from functions.query.results.row_order import OnePass, PageRange, one_pass_of, page_of, sort_key
from functions.shared.tenancy import TenantId, row_filter

MAX_STATEMENT_CHARACTERS = 112 * 1024
"""Below the 128 KiB of `http_max_field_value_size`; a statement of this length takes a second to plan."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters. Its rows are those of functions.query.results.rows.EventRow.

    `one_pass`: the same page with the same parameters, where the engine can
    (functions.query.searching.one_pass).
    """

    sql: str
    parameters: dict[str, Bound]
    one_pass: OnePass | None = None


def statement(
    search: Search, tenant: TenantId, store: Store = MANAGED, *, with_identity: bool = True
) -> Statement:
    """The SELECT of `search` in the rows of `tenant` in `store`: one page, plus one row if there are more.

    `with_identity`: the table has the columns `object_id` and `position`.

    Raises HttpError 400 `query_too_heavy` when the statement is too long.
    """
    bindings = Bindings()
    conditions, tenant_parameters = base_conditions(
        tenant, search.since, search.until, search.filter, bindings
    )
    wanted = PageRange(search.order, search.limit + 1, search.after, store)
    matching = " AND ".join(conditions)
    key = sort_key(with_identity=with_identity)
    sql = page_of(matching, wanted, key, bindings)
    narrowed = narrowed_range(search, wanted, conditions, bindings)
    one_pass = one_pass_of(matching, wanted, key, bindings, narrowed)
    return checked(Statement(sql, {**bindings.parameters, **tenant_parameters}, one_pass))


class FilteredRange(Protocol):
    """A validated request: the events from `since` to `until` that meet `filter`."""

    @property
    def since(self) -> int: ...
    @property
    def until(self) -> int: ...
    @property
    def filter(self) -> Filter: ...


def narrowed_range(
    asked: FilteredRange, wanted: PageRange, conditions: Sequence[str], bindings: Bindings
) -> str | None:
    """A condition on the time that all rows of a page meet, found by counts of hours; None without one.

    `conditions`: the `base_conditions` of `asked`.
    """
    page_hours = hours.page_hours(asked.since, asked.until, wanted)
    if not page_hours or not narrows_pages(asked.filter):
        return None
    return hours.narrowed(asked.until, page_hours, wanted, _timeless(conditions), bindings)


def counts_statement(asked: FilteredRange, wanted: PageRange, tenant: TenantId) -> Statement | None:
    """The SELECT of counts by hour that `narrowed_range` contains; None without one."""
    page_hours = hours.page_hours(asked.since, asked.until, wanted)
    if not page_hours or not narrows_pages(asked.filter):
        return None
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, asked.since, asked.until, asked.filter, bindings)
    sql = hours.hour_counts(page_hours, _timeless(conditions), bindings)
    return Statement(sql, {**bindings.parameters, **parameters})


def _timeless(conditions: Sequence[str]) -> str:
    """The `base_conditions` without the time range."""
    tenant_filter, _, _, found = conditions
    return f"{tenant_filter} AND {found}"


def checked(compiled: Statement, max_characters: int = MAX_STATEMENT_CHARACTERS) -> Statement:
    """The statement, unless it is longer than ClickHouse reads in one field of a form.

    Raises
    ------
    HttpError: 400 `query_too_heavy`.
    """
    if len(compiled.sql) > max_characters:
        raise too_long()
    return compiled


def base_conditions(
    tenant: TenantId, since: int, until: int, found: Filter, bindings: Bindings
) -> tuple[list[str], dict[str, str]]:
    """The conditions of every search and table of events: the tenant, the time range, and the filter.

    The only place that restricts them to their tenant. Returns the tenant's parameters, too.
    """
    tenant_filter, tenant_parameters = row_filter(tenant)
    return [
        tenant_filter,
        f"timestamp >= {bindings.instant(since)}",
        f"timestamp < {bindings.instant(until)}",
        filters.sql(found, bindings),
    ], tenant_parameters
