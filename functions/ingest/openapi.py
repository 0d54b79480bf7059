"""Documentation of the routes of logs, the health check and this document; see functions.shared.openapi.

A protocol that is not our own is described by what its clients send and get; its page in docs/clients has the
rest. Bodies may be compressed (`Content-Encoding: gzip`, `deflate` or `zstd`) on all routes of logs.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from functions.shared.openapi import (
    JSON,
    LOGS_REJECTED,
    Body,
    ErrorBody,
    ErrorForm,
    Operation,
    Operations,
    Parameter,
    Reply,
    Schema,
)


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


class SplunkResult(Struct, rename={"first_invalid": "invalid-event-number"}):
    """Splunk's: code 0 is success. With rejected events, `errors` describes them."""

    text: str
    code: int
    first_invalid: int | UnsetType = UNSET
    ackId: int | UnsetType = UNSET  # noqa: N815 - Splunk's name
    accepted: int | UnsetType = UNSET
    rejected: int | UnsetType = UNSET
    errors: list[RejectedRecord] | UnsetType = UNSET


class SplunkAcks(Struct):
    """Ids to ask for."""

    acks: list[int]


class SplunkAckStates(Struct):
    """By id; all are true, because a 200 means that the events are durable."""

    acks: dict[str, Literal[True]]


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


class DatadogProblem(Struct):
    """One error in Datadog's form."""

    status: str
    title: str
    detail: str


class DatadogErrors(Struct):
    """Errors in Datadog's form."""

    errors: list[DatadogProblem]


class DatadogResult(Struct):
    """Empty when every log was accepted."""

    accepted: int | UnsetType = UNSET
    rejected: int | UnsetType = UNSET
    errors: list[RejectedRecord] | UnsetType = UNSET


class DatadogKeyCheck(Struct):
    """The key is valid."""

    valid: Literal[True]


class FirehoseResult(Struct):
    """Firehose's: the id of the request, and the time in milliseconds since 1970."""

    requestId: str  # noqa: N815 - Firehose's names
    timestamp: int
    errorMessage: str | UnsetType = UNSET  # noqa: N815


class BulkProblem(Struct):
    """An error in Elasticsearch's form."""

    type: str
    reason: str


class BulkErrorCause(BulkProblem, kw_only=True):
    """An error with its causes."""

    root_cause: list[BulkProblem]


class BulkError(Struct):
    """A rejected request in Elasticsearch's form."""

    error: BulkErrorCause
    status: int


NDJSON, MSGPACK, PROTOBUF = "application/x-ndjson", "application/msgpack", "application/x-protobuf"
TEXT = "text/plain; charset=utf-8"
JOURNAL, LOGPLEX = "application/vnd.fdo.journal", "application/logplex-1"

_LINES: Schema = {"type": "string", "description": "One JSON object a line."}
_BYTES: Schema = {}
_PLAIN: Schema = {"type": "string"}
_OBJECT: Schema = {"type": "object"}

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
_EVENTS: Schema = {"type": "array", "items": EVENT}
_BATCH: Schema = {
    "anyOf": [
        {"type": "object", "properties": {"events": _EVENTS}, "required": ["events"]},
        {"type": "object", "properties": {"logs": _EVENTS}, "required": ["logs"]},
        _EVENTS,
        EVENT,
    ]
}
_EXAMPLE = {"message": "order 42 shipped", "service": "checkout", "metadata": {"order": 42}}
_ACCEPTED = {"status": "accepted", "accepted": 1, "rejected": 0, "errors": []}
_PARTLY = {
    "status": "accepted",
    "accepted": 1,
    "rejected": 1,
    "errors": [{"index": 1, "code": "message_missing", "reason": "The event has no 'message'."}],
}

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

_AS_429 = tuple(f"429 {code.removeprefix('402 ')}" for code in LOGS_REJECTED)
"""Where a client drops a batch at a 402, the status is one at which it keeps it."""

_AS_403 = ("403 subscription_ended", "403 trial_ended", "403 account_closing")

_STATUSES = (400, 401, 403, 409, 413, 415, 429, 500, 503)
"""Of a rejected request in the form of another client. There is no 402: see functions.ingest.protocols."""

_KEY = Parameter(
    "Idempotency-Key",
    "A batch with the same key is accepted once within 24 hours.",
    Annotated[str, Meta(max_length=255)],
    place="header",
    example="batch-7",
)


