"""Operations of Elasticsearch's bulk API."""

from msgspec import Struct

from functions.ingest.openapi.shapes import NDJSON, OBJECT, STATUSES
from functions.shared.openapi import JSON, Body, ErrorForm, Operation, Operations, Parameter, Reply, Schema


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


_BULK_FORM = ErrorForm({JSON: BulkError}, STATUSES)

_BULK_TEXT: Schema = {"type": "string", "description": "An action and a document, each on a line."}

_BULK_EXAMPLE = '{"create": {"_index": "logs"}}\n{"message": "order 42 shipped"}\n'

_BULK_RESULT: Schema = {
    "type": "object",
    "description": "Elasticsearch's bulk response, or the parts that `filter_path` names.",
    "properties": {
        "took": {"type": "integer"},
        "errors": {"type": "boolean"},
        "items": {"type": "array", "items": OBJECT},
    },
    "additionalProperties": False,
}

_CLUSTER: Schema = {
    "type": "object",
    "required": ["version", "cluster_name"],
    "properties": {"version": OBJECT},
}


def _bulk(name: str, index: Parameter | None) -> Operation:
    filter_path = Parameter(
        "filter_path", "The parts of the response to return.", example="errors,items.*.error"
    )
    return Operation(
        name,
        "Send documents by Elasticsearch's bulk API",
        "ingest",
        {200: Reply("One item for each action.", _BULK_RESULT, {"took": 0, "errors": False, "items": []})},
        parameters=(*((index,) if index else ()), filter_path),
        body=Body({NDJSON: _BULK_TEXT, JSON: _BULK_TEXT}, {NDJSON: _BULK_EXAMPLE}),
        error_form=_BULK_FORM,
        page="clients/elasticsearch.md",
    )


_INDEX = Parameter("index", "The index, stored as a field.", place="path", required=True, example="logs")

OPERATIONS: Operations = {
    "GET /": Operation(
        "getCluster",
        "Answer the first request of Elasticsearch clients",
        "any key",
        {
            200: Reply("A cluster.", _CLUSTER, {"cluster_name": "astralog", "version": {"number": "9.9.0"}}),
            303: Reply("To a browser, which asks for HTML: the dashboard is at `/search`."),
        },
        error_form=_BULK_FORM,
        page="clients/elasticsearch.md",
    ),
    "HEAD /": Operation(
        "headCluster",
        "Answer the first request of Elasticsearch clients",
        "any key",
        {200: Reply("The key is valid.")},
        error_form=ErrorForm({}, STATUSES),
        page="clients/elasticsearch.md",
    ),
    "POST /_bulk": _bulk("sendBulk", None),
    "PUT /_bulk": _bulk("putBulk", None),
    "POST /{index}/_bulk": _bulk("sendBulkToIndex", _INDEX),
    "PUT /{index}/_bulk": _bulk("putBulkToIndex", _INDEX),
}
