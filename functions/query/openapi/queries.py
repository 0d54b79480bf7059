"""Documentation of the routes of the text of queries."""

from functions.query.complete import CompleteBody, CompletionPage
from functions.query.format import FormatBody, FormattedQuery
from functions.query.openapi.shapes import SEARCH_ERRORS, STATS, QueryProblem
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Reply,
)

OPERATIONS: Operations = {
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
                    "stats": STATS,
                },
            )
        },
        body=Body.json(CompleteBody, {"query": "service:a", "position": 9}, required=False),
        errors=("unknown_parameter", *SEARCH_ERRORS),
        page="api.md#post-v1querycomplete",
    ),
    "POST /v1/query/format": Operation(
        "formatQuery",
        "Format a query",
        "read",
        {200: Reply("The same query, formatted.", FormattedQuery, {"query": "level:>=warn -path:/health*"})},
        body=Body.json(FormatBody, {"query": "level:>=warn   NOT path:/health*"}, required=False),
        errors=(*INVALID_BODY, "unknown_parameter", "invalid_query"),
        details={"invalid_query": QueryProblem},
        page="api.md#post-v1queryformat",
    ),
}
