"""As Loki's push API."""

from functions.ingest.openapi.shapes import BYTES, OBJECT, PLAIN, PROTOBUF, STATUSES, TEXT
from functions.shared.openapi import JSON, Body, ErrorForm, Operation, Operations, Reply, Schema

_LOKI_FORM = ErrorForm({TEXT: PLAIN}, STATUSES)

_STREAMS: Schema = {
    "type": "object",
    "properties": {"streams": {"type": "array", "items": OBJECT}},
    "required": ["streams"],
}

_STREAMS_EXAMPLE = {
    "streams": [{"stream": {"app": "checkout"}, "values": [["1795514400000000000", "order 42 shipped"]]}]
}


def _loki(name: str, title: str) -> Operation:
    return Operation(
        name,
        title,
        "ingest",
        {204: Reply("Every entry is durable.")},
        description="A 400 is also sent when some entries were rejected; the others are stored.",
        body=Body({JSON: _STREAMS, PROTOBUF: BYTES}, {JSON: _STREAMS_EXAMPLE}),
        error_form=_LOKI_FORM,
        page="clients/loki.md",
    )


OPERATIONS: Operations = {
    "POST /loki/api/v1/push": _loki("pushStreams", "Send logs as to Loki"),
    "POST /api/prom/push": _loki("pushStreamsOld", "Send logs as to Loki, at its older path"),
}
