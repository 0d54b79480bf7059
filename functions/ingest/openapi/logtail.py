"""As Better Stack's intake."""

from functions.ingest.openapi.shapes import BYTES, EVENT, EVENTS, MSGPACK, STATUSES, RejectionCounts
from functions.shared.openapi import JSON, Body, ErrorBody, ErrorForm, Operation, Operations, Reply

OPERATIONS: Operations = {
    "POST /": Operation(
        "sendLogtailLogs",
        "Send logs as to Better Stack",
        "ingest",
        {
            202: Reply(
                "The accepted logs are durable.",
                RejectionCounts,
                {"accepted": 1, "rejected": 0, "errors": []},
            )
        },
        description="A 503 stands for every wait, because its clients retry at 5xx and nothing else.",
        body=Body(
            {JSON: {"anyOf": [EVENTS, EVENT]}, MSGPACK: BYTES},
            {JSON: [{"dt": "2026-11-23T10:00:00Z", "message": "order 42 shipped"}]},
        ),
        error_form=ErrorForm({JSON: ErrorBody}, STATUSES),
        page="clients/logtail.md",
    ),
}
