"""The statements of one event and of its neighbours. Pure."""

from functions.query import times
from functions.query.bindings import Bindings
from functions.query.compile import Statement, metadata
from functions.query.results.cursor import CursorPosition
from functions.query.results.row_order import PageRange, one_pass_of, page_of, selection, sort_key
from functions.query.results.rows import EventRow
from functions.query.searching.event_id import EventId
from functions.shared.tenancy import TenantId, row_filter

RECEIPT_MARGIN_MS = 1000
"""The id and `received_at` are two readings of one clock."""

NANOSECONDS_A_MILLISECOND = 1_000_000

Sources = dict[str, str]
"""Metadata keys that name a stream, with the values that all of its events have."""


def event_statement(tenant: TenantId, wanted: EventId, *, with_identity: bool = True) -> Statement:
    """The SELECT of the tenant's event with this id: one row, or none.

    The time of receipt prunes: `received_at` has an index, and rows that were sent together are together.
    """
    bindings = Bindings()
    key = sort_key(with_identity=with_identity)
    tenant_filter, tenant_parameters = row_filter(tenant)
    earliest, latest = (
        (wanted.received_ms + margin) * NANOSECONDS_A_MILLISECOND
        for margin in (-RECEIPT_MARGIN_MS, RECEIPT_MARGIN_MS)
    )
    sql = (
        f"{selection(key)} WHERE {tenant_filter} "
        f"AND received_at >= {bindings.microsecond(max(0, earliest))} "
        f"AND received_at <= {bindings.microsecond(min(latest, times.MAX - 1))} "
        f"AND {key.object_id} = {bindings.text(wanted.object_id)} "
        f"AND {key.position} = {bindings.whole(wanted.position)} LIMIT 1"
    )
    return Statement(sql, {**bindings.parameters, **tenant_parameters})


def neighbours_statement(
    tenant: TenantId,
    event: EventRow,
    scope: str,
    sources: Sources,
    wanted: PageRange,
    within_ns: int | None,
    *,
    with_identity: bool = True,
) -> Statement:
    """The SELECT of the page of rows next to `event`, at most `within_ns` away from it in time.

    `scope`: `all` of the tenant's rows, those of the same `service`, or of the same `stream`: the same
    project and service, and the same values of `sources`.
    """
    bindings = Bindings()
    tenant_filter, tenant_parameters = row_filter(tenant)
    parts = [tenant_filter]
    if scope != "all":
        parts.append(f"service = {bindings.text(event.service)}")
    if scope == "stream":
        parts.append(f"project_id = {bindings.text(event.project_id)}")
        parts += [metadata.equals_any(name, (value,), bindings) for name, value in sources.items()]
    parts.append(_time_range(times.from_engine(event.timestamp), wanted, within_ns, bindings))
    matching = " AND ".join(parts)
    key = sort_key(with_identity=with_identity)
    sql = page_of(matching, wanted, key, bindings)
    one_pass = one_pass_of(matching, wanted, key, bindings)
    return Statement(sql, {**bindings.parameters, **tenant_parameters}, one_pass)


def _time_range(at: int, wanted: PageRange, within_ns: int | None, bindings: Bindings) -> str:
    """The event's side of its own time, up to the given distance."""
    if wanted.order == "asc":
        side = f"timestamp >= {bindings.instant(at)}"
        end = None if within_ns is None else min(at + within_ns, times.MAX - 1)
        return side if end is None else f"{side} AND timestamp <= {bindings.instant(end)}"
    side = f"timestamp <= {bindings.instant(at)}"
    end = None if within_ns is None else max(at - within_ns, 0)
    return side if end is None else f"{side} AND timestamp >= {bindings.instant(end)}"


def position_of(event: EventRow) -> CursorPosition:
    """The position right after `event`, as in a cursor."""
    return CursorPosition(
        instant=times.from_engine(event.timestamp),
        object_id=event.object_id,
        position=event.position,
        row_hash=int(event.row_hash),
        given=1,
        store=event.store,
    )
