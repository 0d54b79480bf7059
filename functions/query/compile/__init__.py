"""Compile a search to one SELECT and its bound values. Pure."""

from dataclasses import dataclass

from functions.query.bindings import Bindings, Bound
from functions.query.compile import filters
from functions.query.cursor import MANAGED, Store
from functions.query.errors import too_long
from functions.query.language.syntax_tree import Filter
from functions.query.request import Search
from functions.query.row_order import PageRange, page_of, sort_key
from functions.shared.tenancy import TenantId, row_filter

MAX_STATEMENT_CHARACTERS = 112 * 1024
"""Below the 128 KiB of `http_max_field_value_size`; a statement of this length takes a second to plan."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters. Its rows are those of functions.query.rows.EventRow."""

    sql: str
    parameters: dict[str, Bound]


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
    sql = page_of(" AND ".join(conditions), wanted, sort_key(with_identity=with_identity), bindings)
    return checked(Statement(sql, {**bindings.parameters, **tenant_parameters}))


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
