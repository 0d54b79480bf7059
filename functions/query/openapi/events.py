"""Documentation of the routes of single events and of traces."""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from functions.query.event_context import DEFAULT_NEIGHBOURS, MAX_NEIGHBOURS, Scope
from functions.query.openapi.shapes import EVENT, EVENT_ERRORS, EVENT_ID, STATS, TIMES
from functions.query.results.page import FoundEvent
from functions.query.results.statistics import SearchStats
from functions.query.traces import MAX_EVENTS, NextSearch, TraceSpan
from functions.shared.openapi import (
    Operation,
    Operations,
    Parameter,
    Reply,
    path_id,
)


class EventReply(Struct):
    """One event."""

    event: FoundEvent
    stats: SearchStats


class ContextReply(Struct):
    """The events next to one, in ascending order; the flags say whether there are more."""

    before: list[FoundEvent]
    event: FoundEvent
    after: list[FoundEvent]
    more_before: bool
    more_after: bool
    stats: SearchStats


class TraceReply(Struct):
    """A trace: its events in order, and their spans.

    `from` and `to` are the first and the last moment of the shown events. `truncated`: there are further
    events, which a search with the body `next_search` finds.
    """

    trace_id: str
    start: str = field(name="from")
    end: str = field(name="to")
    duration_ms: float
    services: list[str]
    spans: list[TraceSpan]
    events: list[FoundEvent]
    truncated: bool
    next_search: NextSearch | None
    stats: SearchStats


_TRACE: dict[str, Any] = {
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "from": "2026-11-23T10:00:00.000000000Z",
    "to": "2026-11-23T10:00:00.250000000Z",
    "duration_ms": 250.0,
    "services": ["checkout"],
    "spans": [
        {
            "span_id": "00f067aa0ba902b7",
            "service": "checkout",
            "start": "2026-11-23T10:00:00.000000000Z",
            "end": "2026-11-23T10:00:00.250000000Z",
            "duration_ms": 250.0,
            "events": 1,
            "level": "info",
        }
    ],
    "events": [
        {
            **EVENT,
            "timestamp": "2026-11-23T10:00:00.250000000Z",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "span_id": "00f067aa0ba902b7",
            "metadata": {"duration_ms": 250},
        }
    ],
    "truncated": False,
    "next_search": None,
    "stats": STATS,
}
_Neighbours = Annotated[int, Meta(ge=0, le=MAX_NEIGHBOURS)]

OPERATIONS: Operations = {
    "GET /v1/events/{id}": Operation(
        "getEvent",
        "Read one event",
        "read",
        {200: Reply("The event.", EventReply, {"event": EVENT, "stats": STATS})},
        parameters=(EVENT_ID,),
        errors=EVENT_ERRORS,
        page="api.md#get-v1events",
    ),
    "GET /v1/events/{id}/context": Operation(
        "getEventContext",
        "Read the events next to one",
        "read",
        {
            200: Reply(
                "The event and its neighbours in the order in which they were sent.",
                ContextReply,
                {
                    "before": [],
                    "event": EVENT,
                    "after": [],
                    "more_before": False,
                    "more_after": False,
                    "stats": STATS,
                },
            )
        },
        parameters=(
            EVENT_ID,
            Parameter("before", f"Events before it, {DEFAULT_NEIGHBOURS} by default.", _Neighbours),
            Parameter("after", f"Events after it, {DEFAULT_NEIGHBOURS} by default.", _Neighbours),
            Parameter("scope", "Which events are neighbours, those of its service by default.", Scope),
        ),
        errors=("invalid_<field>", *EVENT_ERRORS),
        page="api.md#get-v1eventscontext",
    ),
    "GET /v1/traces/{id}": Operation(
        "getTrace",
        "Read the events and spans of a trace",
        "read",
        {200: Reply("The trace.", TraceReply, _TRACE)},
        parameters=(
            path_id("The `trace_id` of events.", _TRACE["trace_id"]),
            Parameter("from", f"The first moment; as early as the plan keeps events by default. {TIMES}"),
            Parameter("to", f"The moment after the last; a day from now by default. {TIMES}"),
            Parameter("time_zone", "The IANA name of the zone of days and dates; UTC by default."),
            Parameter(
                "limit", f"Events, {MAX_EVENTS:,} by default.", Annotated[int, Meta(ge=1, le=MAX_EVENTS)]
            ),
        ),
        errors=("invalid_<field>", *EVENT_ERRORS),
        page="api.md#get-v1traces",
    ),
}
