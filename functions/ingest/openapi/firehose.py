"""As an HTTP endpoint of Amazon Data Firehose."""

from msgspec import UNSET, Struct, UnsetType

from functions.ingest.openapi.shapes import STATUSES
from functions.shared.openapi import JSON, Body, ErrorForm, Operation, Operations, Parameter, Reply


class FirehoseResult(Struct):
    """Firehose's: the id of the request, and the time in milliseconds since 1970."""

    requestId: str  # noqa: N815 - Firehose's names
    timestamp: int
    errorMessage: str | UnsetType = UNSET  # noqa: N815


_FIREHOSE_FORM = ErrorForm({JSON: FirehoseResult}, STATUSES)

OPERATIONS: Operations = {
    "POST /v1/firehose": Operation(
        "deliverFirehoseRecords",
        "Receive records of Amazon Data Firehose",
        "ingest",
        {200: Reply("Durable.", FirehoseResult, {"requestId": "ed1d787c", "timestamp": 1_795_514_400_000})},
        parameters=(Parameter("X-Amz-Firehose-Request-Id", "The same in each attempt.", place="header"),),
        body=Body.json(
            {
                "type": "object",
                "required": ["records"],
                "properties": {
                    "requestId": {"type": "string"},
                    "timestamp": {"type": "integer"},
                    "records": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["data"],
                            "properties": {"data": {"type": "string", "contentEncoding": "base64"}},
                        },
                    },
                },
            },
            {"requestId": "ed1d787c", "timestamp": 1_795_514_400_000, "records": [{"data": "b3JkZXIgNDI="}]},
        ),
        error_form=_FIREHOSE_FORM,
        page="clients/firehose.md",
    ),
}
