"""`GET /v1/traces/{id}`: all events of a trace in order, and the spans that they make.

A trace is read as a search for its `trace_id`, so it has the order, the stores and the limits of one. Without
`from` it begins as early as the plan keeps events, because a trace id says nothing about time; the index over
trace ids finds its few parts (docs/adr/0048).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct, field

from functions.query import times
from functions.query.compile import Statement, statement
from functions.query.event_context import Run
from functions.query.requests.parameters import check_parameters, is_unicode, search_parameters
from functions.query.requests.request import Search, SearchBody, search_of, time_range
from functions.query.results.cursor import Store
from functions.query.results.page import MAX_PAGE_BYTES, cursor_after, fitting
from functions.query.results.rows import EventRow
from functions.query.results.statistics import SearchStats, stats_of
from functions.shared.errors import HttpError
from functions.shared.events.levels import CANONICAL
from functions.shared.tenancy import TenantId

MAX_EVENTS = 1000
MAX_ID_CHARACTERS = 1024

DAY_NS = 86_400 * times.NANOSECONDS
AHEAD_NS = DAY_NS
"""How far in the future the default range ends: the clock of a sender may be fast."""

DURATION_KEYS: Mapping[str, int] = {
    "duration_ms": 1_000_000, "durationMs": 1_000_000, "elapsed_ms": 1_000_000, "latency_ms": 1_000_000,
    "took_ms": 1_000_000, "response_time_ms": 1_000_000, "duration_us": 1000, "duration_ns": 1,
    "duration_s": times.NANOSECONDS, "duration_seconds": times.NANOSECONDS,
}  # fmt: skip
"""Top-level keys of metadata whose number is how long the work took that ended at the event's time.

