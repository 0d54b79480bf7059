"""The statements of a tail: the rows of committed batches. Pure."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from functions.query import times
from functions.query.bindings import Bindings
from functions.query.compile import Statement, base_conditions, checked
from functions.query.language.syntax_tree import EVERYTHING, Filter
from functions.query.results.row_order import PageRange, page_of, sort_key
from functions.query.tailing.commit_reader import TenantBatch
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import UnusableAnswerError


class _Count(Struct):
    rows: str


class _CountAnswer(Struct):
    data: list[_Count]


_COUNT = msgspec.json.Decoder(_CountAnswer)


def rows_statement(
    tenant: TenantId,
    batches: Sequence[TenantBatch],
    found: Filter,
    wanted: PageRange,
    *,
    with_identity: bool = True,
) -> Statement:
    """The SELECT of the page `wanted` of the tenant's rows in `batches` that match `found`."""
    bindings = Bindings()
    matching, parameters = _conditions(tenant, batches, found, bindings)
    sql = page_of(matching, wanted, sort_key(with_identity=with_identity), bindings)
    return checked(Statement(sql, {**bindings.parameters, **parameters}))


def count_statement(tenant: TenantId, batches: Sequence[TenantBatch]) -> Statement:
    """The SELECT that counts the tenant's rows in `batches`."""
    bindings = Bindings()
    matching, parameters = _conditions(tenant, batches, EVERYTHING, bindings)
    sql = f"SELECT toString(count()) AS rows FROM events WHERE {matching}"  # noqa: S608 - no caller's text
    return Statement(sql, {**bindings.parameters, **parameters})


def decode_count(answer: bytes) -> int:
    """The number in the answer to `count_statement`.

    Raises
    ------
    UnusableAnswerError: it has none.
    """
    try:
        (row,) = _COUNT.decode(answer).data
        return int(row.rows)
    except (msgspec.MsgspecError, ValueError):
        raise UnusableAnswerError("the answer has no count") from None


def _conditions(
    tenant: TenantId, batches: Sequence[TenantBatch], found: Filter, bindings: Bindings
) -> tuple[str, dict[str, str]]:
    conditions, parameters = base_conditions(tenant, 0, times.MAX - 1, found, bindings)
    days = sorted({each.expires_on for each in batches})
    in_day = " OR ".join(f"expires_on = toDate({bindings.text(day)})" for day in days)
    batch_ids = bindings.texts([each.batch_id for each in batches])
    return " AND ".join([*conditions, f"({in_day})", f"batch_id IN {batch_ids}"]), parameters