def _forwarder(name: str, title: str, page: str, body: Body, reply: Reply, status: int = 200) -> Operation:
    """A route of senders that read nothing but the status: errors have our own form."""
    return Operation(
        name,
        title,
        "ingest",
        {status: reply},
        body=body,
        errors=(*DRAIN_ERRORS, *_AS_429, *_AS_403),
        details={"all_rejected": RejectionCounts},
        page=page,
    )


_OUR_OWN: Operations = {
    "POST /v1/drain": Operation(
        "sendEvents",
        "Send events",
        "ingest",
        {
            202: Reply(
                "The accepted events are durable; searches find them within seconds.", AcceptedEvents, _PARTLY
            ),
            200: Reply("With `wait=true`: searches find the events now.", AcceptedEvents, _ACCEPTED),
        },
        description="Each event is accepted or rejected by itself. Fields are also found under the names "
        "that loggers use. The body may be compressed with gzip, deflate or zstd.",
        parameters=(
            Parameter("wait", "Answer when searches find the events.", Literal["true", "false"]),
            _KEY,
        ),
        body=Body(
            {JSON: _BATCH, NDJSON: _LINES, MSGPACK: _BYTES},
            {JSON: {"events": [_EXAMPLE]}, NDJSON: '{"message": "order 42 shipped"}\n'},
        ),
        errors=(*DRAIN_ERRORS, *_AS_429),
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
                _OBJECT,
                {"openapi": "3.1.1"},
                headers={"ETag": "Changes with the document.", "Cache-Control": "How long to keep it."},
            ),
            304: Reply("Not changed since the `ETag` in `If-None-Match`."),
        },
        parameters=(Parameter("If-None-Match", "An `ETag` of an earlier response.", place="header"),),
        page="api.md#openapi",
    ),
}

_OTLP_FORM = ErrorForm({JSON: RpcStatus, PROTOBUF: _BYTES}, _STATUSES)
_BULK_FORM = ErrorForm({JSON: BulkError}, _STATUSES)
_LOKI_FORM = ErrorForm({TEXT: _PLAIN}, _STATUSES)
_SPLUNK_FORM = ErrorForm({JSON: SplunkResult}, (*_STATUSES, 404))
_DATADOG_FORM = ErrorForm({JSON: DatadogErrors}, _STATUSES)
_AXIOM_FORM = ErrorForm({JSON: AxiomError}, _STATUSES)
_FIREHOSE_FORM = ErrorForm({JSON: FirehoseResult}, _STATUSES)

_OTLP_BODY = Body(
    {
        JSON: {"type": "object", "properties": {"resourceLogs": {"type": "array", "items": _OBJECT}}},
        PROTOBUF: _BYTES,
    },
    {
        JSON: {
            "resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "order 42 shipped"}}]}]}]
        }
    },
)

_BULK_TEXT: Schema = {"type": "string", "description": "An action and a document, each on a line."}
_BULK_EXAMPLE = '{"create": {"_index": "logs"}}\n{"message": "order 42 shipped"}\n'
_BULK_RESULT: Schema = {
    "type": "object",
    "description": "Elasticsearch's bulk response, or the parts that `filter_path` names.",
    "properties": {
        "took": {"type": "integer"},
        "errors": {"type": "boolean"},
        "items": {"type": "array", "items": _OBJECT},
    },
    "additionalProperties": False,
}
_CLUSTER: Schema = {
    "type": "object",
    "required": ["version", "cluster_name"],
    "properties": {"version": _OBJECT},
}


def _bulk(name: str, index: Parameter | None) -> Operation:
    filter_path = Parameter(
        "filter_path", "The parts of the response to return.", example="errors,items.*.error"
    )
    return Operation(
        name,
        "Send documents as to Elasticsearch's bulk API",
        "ingest",
        {200: Reply("One item for each action.", _BULK_RESULT, {"took": 0, "errors": False, "items": []})},
        parameters=(*((index,) if index else ()), filter_path),
        body=Body({NDJSON: _BULK_TEXT, JSON: _BULK_TEXT}, {NDJSON: _BULK_EXAMPLE}),
        error_form=_BULK_FORM,
        page="clients/elasticsearch.md",
    )


_INDEX = Parameter("index", "The index, stored as a field.", place="path", required=True, example="logs")