The value is the unit in nanoseconds. The first key that an event has counts.
"""

MAX_DURATION_NS = DAY_NS
"""A longer duration is not believed."""

MAX_EVENTS_BYTES = MAX_PAGE_BYTES // 3
"""The limit for the events of a response: spans and services repeat at most the same text twice more."""


class TraceSpan(Struct):
    """The events of one `span_id` and service; `level` is the worst of them.

    `start` is the earliest moment of its events, less their durations, and `end` the latest.
    """

    span_id: str
    service: str
    start: str
    end: str
    duration_ms: float
    events: int
    level: str


class NextSearch(Struct):
    """The body of a `POST /v1/search` that finds the events of the trace that are not shown."""

    trace_id: str
    since: str = field(name="from")
    until: str = field(name="to")
    order: str
    cursor: str


class TracePage(Struct):
    """The response: `from` and `to` are the first and the last moment of the shown events.

    `truncated`: there are further events, which `next_search` finds; it is null otherwise.
    """

    trace_id: str
    start: str = field(name="from")
    end: str = field(name="to")
    duration_ms: float
    services: list[str]
    spans: list[TraceSpan]
    events: list[msgspec.Raw]
    truncated: bool
    next_search: NextSearch | None
    stats: SearchStats


def trace_page(
    run: Run,
    tenant: TenantId,
    trace_id: str,
    query: Mapping[str, str],
    retention_days: int,
    now_ns: Callable[[], int] = time.time_ns,
) -> bytes:
    """The response with the tenant's events of that trace.

    `query`: the parameters of the URL. `retention_days`: of the tenant's plan.

    Raises
    ------
    HttpError: 400 `invalid_<parameter>` or `unknown_parameter`; 404 `not_found` when no event in the range
        has the id, also for the trace of another tenant; else as a search.
    """
    body = _body(trace_id, query, retention_days, now_ns())
    asked = search_of(body)

    def compiled(store: Store, with_identity: bool) -> Statement:
        return statement(asked, tenant, store, with_identity=with_identity)

    found = run(compiled, asked.order, asked.limit + 1)
    if not found.rows:
        raise _not_found()
    events = fitting(found.rows[: asked.limit], MAX_EVENTS_BYTES)
    shown = found.rows[: len(events)]
    truncated = len(found.rows) > len(shown)
    spans = _spans(shown)
    start, end = min(each.start for each in spans), max(each.end for each in spans)
    return msgspec.json.encode(
        TracePage(
            trace_id=trace_id,
            start=_text(start),
            end=_text(end),
            duration_ms=_milliseconds(end - start),
            services=list(dict.fromkeys(each.service for each in shown if each.service)),
            spans=[_shown(each) for each in spans],
            events=events,
            truncated=truncated,
            next_search=_next_search(body, asked, shown) if truncated else None,
            stats=stats_of(found),
        )
    )


def _body(trace_id: str, query: Mapping[str, str], retention_days: int, now_ns: int) -> SearchBody:
    """The search for the trace, with both ends of its range."""
    check_parameters(query, ("from", "to", "limit", "time_zone"))
    if not 0 < len(trace_id) <= MAX_ID_CHARACTERS or not is_unicode(trace_id):
        raise _not_found()
    body = search_parameters({"limit": str(MAX_EVENTS), **query})
    latest = times.rfc3339(min(now_ns + AHEAD_NS, times.MAX - 1))
    ranged = msgspec.structs.replace(body, until=latest if body.until is None else body.until)
    since, until = time_range(ranged, now_ns)
    if body.since is None:
        since = min(since, max(0, now_ns - (retention_days + 1) * DAY_NS))
    return msgspec.structs.replace(
        body,
        trace_id=trace_id,
        order="asc",
        since=times.rfc3339(since),
        until=times.rfc3339(until),
        time_zone="UTC",
    )


@dataclass(slots=True)
class _Span:
    """A span while its events are read; `start` and `end` in nanoseconds since 1970."""

    span_id: str
    service: str
    start: int
    end: int
    events: int
    level: str


def _spans(rows: Sequence[EventRow]) -> list[_Span]:
    """The spans of the rows, by their start; the events of a service without a span id are one."""
    spans: dict[tuple[str, str], _Span] = {}
    for row in rows:
        end = times.from_engine(row.timestamp)
        start = max(0, end - _duration_ns(row.metadata))
        span = spans.setdefault(
            (row.span_id, row.service), _Span(row.span_id, row.service, start, end, 0, row.level)
        )
        span.start, span.end = min(span.start, start), max(span.end, end)
        span.events += 1
        span.level = max(span.level, row.level, key=_severity)
    return sorted(spans.values(), key=lambda span: span.start)


def _severity(level: str) -> int:
    """The rank of a level; another text, which only a customer's table has, is below all."""
    return CANONICAL.index(level) if level in CANONICAL else -1


_METADATA = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NUMBER = msgspec.json.Decoder(int | float)


def _duration_ns(metadata: str) -> int:
    """How long the event says that its work took; 0 when it says nothing that can be."""
    try:
        members = _METADATA.decode(metadata or "{}")
    except (msgspec.MsgspecError, RecursionError):
        return 0
    for key, unit in DURATION_KEYS.items():
        if key not in members:
            continue
        try:
            duration = _NUMBER.decode(members[key]) * unit
        except msgspec.MsgspecError:
            return 0
        return int(duration) if 0 < duration <= MAX_DURATION_NS else 0
    return 0


def _shown(span: _Span) -> TraceSpan:
    return TraceSpan(
        span_id=span.span_id,
        service=span.service,
        start=_text(span.start),
        end=_text(span.end),
        duration_ms=_milliseconds(span.end - span.start),
        events=span.events,
        level=span.level,
    )


def _text(instant: int) -> str:
    return times.for_people(times.for_engine(instant))


def _milliseconds(nanoseconds: int) -> float:
    return nanoseconds / 1_000_000


def _next_search(body: SearchBody, asked: Search, shown: Sequence[EventRow]) -> NextSearch:
    return NextSearch(
        trace_id=body.trace_id or "",
        since=str(body.since),
        until=str(body.until),
        order=body.order,
        cursor=cursor_after(shown, asked),
    )


def _not_found() -> HttpError:
    return HttpError(
        404, "not_found", "There is no event with this trace id: check it, and set 'from' for older events."
    )
