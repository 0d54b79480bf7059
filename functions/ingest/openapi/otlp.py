"""As an OpenTelemetry receiver (OTLP/HTTP)."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from functions.ingest.openapi.shapes import BYTES, OBJECT, PROTOBUF, STATUSES
from functions.shared.openapi import JSON, Body, ErrorForm, Operation, Operations, Reply


class OtlpPartialSuccess(Struct):
    """OTLP's: how many records were rejected, as a decimal text, and why the first one was."""

    rejectedLogRecords: str  # noqa: N815 - OTLP's names
    errorMessage: str  # noqa: N815


class OtlpResult(Struct):
    """ExportLogsServiceResponse in JSON."""

    partialSuccess: OtlpPartialSuccess | UnsetType = UNSET  # noqa: N815


class RpcStatus(Struct):
    """google.rpc.Status in JSON."""

    code: int
    message: str
    details: list[Any]


_OTLP_FORM = ErrorForm({JSON: RpcStatus, PROTOBUF: BYTES}, STATUSES)

_OTLP_BODY = Body(
    {
        JSON: {"type": "object", "properties": {"resourceLogs": {"type": "array", "items": OBJECT}}},
        PROTOBUF: BYTES,
    },
    {
        JSON: {
            "resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "order 42 shipped"}}]}]}]
        }
    },
)

OPERATIONS: Operations = {
    "POST /v1/logs": Operation(
        "exportOtlpLogs",
        "Send logs of OpenTelemetry (OTLP/HTTP)",
        "ingest",
        {
            200: Reply(
                "The accepted records are durable. The encoding is that of the request.",
                OtlpResult,
                {},
                or_media={PROTOBUF: BYTES},
            )
        },
        body=_OTLP_BODY,
        error_form=_OTLP_FORM,
        page="clients/opentelemetry.md",
    ),
}
