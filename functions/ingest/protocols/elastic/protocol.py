"""Elasticsearch's bulk API: what its clients send, and the answers by which they keep or drop documents.

Clients read the status of each item. They send a whole request again after 429 and 503, some after every
status but 200; after 500 most do not.
"""

from collections.abc import Iterable, Iterator

from functions.ingest.protocols.contract import (
    UNMATCHED,
    IngestProtocol,
    IngestResult,
    LogRequest,
    Part,
    windows,
)
from functions.ingest.protocols.elastic import bulk_body, handshake
from functions.ingest.protocols.elastic.bulk_answer import answer_text
from functions.ingest.protocols.elastic.filter_path import FilterPath
from functions.ingest.protocols.refusals import Cause, status_for
from functions.shared.errors import HttpError
from functions.shared.http import Answer

_ROOT = "ANY /"
_STATUSES = {Cause.UNAVAILABLE: 503, Cause.OVER_QUOTA: 429, Cause.CLOSED: 403}
_STATUSES_OF_COLLECTOR = {**_STATUSES, Cause.UNAVAILABLE: 429}
"""The exporter of the OpenTelemetry Collector sends again at 429 only, and drops a batch at 503."""

_COLLECTOR = "opentelemetry"

_TYPES = {
    400: "illegal_argument_exception",
    401: "security_exception",
    403: "security_exception",
    405: "method_not_allowed_exception",
    413: "content_too_large_exception",
    415: "media_type_header_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_shards_exception",
}
"""HTTP status -> Elasticsearch's name for the error."""


class ElasticProtocol(IngestProtocol):
    """Elasticsearch's bulk API, and the handshake of its clients."""

    max_rejections = 200_000

    def handshake(self, request: LogRequest) -> Answer | None:
        if request.route == UNMATCHED:
            return handshake.known(request)
        methods = ("GET", "HEAD") if request.route == _ROOT else ("POST", "PUT")
        if request.method not in methods:
            message = f"This path does not support the method. Use {' or '.join(methods)}."
            raise HttpError(405, "method_not_allowed", message, allow=methods)
        if request.route != _ROOT:
            return None
        request.caller()
        return handshake.cluster()

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        request.decoded = []
        return windows(bulk_body.events(pieces, request.parameters.get("index", ""), request.decoded))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """200 with an item for each document, rejected or not; a body without actions is an error."""
        if not result.records:
            raise HttpError(400, "no_events", "request body is required: the body holds no actions.")
        agent = request.headers.get("user-agent", "")
        filters = FilterPath.parse(request.query.get("filter_path", ""))
        return handshake.answer_in_json(200, answer_text(result, request.decoded, agent, filters))

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        is_collector = _COLLECTOR in request.headers.get("user-agent", "").lower()
        status = status_for(error, _STATUSES_OF_COLLECTOR if is_collector else _STATUSES)
        cause = {"type": _TYPES.get(status, "exception"), "reason": f"{error.message} ({error.code})"}
        headers: dict[str, str] = {}
        if error.retry_after_seconds is not None:
            headers["retry-after"] = str(error.retry_after_seconds)
        if error.allow:
            headers["allow"] = ", ".join(error.allow)
        body = {"error": {"root_cause": [cause], **cause}, "status": status}
        return handshake.answer_in_json(status, body, **headers)


PROTOCOL = ElasticProtocol()