_ELASTIC: Operations = {
    "GET /": Operation(
        "getCluster",
        "What clients of Elasticsearch ask first",
        "any key",
        {200: Reply("A cluster.", _CLUSTER, {"cluster_name": "astralog", "version": {"number": "9.9.0"}})},
        error_form=_BULK_FORM,
        page="clients/elasticsearch.md",
    ),
    "HEAD /": Operation(
        "headCluster",
        "What clients of Elasticsearch ask first",
        "any key",
        {200: Reply("The key is valid.")},
        error_form=ErrorForm({}, _STATUSES),
        page="clients/elasticsearch.md",
    ),
    "POST /_bulk": _bulk("sendBulk", None),
    "PUT /_bulk": _bulk("putBulk", None),
    "POST /{index}/_bulk": _bulk("sendBulkToIndex", _INDEX),
    "PUT /{index}/_bulk": _bulk("putBulkToIndex", _INDEX),
}

_STREAMS: Schema = {
    "type": "object",
    "properties": {"streams": {"type": "array", "items": _OBJECT}},
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
        body=Body({JSON: _STREAMS, PROTOBUF: _BYTES}, {JSON: _STREAMS_EXAMPLE}),
        error_form=_LOKI_FORM,
        page="clients/loki.md",
    )


_LOKI: Operations = {
    "POST /loki/api/v1/push": _loki("pushStreams", "Send logs as to Loki"),
    "POST /api/prom/push": _loki("pushStreamsOld", "Send logs as to Loki, at its older path"),
}

_HEC_EVENT: Schema = {"type": "object", "properties": {"event": {}, "time": {"type": ["number", "string"]}}}
_HEC_EXAMPLE = {"event": "order 42 shipped", "sourcetype": "checkout"}
_HEC_ACCEPTED = Reply("Durable, if `code` is 0.", SplunkResult, {"text": "Success", "code": 0})
_CHANNEL = Parameter("channel", "The client's channel, for acknowledgements.")


def _hec(name: str, title: str, body: Body) -> Operation:
    return Operation(
        name,
        title,
        "ingest",
        {200: _HEC_ACCEPTED},
        parameters=(_CHANNEL,),
        body=body,
        error_form=_SPLUNK_FORM,
        page="clients/splunk.md",
    )


_HEC_EVENTS = Body({JSON: _HEC_EVENT}, {JSON: _HEC_EXAMPLE})

_SPLUNK: Operations = {
    "POST /services/collector": _hec(
        "sendHecEventsShort", "Send events as to Splunk, at the short path", _HEC_EVENTS
    ),
    "POST /services/collector/event": _hec(
        "sendHecEvents", "Send events as to Splunk's HTTP Event Collector", _HEC_EVENTS
    ),
    "POST /services/collector/raw": _hec(
        "sendHecLines",
        "Send lines as to Splunk's HTTP Event Collector",
        Body({"text/plain": _PLAIN}, {"text/plain": "order 42 shipped\n"}),
    ),
    "POST /services/collector/ack": Operation(
        "getHecAcks",
        "Ask for acknowledgements as at Splunk",
        "any key",
        {200: Reply("By id.", SplunkAckStates, {"acks": {"1": True}})},
        parameters=(_CHANNEL,),
        body=Body.json(SplunkAcks, {"acks": [1]}),
        error_form=_SPLUNK_FORM,
        page="clients/splunk.md",
    ),
}

_DATADOG_BODY = Body(
    {JSON: {"anyOf": [_EVENTS, EVENT]}, "text/plain": _PLAIN},
    {JSON: [{"message": "order 42 shipped", "service": "checkout", "ddtags": "env:prod"}]},
)


def _datadog(name: str, title: str) -> Operation:
    return Operation(
        name,
        title,
        "ingest",
        {202: Reply("The accepted logs are durable.", DatadogResult, {})},
        parameters=tuple(
            Parameter(each, "As Datadog's.") for each in ("ddsource", "ddtags", "hostname", "service")
        ),
        body=_DATADOG_BODY,
        error_form=_DATADOG_FORM,
        page="clients/datadog.md",
    )


