"""Compile a search to one SELECT and its bound values. Pure."""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from dataclasses import dataclass

from functions.query.bindings import Bindings, Bound
from functions.query.compile import filters
from functions.query.cursor import MANAGED, Store
from functions.query.errors import too_long
from functions.query.language.syntax_tree import Filter
from functions.query.request import Search
from functions.shared.tenancy import TenantId, row_filter

COLUMNS = (
    "timestamp", "received_at", "level", "service", "project_id",
    "message", "trace_id", "span_id", "metadata",
)  # fmt: skip

ROW_HASH = f"sipHash64({', '.join(COLUMNS[1:])})"


MAX_STATEMENT_CHARACTERS = 112 * 1024
"""Below the 128 KiB of `http_max_field_value_size`; a statement of this length takes a second to plan."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters. Its rows have COLUMNS, `batch_id` and `row_hash` (a number as text)."""

    sql: str
    parameters: dict[str, Bound]


def statement(search: Search, tenant: TenantId, store: Store = MANAGED) -> Statement:
    """The SELECT of `search` in the rows of `tenant` in `store`: one page, plus one row if there are more.

    Raises HttpError 400 `query_too_heavy` when the statement is too long.

    Rows are ordered by time, then batch, then hash. The hash needs every column of a row, so a first, narrow
    pass finds the time at which the page ends. Only rows up to that time are hashed and sorted.
    """
    bindings = Bindings()
    conditions, tenant_parameters = base_conditions(
        tenant, search.since, search.until, search.filter, bindings
    )
    matching = " AND ".join(conditions)
    size = search.limit + 1
    parts = [matching, *_window(search, matching, size, bindings, store)]
    skipped = search.after.given if search.after and search.after.store == store else 0
    sql = (
        f"SELECT {', '.join(COLUMNS)}, batch_id, toString({ROW_HASH}) AS row_hash FROM events "
        f"WHERE {' AND '.join(parts)} "
        f"ORDER BY timestamp {search.order.upper()}, batch_id, {ROW_HASH} LIMIT {skipped}, {size}"
    )
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
    """The conditions of every read of events: the tenant, the time range, and the filter.

    The only place that restricts a search to its tenant. Returns the tenant's parameters, too.
    """
    tenant_filter, tenant_parameters = row_filter(tenant)
    return [
        tenant_filter,
        f"timestamp >= {bindings.instant(since)}",
        f"timestamp < {bindings.instant(until)}",
        filters.sql(found, bindings),
    ], tenant_parameters


def _window(search: Search, matching: str, size: int, bindings: Bindings, store: Store) -> list[str]:
    """The range from the last returned row, if any, to the time by which `size` further rows are found.

    It includes the rows of exactly that position, unless `store` is before the store of that row: then all of
    them were returned.
    """
    beyond, within, last = ("<", ">=", "min") if search.order == "desc" else (">", "<=", "max")
    if search.after is None:
        return [f"timestamp {within} {_end(matching, last, search, size)}"]
    at = bindings.instant(search.after.instant)
    batch, row_hash = bindings.text(search.after.batch_id), bindings.whole(search.after.row_hash)
    following = ">" if store < search.after.store else ">="
    resumed = (
        f"(timestamp {beyond} {at} OR timestamp = {at} AND "
        f"(batch_id > {batch} OR batch_id = {batch} AND {ROW_HASH} {following} {row_hash}))"
    )
    # When no row is left, the range ends at the epoch, which must not exclude rows at exactly that time.
    end = _end(f"{matching} AND timestamp {beyond} {at}", last, search, size)
    return [resumed, f"(timestamp {within} {end} OR timestamp = {at})"]


def _end(matching: str, last: str, search: Search, size: int) -> str:
    return (
        f"(SELECT {last}(timestamp) FROM (SELECT timestamp FROM events WHERE {matching} "
        f"ORDER BY timestamp {search.order.upper()} LIMIT {size}))"
    )
