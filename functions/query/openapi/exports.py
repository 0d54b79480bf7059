"""Documentation of the routes of exports of search results."""

from typing import Any

from functions.query.exporting.forms import (
    RequestedSearchExport,
    SearchExportBody,
    SearchExportList,
    ShownSearchExport,
)
from functions.query.openapi.shapes import QueryProblem
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Reply,
    path_id,
)

_EXPORT: dict[str, Any] = {
    "id": "sxp_1f0c3f6f5c2f4f0e9d1b7a6c5e4d3b2a1f0e9d8c",
    "status": "ready",
    "format": "csv",
    "compression": "gzip",
    "from": "2026-11-16T10:00:00Z",
    "to": "2026-11-23T10:00:00Z",
    "query": "level:error",
    "requested_at": "2026-11-23T10:00:00Z",
    "rows": 81230,
    "bytes": 4128733,
    "link": "https://example.s3.eu-central-1.amazonaws.com/exports/file.csv.gz?X-Amz-Signature=abc",
    "link_expires_at": "2026-11-23T11:05:00Z",
    "expires_at": "2026-11-26T10:02:00Z",
    "reason": None,
}
_EXPORT_LIMITS = ("export_in_progress", "too_many_exports")

OPERATIONS: Operations = {
    "POST /v1/search/export": Operation(
        "exportSearch",
        "Export all events that a search finds",
        "read",
        {
            202: Reply(
                "The export is stored; read its state with its id.",
                RequestedSearchExport,
                {"id": _EXPORT["id"], "status": "requested"},
            )
        },
        body=Body.json(
            SearchExportBody,
            {"query": "level:error", "from": "-7d", "format": "csv", "compression": "gzip"},
            required=False,
        ),
        errors=("unknown_parameter", *INVALID_BODY, "invalid_query", "query_too_heavy", *_EXPORT_LIMITS),
        details={"invalid_query": QueryProblem},
        page="api.md#post-v1searchexport",
    ),
    "GET /v1/search/exports": Operation(
        "listSearchExports",
        "List the exports of search results",
        "read",
        {
            200: Reply(
                "The exports of the last 30 days, newest first, without links.",
                SearchExportList,
                {"exports": [{**_EXPORT, "link": None, "link_expires_at": None}]},
            )
        },
        errors=("unknown_parameter",),
        page="api.md#post-v1searchexport",
    ),
    "GET /v1/search/exports/{id}": Operation(
        "getSearchExport",
        "Read the state of an export, and get a link to its file",
        "read",
        {200: Reply("The export.", ShownSearchExport, _EXPORT)},
        parameters=(path_id("The id of an export.", _EXPORT["id"]),),
        errors=("unknown_parameter", "not_found"),
        page="api.md#post-v1searchexport",
    ),
}
