"""As Axiom's ingest API."""

from msgspec import Struct

from functions.ingest.openapi.shapes import EVENT, EVENTS, LINES, NDJSON, STATUSES
from functions.shared.openapi import JSON, Body, ErrorForm, Operation, Operations, Parameter, Reply


class AxiomFailure(Struct):
    """A rejected event: the time of the response, and which event it was and why."""

    timestamp: str
    error: str


class AxiomStatus(Struct):
    """Axiom's: counts, and the first 1,000 rejected events; the last two are 0."""

    ingested: int
    failed: int
    failures: list[AxiomFailure]
    processedBytes: int  # noqa: N815 - Axiom's names
    blocksCreated: int  # noqa: N815
    walLength: int  # noqa: N815


class AxiomError(Struct):
    """Errors in Axiom's form, with our code."""

    message: str
    code: str
    request_id: str


_AXIOM_FORM = ErrorForm({JSON: AxiomError}, STATUSES)

_DATASET = Parameter(
    "dataset", "The dataset, stored as a field.", place="path", required=True, example="shop"
)

_AXIOM_ACCEPTED = Reply(
    "The ingested events are durable.",
    AxiomStatus,
    {
        "ingested": 1,
        "failed": 0,
        "failures": [],
        "processedBytes": 54,
        "blocksCreated": 0,
        "walLength": 0,
    },
)


def _axiom(name: str, title: str) -> Operation:
    return Operation(
        name,
        title,
        "ingest",
        {200: _AXIOM_ACCEPTED},
        description="A 200 is also sent when events were rejected: `failed` counts them.",
        parameters=(_DATASET, Parameter("timestamp-field", "The field with the time.", example="_time")),
        body=Body(
            {JSON: {"anyOf": [EVENTS, EVENT]}, NDJSON: LINES},
            {JSON: [{"_time": "2026-11-23T10:00:00Z", "message": "order 42 shipped"}]},
        ),
        error_form=_AXIOM_FORM,
        page="clients/axiom.md",
    )


OPERATIONS: Operations = {
    "POST /v1/datasets/{dataset}/ingest": _axiom("sendAxiomEvents", "Send events as to Axiom"),
    "POST /v1/ingest/{dataset}": _axiom("sendAxiomEventsToEdge", "Send events as to Axiom's edge"),
}
