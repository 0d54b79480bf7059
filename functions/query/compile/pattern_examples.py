"""Compile the SELECT of examples of patterns: events of their templates that their filters find. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions, checked, filters
from functions.query.compile.templates import pattern_number
from functions.query.language.syntax_tree import EVERYTHING, Filter
from functions.query.results.row_order import selection, sort_key
from functions.shared.tenancy import TenantId

EXAMPLES = 3
MAX_EVENT_BYTES = 32 * 1024
"""The limit for the message and the metadata of an example."""


@dataclass(frozen=True, slots=True)
class WantedPattern:
    """`hashes` of its templates, the times of events with them, and its filter, if it has one."""

    hashes: Sequence[str]
    times: Sequence[int]
    filter: Filter | None


def example_statement(
    tenant: TenantId,
    since: int,
    until: int,
    found: Filter,
    patterns: Sequence[WantedPattern],
    *,
    with_identity: bool,
) -> Statement:
    """The SELECT of examples of each pattern among the events that meet `found`.

    The column `row_hash` is the number of the pattern from 1, so no two rows of one pattern differ by it.

    Raises
    ------
    HttpError: 400 `query_too_heavy` when the statement is too long.
    """
    bindings = Bindings()
    conditions, parameters = base_conditions(tenant, since, until, found, bindings)
    hashes = [(each, at) for at, pattern in enumerate(patterns, 1) for each in pattern.hashes]
    number = pattern_number([each for each, _ in hashes], [at for _, at in hashes], bindings)
    instants = sorted({each for pattern in patterns for each in pattern.times})
    held = [
        f"number = '{at}', {filters.sql(pattern.filter or EVERYTHING, bindings)}"
        for at, pattern in enumerate(patterns, 1)
    ]
    key = sort_key(with_identity=with_identity)
    parts = [
        *conditions,
        f"timestamp IN {bindings.instants(instants)}",
        f"length(message) + length(metadata) <= {MAX_EVENT_BYTES}",
        f"multiIf({', '.join(held)}, 0)",
    ]
    sql = (
        f"WITH {number} AS number {selection(replace(key, row_hash='number'))} WHERE {' AND '.join(parts)} "
        f"ORDER BY timestamp DESC, object_id DESC, position DESC LIMIT {EXAMPLES} BY number"
    )
    return checked(Statement(sql, {**bindings.parameters, **parameters}))
