"""The routes of exports, and the forms of their requests and responses."""

from msgspec import Struct, field

from functions.query.requests.request import FilterBody
from functions.shared.exports.search_export import ExportCompression, ExportFormat, ExportState

EXPORT_ROUTES = frozenset({"POST /v1/search/export", "GET /v1/search/exports", "GET /v1/search/exports/{id}"})
"""They read no rows, so that no budget is charged for them."""


class SearchExportBody(FilterBody, forbid_unknown_fields=True):
    """The request body of an export: the filter of a search, and the file's format."""

    format: ExportFormat = "ndjson"
    compression: ExportCompression = "gzip"


class RequestedSearchExport(Struct):
    """An export that was stored."""

    id: str
    status: ExportState


class ShownSearchExport(Struct):
    """An export; times in RFC 3339.

    `rows` and `bytes` are those written so far. `link` fetches the file until `link_expires_at`; each request
    for one export makes a new one. The file is deleted at `expires_at`. `reason`: why it failed, or what
    delays it.
    """

    id: str
    status: ExportState
    format: ExportFormat
    compression: ExportCompression
    since: str = field(name="from")
    until: str = field(name="to")
    query: str | None
    requested_at: str
    rows: int
    bytes: int
    link: str | None
    link_expires_at: str | None
    expires_at: str | None
    reason: str | None


class SearchExportList(Struct):
    """The newest exports of the last 30 days, without links."""

    exports: list[ShownSearchExport]
