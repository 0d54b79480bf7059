"""Documentation of the search routes; see functions.shared.openapi."""

from msgspec import Struct

from functions.query.page import FoundEvent, SearchStats
from functions.query.request import SearchBody
from functions.shared.openapi import INVALID_BODY, Body, Operation, Operations, Reply


class SearchPage(Struct):
    """One page of events; `next_cursor` is null on the last page."""

    events: list[FoundEvent]
    next_cursor: str | None
    stats: SearchStats


_EVENT = {
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

OPERATIONS: Operations = {
    "POST /v1/search": Operation(
        "search",
        "Search events",
        "read",
        {
            200: Reply(
                "A page of events.",
                SearchPage,
                {"events": [_EVENT], "next_cursor": None, "stats": {"rows_read": 8192, "elapsed_ms": 9.1}},
            )
        },
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
        errors=SEARCH_ERRORS,
        page="api.md#post-v1search",
    ),
}
