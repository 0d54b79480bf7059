"""Documentation of the routes that find events: searches, and tails."""

from typing import Annotated

from msgspec import Meta, Struct

from functions.query.openapi.shapes import EVENT, QUERY_ERRORS, QUERY_PROBLEM, STATS, TIMES
from functions.query.requests.request import SearchBody
from functions.query.results.page import FoundEvent
from functions.query.results.row_order import Order
from functions.query.results.statistics import SearchStats
from functions.query.tailing.request import DEFAULT_EVENTS, MAX_WAIT_SECONDS
from functions.query.tailing.request import MAX_EVENTS as MAX_TAIL_EVENTS
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Parameter,
    Reply,
)


class SearchPage(Struct):
    """One page of events; `next_cursor` is null on the last page."""

    events: list[FoundEvent]
    next_cursor: str | None
    stats: SearchStats


class TailReply(Struct):
    """Events in the order of their commits, and the cursor of the next request."""

    events: list[FoundEvent]
    cursor: str
    stats: SearchStats


_SEARCH_PAGE = Reply(
    "A page of events.",
    SearchPage,
    {"events": [EVENT], "next_cursor": None, "stats": STATS},
)

OPERATIONS: Operations = {
    "GET /v1/search": Operation(
        "searchByUrl",
        "Search events by a query in the URL",
        "read",
        {200: _SEARCH_PAGE},
        parameters=(
            Parameter("q", "A query without pipes.", example="level:error service:(api OR web)"),
            Parameter(
                "from", f"The first moment; 24 hours before `to` by default. {TIMES}", example="now-15m"
            ),
            Parameter("to", f"The moment after the last; now by default. {TIMES}", example="now"),
            Parameter("time_zone", "The IANA name of the zone of days and dates; UTC by default."),
            Parameter("order", "`desc`, the default, is newest first.", Order),
            Parameter("limit", "Events per page, 100 by default.", Annotated[int, Meta(ge=1, le=1000)]),
            Parameter("cursor", "The `next_cursor` of the previous page."),
        ),
        errors=("invalid_<field>", "unknown_parameter", *(e for e in QUERY_ERRORS if e not in INVALID_BODY)),
        details=QUERY_PROBLEM,
        page="api.md#post-v1search",
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
        details=QUERY_PROBLEM,
        page="api.md#post-v1search",
    ),
    "GET /v1/tail": Operation(
        "tail",
        "Follow events as they are stored",
        "read",
        {
            200: Reply(
                "New events, or none after `wait` seconds.",
                TailReply,
                {"events": [EVENT], "cursor": "WzEsImE0Il0", "stats": STATS},
            )
        },
        description="Without `cursor` it starts now. Send the `cursor` of each response with the next one.",
        parameters=(
            Parameter("q", "A query without pipes.", example="level:error"),
            Parameter("projects", "Projects, separated by commas.", example="default"),
            Parameter("services", "Services, separated by commas.", example="api,web"),
            Parameter("levels", "Levels, separated by commas.", example="warn,error"),
            Parameter("cursor", "The `cursor` of the previous response."),
            Parameter(
                "wait",
                f"Seconds to wait for events, {MAX_WAIT_SECONDS} by default.",
                Annotated[int, Meta(ge=0, le=MAX_WAIT_SECONDS)],
                example=0,
            ),
            Parameter(
                "limit",
                f"Events per response, {DEFAULT_EVENTS} by default.",
                Annotated[int, Meta(ge=1, le=MAX_TAIL_EVENTS)],
            ),
        ),
        errors=(
            "invalid_<field>",
            "unknown_parameter",
            "cursor_expired",
            "too_many_tails",
            *(e for e in QUERY_ERRORS if e not in INVALID_BODY),
        ),
        details=QUERY_PROBLEM,
        page="api.md#get-v1tail",
    ),
}