_DATADOG: Operations = {
    "POST /api/v2/logs": _datadog("sendDatadogLogs", "Send logs as to Datadog"),
    "POST /v1/input": _datadog("sendDatadogInput", "Send logs as to Datadog, at its older path"),
    "GET /api/v1/validate": Operation(
        "validateDatadogKey",
        "Check a key as at Datadog",
        "any key",
        {200: Reply("The key is valid.", DatadogKeyCheck, {"valid": True})},
        error_form=_DATADOG_FORM,
        page="clients/datadog.md",
    ),
}

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
            {JSON: {"anyOf": [_EVENTS, EVENT]}, NDJSON: _LINES},
            {JSON: [{"_time": "2026-11-23T10:00:00Z", "message": "order 42 shipped"}]},
        ),
        error_form=_AXIOM_FORM,
        page="clients/axiom.md",
    )


_AXIOM: Operations = {
    "POST /v1/datasets/{dataset}/ingest": _axiom("sendAxiomEvents", "Send events as to Axiom"),
    "POST /v1/ingest/{dataset}": _axiom("sendAxiomEventsToEdge", "Send events as to Axiom's edge"),
}

_ACCEPTED_REPLY = Reply("The accepted events are durable.", AcceptedEvents, _ACCEPTED)
_ANY_JSON = Body({JSON: {"anyOf": [_OBJECT, _EVENTS]}, NDJSON: _LINES}, {JSON: [{"message": "GET / 200"}]})

_FORWARDERS: Operations = {
    "POST /v1/heroku": _forwarder(
        "sendLogplex",
        "Send logs as Heroku's log drain",
        "clients/heroku.md",
        Body(
            {LOGPLEX: _PLAIN},
            {LOGPLEX: "66 <190>1 2026-11-23T10:00:00+00:00 host app web.1 - order 42 shipped"},
        ),
        Reply("The accepted messages are durable."),
        204,
    ),
    "POST /v1/syslog": _forwarder(
        "sendSyslog",
        "Send syslog in lines or frames",
        "clients/syslog.md",
        Body(
            {"text/plain": _PLAIN},
            {"text/plain": "<14>1 2026-11-23T10:00:00Z web1 app 7 - - order 42 shipped\n"},
        ),
        _ACCEPTED_REPLY,
        202,
    ),
    "POST /v1/vercel": _forwarder(
        "sendVercelLogs",
        "Send logs as Vercel's log drain",
        "clients/vercel.md",
        _ANY_JSON,
        Reply(
            "The accepted logs are durable; or the check of the endpoint.",
            (AcceptedEvents, HealthStatus),
            _ACCEPTED,
        ),
    ),
    "POST /v1/cloudflare": _forwarder(
        "sendCloudflareLogs",
        "Send logs as Cloudflare's Logpush",
        "clients/cloudflare.md",
        _ANY_JSON,
        _ACCEPTED_REPLY,
    ),
    "POST /v1/github": _forwarder(
        "sendGithubEvent",
        "Receive a webhook of GitHub as an event",
        "clients/github.md",
        Body.json(_OBJECT, {"action": "opened", "repository": {"full_name": "acme/shop"}}),
        _ACCEPTED_REPLY,
        202,
    ),
    "POST /v1/journald/upload": _forwarder(
        "sendJournal",
        "Send entries of the systemd journal",
        "clients/journald.md",
        Body({JOURNAL: _BYTES}, {JOURNAL: "MESSAGE=order 42 shipped\n\n"}),
        _ACCEPTED_REPLY,
    ),
}

_OTHERS: Operations = {
    "POST /v1/logs": Operation(
        "exportOtlpLogs",
        "Send logs of OpenTelemetry (OTLP/HTTP)",
        "ingest",
        {
            200: Reply(
                "The accepted records are durable. The encoding is that of the request.",
                OtlpResult,
                {},
                or_media={PROTOBUF: _BYTES},
            )
        },
        body=_OTLP_BODY,
        error_form=_OTLP_FORM,
        page="clients/opentelemetry.md",
    ),
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
            {JSON: {"anyOf": [_EVENTS, EVENT]}, MSGPACK: _BYTES},
            {JSON: [{"dt": "2026-11-23T10:00:00Z", "message": "order 42 shipped"}]},
        ),
        error_form=ErrorForm({JSON: ErrorBody}, _STATUSES),
        page="clients/logtail.md",
    ),
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

OPERATIONS: Operations = {
    **_OUR_OWN,
    **_ELASTIC,
    **_LOKI,
    **_SPLUNK,
    **_DATADOG,
    **_AXIOM,
    **_FORWARDERS,
    **_OTHERS,
}
