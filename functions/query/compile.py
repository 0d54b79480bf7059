"""Compile a search to one SELECT and its bound values. Pure."""

from dataclasses import dataclass

from functions.query import conditions, words
from functions.query.bindings import Bindings, Bound
from functions.query.cursor import MANAGED, Store
from functions.query.request import Search
from functions.query.row_order import PageRange, page_of, sort_key
from functions.shared.tenancy import TenantId, row_filter


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
    """
    bindings = Bindings()
    # The only place that restricts a search to its tenant; both passes start from it.
    tenant_filter, tenant_parameters = row_filter(tenant)
    matching = " AND ".join((tenant_filter, *_filters(search, bindings)))
    wanted = PageRange(search.order, search.limit + 1, search.after, store)
    sql = page_of(matching, wanted, sort_key(with_identity=with_identity), bindings)
    return Statement(sql, {**bindings.parameters, **tenant_parameters})


def _filters(search: Search, bindings: Bindings) -> list[str]:
    found = [
        f"timestamp >= {bindings.instant(search.since)}",
        f"timestamp < {bindings.instant(search.until)}",
    ]
    chosen = {"project_id": search.projects, "service": search.services, "level": search.levels}
    found += [f"{column} IN {bindings.texts(names)}" for column, names in chosen.items() if names]
    if search.trace_id is not None:
        found.append(f"trace_id = {bindings.text(search.trace_id)}")
    found += [words.condition(term, bindings) for term in search.terms]
    found += [conditions.sql(condition, bindings) for condition in search.conditions]
    return found
