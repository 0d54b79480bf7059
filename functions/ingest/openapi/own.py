"""The routes that are no other service's: events, the health check and this document."""

from typing import Annotated, Literal

from msgspec import Meta

from functions.ingest.openapi.shapes import (
    ACCEPTED,
    AS_429,
    BYTES,
    DRAIN_ERRORS,
    EVENT,
    EVENTS,
    LINES,
    MSGPACK,
    NDJSON,
    OBJECT,
    AcceptedEvents,
    HealthStatus,
    RejectionCounts,
)
from functions.shared.openapi import JSON, Body, Operation, Operations, Parameter, Reply, Schema

_BATCH: Schema = {
    "anyOf": [
        {"type": "object", "properties": {"events": EVENTS}, "required": ["events"]},
        {"type": "object", "properties": {"logs": EVENTS}, "required": ["logs"]},
        EVENTS,
        EVENT,
    ]
}

_EXAMPLE = {"message": "order 42 shipped", "service": "checkout", "metadata": {"order": 42}}

_PARTLY = {
    "status": "accepted",
    "accepted": 1,
    "rejected": 1,
    "errors": [{"index": 1, "code": "message_missing", "reason": "The event has no 'message'."}],
}

_KEY = Parameter(
    "Idempotency-Key",
    "A batch with the same key is accepted once within 24 hours.",
    Annotated[str, Meta(max_length=255)],
    place="header",
    example="batch-7",
)

OPERATIONS: Operations = {
    "POST /v1/drain": Operation(
        "sendEvents",
        "Send events",
        "ingest",
        {
            202: Reply(
                "The accepted events are durable; searches find them within seconds.", AcceptedEvents, _PARTLY
            ),
            200: Reply("With `wait=true`: searches find the events now.", AcceptedEvents, ACCEPTED),
        },
        description="Each event is accepted or rejected by itself. Fields are also found under the names "
        "that loggers use. The body may be compressed with gzip, deflate or zstd.",
        parameters=(
            Parameter("wait", "Answer when searches find the events.", Literal["true", "false"]),
            _KEY,
        ),
        body=Body(
            {JSON: _BATCH, NDJSON: LINES, MSGPACK: BYTES},
            {JSON: {"events": [_EXAMPLE]}, NDJSON: '{"message": "order 42 shipped"}\n'},
        ),
        errors=(*DRAIN_ERRORS, *AS_429),
        details={"all_rejected": RejectionCounts},
        page="api.md#post-v1drain",
    ),
    "GET /health": Operation(
        "getHealth",
        "Check that the service answers",
        "none",
        {200: Reply("It answers.", HealthStatus, {"status": "ok"})},
        page="api.md#routes",
    ),
    "GET /openapi.json": Operation(
        "getOpenApiDocument",
        "Read this document",
        "none",
        {
            200: Reply(
                "OpenAPI 3.1.",
                OBJECT,
                {"openapi": "3.1.1"},
                headers={"ETag": "Changes with the document.", "Cache-Control": "How long to keep it."},
            ),
            304: Reply("Not changed since the `ETag` in `If-None-Match`."),
        },
        parameters=(Parameter("If-None-Match", "An `ETag` of an earlier response.", place="header"),),
        page="api.md#openapi",
    ),
}
