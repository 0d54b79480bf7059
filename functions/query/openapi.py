"""Documentation of the search routes; see functions.shared.openapi."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from functions.query.complete import CompleteBody, CompletionPage
from functions.query.event_context import DEFAULT_NEIGHBOURS, MAX_NEIGHBOURS, Scope
from functions.query.page import FoundEvent, SearchStats
from functions.query.request import SearchBody
from functions.query.row_order import Order
from functions.query.stats import Cell, StatsBody
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Parameter,
    Reply,
    TimestampText,
    path_id,
)


class SearchPage(Struct):
    """One page of events; `next_cursor` is null on the last page."""

    events: list[FoundEvent]
    next_cursor: str | None
    stats: SearchStats


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


class StatsColumn(Struct):
    """A column of a table."""

    name: str
    type: Literal["text", "number", "time"]


class StatsTable(Struct):
    """The table that a query makes; `truncated`: it had more rows than a response has."""

    columns: list[StatsColumn]
    rows: list[list[Cell]]
    truncated: bool
    stats: SearchStats


class QueryProblem(Struct):
    """Where a query is wrong: `column` counts characters from 1; `caret` is the line with a mark below it."""

    field: str
    column: int
    expected: list[str]
    caret: str


_EVENT: dict[str, Any] = {
    "id": "06b2x5s3dgqkzr0v8m1tnc4f7a-0",
    "timestamp": "2026-11-23T10:00:00.000000000Z",
    "received_at": "2026-11-23T10:00:01.250000Z",
    "level": "info",
    "service": "checkout",
    "project_id": "default",
    "message": "order 42 shipped",
    "trace_id": "",
    "span_id": "",
    "metadata": {"order": 42},
}

SEARCH_ERRORS = (
    *INVALID_BODY,
    "query_too_heavy",
    "403 no_destination",
    "too_many_searches",
    "search_unavailable",
    "destination_unavailable",
)
"""Of every route that reads events."""

QUERY_ERRORS = ("invalid_query", *SEARCH_ERRORS)
_QUERY_PROBLEM = {"invalid_query": QueryProblem}

_STATS = {"rows_read": 8192, "elapsed_ms": 9.1}
_SEARCH_PAGE = Reply(
    "A page of events.",
    SearchPage,
    {"events": [_EVENT], "next_cursor": None, "stats": _STATS},
)
_EVENT_ID = path_id("The `id` of an event in any response.", _EVENT["id"])
_EVENT_ERRORS = (
    "unknown_parameter",
    "not_found",
    *(code for code in SEARCH_ERRORS if code not in INVALID_BODY),
)
_Neighbours = Annotated[int, Meta(ge=0, le=MAX_NEIGHBOURS)]

OPERATIONS: Operations = {
    "GET /v1/search": Operation(
        "searchByUrl",
        "Search events by a query in the URL",
        "read",
        {200: _SEARCH_PAGE},
        parameters=(
            Parameter("q", "A query without pipes.", example="level:error service:(api OR web)"),
            Parameter("from", "The first moment; 24 hours before `to` by default.", TimestampText),
            Parameter("to", "The moment after the last; now by default.", TimestampText),
            Parameter("order", "`desc`, the default, is newest first.", Order),
            Parameter("limit", "Events per page, 100 by default.", Annotated[int, Meta(ge=1, le=1000)]),
            Parameter("cursor", "The `next_cursor` of the previous page."),
        ),
        errors=("invalid_<field>", "unknown_parameter", *(e for e in QUERY_ERRORS if e not in INVALID_BODY)),
        details=_QUERY_PROBLEM,
        page="api.md#post-v1search",
    ),
    "GET /v1/events/{id}": Operation(
        "getEvent",
        "Read one event",
        "read",
        {200: Reply("The event.", EventReply, {"event": _EVENT, "stats": _STATS})},
        parameters=(_EVENT_ID,),
        errors=_EVENT_ERRORS,
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
                    "event": _EVENT,
                    "after": [],
                    "more_before": False,
                    "more_after": False,
                    "stats": _STATS,
                },
            )
        },
        parameters=(
            _EVENT_ID,
            Parameter("before", f"Events before it, {DEFAULT_NEIGHBOURS} by default.", _Neighbours),
            Parameter("after", f"Events after it, {DEFAULT_NEIGHBOURS} by default.", _Neighbours),
            Parameter("scope", "Which events are neighbours, those of its service by default.", Scope),
        ),
        errors=("invalid_<field>", *_EVENT_ERRORS),
        page="api.md#get-v1eventscontext",
    ),
    "POST /v1/stats": Operation(
        "stats",
        "Count, group and list events with a query",
        "read",
        {
            200: Reply(
                "A table.",
                StatsTable,
                {
                    "columns": [{"name": "service", "type": "text"}, {"name": "n", "type": "number"}],
                    "rows": [["api", 2]],
                    "truncated": False,
                    "stats": _STATS,
                },
            )
        },
        body=Body.json(StatsBody, {"query": "level:error | stats count() as n by service | sort -n"}),
        errors=("unknown_parameter", "two_stores", *QUERY_ERRORS),
        details=_QUERY_PROBLEM,
        page="api.md#post-v1stats",
    ),
    "POST /v1/query/complete": Operation(
        "completeQuery",
        "Offer what a query may continue with",
        "read",
        {
            200: Reply(
                "Completions, best match first.",
                CompletionPage,
                {
                    "replace": {"start": 8, "end": 9},
                    "completions": [{"label": "api", "insert": "api", "kind": "value", "count": 8123}],
                },
            )
        },
        body=Body.json(CompleteBody, {"query": "service:a", "position": 9}, required=False),
        errors=("unknown_parameter", *SEARCH_ERRORS),
        page="api.md#post-v1querycomplete",
    ),
    "POST /v1/search": Operation(
        "search",
        "Search events",
        "read",
        {200: _SEARCH_PAGE},
        description="To get the next page, send the same body with `cursor`; only `limit` may change.",
        body=Body.json(
            SearchBody,
            {
                "levels": ["error"],
                "q": "timeout -health",
                "where": [{"field": "metadata.duration_ms", "op": "gt", "value": 1000}],
                "limit": 20,
            },
            required=False,
        ),
        errors=("unknown_parameter", *QUERY_ERRORS),
        details=_QUERY_PROBLEM,
        page="api.md#post-v1search",
    ),
}
