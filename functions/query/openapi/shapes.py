"""Schemas, parameters and errors that the routes of search share."""

from typing import Any, Literal

from msgspec import Struct

from functions.shared.openapi import (
    INVALID_BODY,
    path_id,
)


class BudgetProblem(Struct):
    """The budget that is used up: its searches have read more than `rows_a_minute`."""

    budget: Literal["account", "key"]
    rows_a_minute: int


class QueryProblem(Struct):
    """The place of an error in a query: `column` counts characters from 1; `caret` marks it in its line."""

    field: str
    column: int
    expected: list[str]
    caret: str


EVENT: dict[str, Any] = {
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
    "search_budget_exceeded",
    "search_unavailable",
    "destination_unavailable",
)
"""Errors of every route that reads events."""
QUERY_ERRORS = ("invalid_query", *SEARCH_ERRORS)
QUERY_PROBLEM = {"invalid_query": QueryProblem}
STATS = {"rows_read": 8192, "bytes_read": 1_630_208, "elapsed_ms": 9.1, "partial": False}
EVENT_ID = path_id("The `id` of an event in any response.", EVENT["id"])
EVENT_ERRORS = (
    "unknown_parameter",
    "not_found",
    *(code for code in SEARCH_ERRORS if code not in INVALID_BODY),
)
TIMES = "RFC 3339, a date, relative to now (`now-15m`, `-1h`, `now-1d/d`), or an epoch number."
