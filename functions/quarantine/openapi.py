"""Documentation of the quarantine's routes; see functions.shared.openapi."""

from typing import Literal

from msgspec import Struct, field

from functions.shared.openapi import DayText, Operation, Operations, Reply, TimestampText, path_id


class ListedDocument(Struct):
    """Rows that ClickHouse rejected together. `sample`: the first five, 500 characters of each."""

    id: str
    reason: str
    engine_code: int
    source: str
    positions: list[int]
    rows: int
    expires_on: DayText
    quarantined_at: TimestampText = field(name="set_aside_at")
    sample: list[str]


class DocumentList(Struct):
    """The oldest documents. `unreadable`: other objects between them."""

    documents: list[ListedDocument]
    unreadable: list[str]


class ReplayStarted(Struct):
    """`rows` rows are staged again."""

    status: Literal["replayed"]
    rows: int


_DOCUMENT = {
    "id": "01m89jaepfjtjc8cm4g2e0y51v",
    "reason": "Value is too large for the column.",
    "engine_code": 69,
    "source": "staged/v1/tenant=acme/01m89jaepfjtjc8cm4g2e0y51v",
    "positions": [17],
    "rows": 1,
    "expires_on": "2026-12-23",
    "set_aside_at": "2026-11-23T10:00:02+00:00",
    "sample": ['{"message": "order 42 shipped"}'],
}

OPERATIONS: Operations = {
    "GET /v1/quarantine": Operation(
        "listQuarantine",
        "List events that ClickHouse rejected",
        "admin",
        {200: Reply("The oldest documents.", DocumentList, {"documents": [_DOCUMENT], "unreadable": []})},
        errors=("403 no_destination", "listing_too_long", "destination_unavailable"),
        page="api.md#quarantine",
    ),
    "POST /v1/quarantine/{id}/replay": Operation(
        "replayQuarantine",
        "Stage the rows of a document again",
        "admin",
        {202: Reply("Two replays load the rows once.", ReplayStarted, {"status": "replayed", "rows": 1})},
        parameters=(path_id("The document's id.", "01m89jaepfjtjc8cm4g2e0y51v"),),
        errors=(
            "403 no_destination",
            "not_found",
            "expired",
            "unreadable_document",
            "listing_too_long",
            "destination_unavailable",
        ),
        page="api.md#quarantine",
    ),
}
