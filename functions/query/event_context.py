"""`GET /v1/events/{id}` and its context: one event by its id, and the events next to it.

The neighbours are looked for near the event first and then further away, because a short range of time reads
few rows and is nearly always enough.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import msgspec
from msgspec import Struct

from functions.query.compile import Statement
from functions.query.requests.parameters import check_parameters
from functions.query.results.cursor import Store
from functions.query.results.page import MAX_PAGE_BYTES, fitting, size_bytes
from functions.query.results.row_order import Order, PageRange
from functions.query.results.rows import EventRow, SearchResult
from functions.query.results.statistics import SearchCost, SearchStats, stats_of
from functions.query.searching.event_id import parse_id
from functions.query.searching.event_statements import (
    Sources,
    event_statement,
    neighbours_statement,
    position_of,
)
from functions.shared.errors import HttpError
from functions.shared.forms import invalid
from functions.shared.tenancy import TenantId

MAX_NEIGHBOURS = 500
DEFAULT_NEIGHBOURS = 20

Scope = Literal["service", "stream", "all"]

STREAM_KEYS = (
    "host", "hostname", "host.name", "pod", "kubernetes.pod_name", "k8s.pod.name",
    "container", "container_name", "container_id", "container.id", "filename", "log.file.path",
)  # fmt: skip
"""Metadata keys in which log agents name the place that an event comes from."""

MAX_SOURCE_CHARACTERS = 1024
"""The limit for one value; a longer one is not the name of a place."""

SECOND_NS = 1_000_000_000
RANGES_NS = (600 * SECOND_NS, 86_400 * SECOND_NS, None)
"""The distances in time within which neighbours are looked for, one after the other; None: any."""

StatementOf = Callable[[Store, bool], Statement]
"""The statement for a store whose table has the identity's columns, or lacks them."""

Run = Callable[[StatementOf, Order, int], SearchResult]
"""Runs a statement in the caller's stores; returns the first rows of all of them in that order."""


@dataclass(frozen=True, slots=True)
class ContextRequest:
    """How many events before and after are wanted, and of which scope."""

    before: int
    after: int
    scope: Scope


class EventPage(Struct):
    """The response with one event."""

    event: msgspec.Raw
    stats: SearchStats


class ContextPage(Struct):
    """`before`, `event` and `after` in the order in which they were sent.

    `more_before` and `more_after`: there are further events in that direction.
    """

    before: list[msgspec.Raw]
    event: msgspec.Raw
    after: list[msgspec.Raw]
    more_before: bool
    more_after: bool
    stats: SearchStats


def context_request(query: dict[str, str]) -> ContextRequest:
    """The request in the query of a URL.

    Raises
    ------
    HttpError: 400 `invalid_<parameter>` or `unknown_parameter`.
    """
    check_parameters(query, ("before", "after", "scope"))
    scope = query.get("scope", "service")
    if scope not in get_args(Scope):
        raise invalid("scope", f"must be one of {', '.join(get_args(Scope))}")
    return ContextRequest(_count(query, "before"), _count(query, "after"), cast(Scope, scope))


def event_page(run: Run, tenant: TenantId, event_id: str) -> bytes:
    """The response with the tenant's event of that id; raises as `_found`."""
    found = _found(run, tenant, event_id)
    return msgspec.json.encode(EventPage(fitting(found.rows)[0], stats_of(found)))


def context_page(run: Run, tenant: TenantId, event_id: str, wanted: ContextRequest) -> bytes:
    """The response with that event and its neighbours; raises as `_found`.

    When they do not fit into a response, it has the nearest ones.
    """
    found = _found(run, tenant, event_id)
    event = found.rows[0]
    before = _neighbours(run, tenant, event, wanted.scope, "desc", wanted.before)
    after = _neighbours(run, tenant, event, wanted.scope, "asc", wanted.after)
    shown = fitting(found.rows)[0]
    half = (MAX_PAGE_BYTES - size_bytes(shown)) // 2
    earlier = fitting(before.rows[: wanted.before], half, at_least=0)
    later = fitting(after.rows[: wanted.after], half, at_least=0)
    cost = SearchCost().then(found).then(before).then(after)
    return msgspec.json.encode(
        ContextPage(
            before=earlier[::-1],
            event=shown,
            after=later,
            more_before=len(before.rows) > len(earlier),
            more_after=len(after.rows) > len(later),
            stats=stats_of(cost),
        )
    )


def _count(query: dict[str, str], name: str) -> int:
    text = query.get(name, str(DEFAULT_NEIGHBOURS))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MAX_NEIGHBOURS):
        raise invalid(name, f"must be a whole number from 0 to {MAX_NEIGHBOURS}")
    return int(text)


def _found(run: Run, tenant: TenantId, event_id: str) -> SearchResult:
    """The event, as a result of one row.

    Raises
    ------
    HttpError: 404 `not_found`, also for the id of another tenant's event; else as a search.
    """
    wanted = parse_id(event_id)
    if wanted is None:
        raise _not_found()

    def compiled(_store: Store, with_identity: bool) -> Statement:
        return event_statement(tenant, wanted, with_identity=with_identity)

    found = run(compiled, "asc", 1)
    if not found.rows:
        raise _not_found()
    return found


def _neighbours(
    run: Run, tenant: TenantId, event: EventRow, scope: Scope, order: Order, count: int
) -> SearchResult:
    """The `count` events next to `event` in `order`, and one more if there is one; the nearest first."""
    sources = _sources(event) if scope == "stream" else {}
    after = position_of(event)

    def find(within_ns: int | None) -> SearchResult:
        return run(
            lambda store, with_identity: neighbours_statement(
                tenant,
                event,
                scope,
                sources,
                PageRange(order, count + 1, after, store),
                within_ns,
                with_identity=with_identity,
            ),
            order,
            count + 1,
        )

    cost = SearchCost()
    for within_ns in RANGES_NS:
        found = find(within_ns)
        cost = cost.then(found)
        if len(found.rows) > count:
            break
    return SearchResult(found.rows, cost.rows_read, cost.elapsed_ms, cost.bytes_read)


def _sources(event: EventRow) -> Sources:
    """The values of STREAM_KEYS in the event's metadata, as a condition on metadata finds them."""
    try:
        metadata = msgspec.json.decode(event.metadata or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    found = ((key, next(_values(metadata, key), None)) for key in STREAM_KEYS)
    return {
        key: value for key, value in found if isinstance(value, str) and len(value) <= MAX_SOURCE_CHARACTERS
    }


def _values(metadata: Any, key: str) -> Iterator[Any]:
    """What is under the key as a whole, and what is at the path through nested objects."""
    if isinstance(metadata, dict):
        if key in metadata:
            yield metadata[key]
        first, _, rest = key.partition(".")
        if rest and first in metadata:
            yield from _values(metadata[first], rest)


def _not_found() -> HttpError:
    return HttpError(404, "not_found", "There is no event with this id.")
