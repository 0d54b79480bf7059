"""Media types, bodies and results that several protocols have, and the codes of a rejected request."""

from typing import Literal

from msgspec import Struct

from functions.shared.openapi import LOGS_REJECTED, Schema


class RejectedRecord(Struct):
    """A rejected event, by its index in the body, from 0; docs/api.md lists the codes."""

    index: int
    code: str
    reason: str


class RejectionCounts(Struct):
    """The result of a request; `errors` describes the first 1,000 rejected events."""

    accepted: int
    rejected: int
    errors: list[RejectedRecord]


class AcceptedEvents(RejectionCounts, kw_only=True):
    """The accepted events are durable."""

    status: Literal["accepted"]


class HealthStatus(Struct):
    """The service answers."""

    status: Literal["ok"]


NDJSON, MSGPACK, PROTOBUF = "application/x-ndjson", "application/msgpack", "application/x-protobuf"

TEXT = "text/plain; charset=utf-8"

JOURNAL, LOGPLEX = "application/vnd.fdo.journal", "application/logplex-1"

LINES: Schema = {"type": "string", "description": "One JSON object a line."}

BYTES: Schema = {}

PLAIN: Schema = {"type": "string"}

OBJECT: Schema = {"type": "object"}

EVENT: Schema = {
    "type": "object",
    "description": "A log event. All other fields are stored in `metadata`.",
    "properties": {
        "message": {"type": "string"},
        "timestamp": {"type": ["string", "number"], "description": "The time of receipt by default."},
        "level": {"type": ["string", "number"], "default": "info"},
        "service": {"type": "string", "maxLength": 200},
        "project_id": {"type": "string", "maxLength": 200},
        "trace_id": {"type": "string"},
        "span_id": {"type": "string"},
        "metadata": {"type": "object"},
    },
}

EVENTS: Schema = {"type": "array", "items": EVENT}

ACCEPTED = {"status": "accepted", "accepted": 1, "rejected": 0, "errors": []}

DRAIN_ERRORS = (
    "invalid_json",
    "invalid_encoding",
    "invalid_body",
    "too_deep",
    "no_events",
    "all_rejected",
    "invalid_idempotency_key",
    *LOGS_REJECTED,
    "403 no_destination",
    "idempotency_key_reused",
    "too_many_events",
    "event_too_large",
    "unsupported_encoding",
    "backpressure_saturated",
    "staging_unavailable",
    "destination_unavailable",
)
"""Codes of a rejected request in our own form."""

AS_429 = tuple(f"429 {code.removeprefix('402 ')}" for code in LOGS_REJECTED)
"""Where a client drops a batch at a 402, the status is one at which it keeps it."""

STATUSES = (400, 401, 403, 409, 413, 415, 429, 500, 503)
"""Statuses of rejections in the form of another client. There is no 402: see functions.ingest.protocols."""
