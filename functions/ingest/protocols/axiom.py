"""Axiom's ingest API: `POST /v1/datasets/{dataset}/ingest`, and the edge form `POST /v1/ingest/{dataset}`.

Its libraries retry at 5xx and nothing else; axiom-py also at any status with a `Retry-After`, and sleeps as
long as that says, in the thread that logs. So a wait of seconds is 503, and one of a quota is 429 without it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw

from functions.ingest import streamed, unpack
from functions.ingest.protocols.contract import (
    IngestProtocol,
    IngestResult,
    LogRequest,
    Part,
    windows,
)
from functions.ingest.protocols.enveloped import (
    Converted,
    Fields,
    converted,
    event_of,
    is_blank,
    with_metadata,
)
from functions.ingest.protocols.refusals import Cause, cause_of, retry_after, status_for
from functions.shared.errors import HttpError
from functions.shared.events.aliases import with_columns
from functions.shared.events.judge import MAX_NAME_CHARACTERS, RejectedEvent
from functions.shared.http import Answer, answer, refused

_STATUSES = {Cause.BUSY: 503, Cause.OVER_QUOTA: 429, Cause.CLOSED: 403}

_IDENTITY = "1"
"""axiom-py's `ContentEncoding.IDENTITY`, sent as it is."""

_NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_CSV = frozenset({"text/csv", "application/csv"})
_TIME, _TIMESTAMP_FIELD = "_time", "timestamp-field"
_LABELS = "x-axiom-event-labels"

_EMPTY_EVENT = RejectedEvent("message_missing", "The event is empty.")

_object = msgspec.json.Decoder(Fields)


def _json(text: str) -> Raw:
    return Raw(msgspec.json.encode(text))


class _BodySize:
    """The decoded bytes of a body, which the answer names."""

    def __init__(self) -> None:
        self.decoded_bytes = 0

    def counting(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.decoded_bytes += len(piece)
            yield piece


class AxiomProtocol(IngestProtocol):
    """Events of Axiom's libraries and of agents with an output for it."""

    def unpack(self, request: LogRequest) -> Iterator[bytes]:
        encoding = request.headers.get("content-encoding", "")
        return unpack.chunks(request.body, "" if encoding == _IDENTITY else encoding)

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        if request.media_type in _CSV:
            raise HttpError(
                400, "invalid_body", "CSV is not accepted here: send JSON or NDJSON, or upload it as a file."
            )
        request.decoded = size = _BodySize()
        split = streamed.text_lines if request.media_type in _NDJSON else streamed.values
        convert = partial(
            _event,
            time_field=request.query.get(_TIMESTAMP_FIELD) or _TIME,
            dataset=_json(request.parameters["dataset"]),
            labels=_labels_of(request),
        )
        return windows(converted(split(size.counting(pieces)), convert))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """200 whatever became of the events, as Axiom: libraries read the counts."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        failures = [
            {"timestamp": now, "error": f"event {each.index}: {each.cause.reason} ({each.cause.code})"}
            for each in result.rejections
        ]
        body = {
            "ingested": result.rows,
            "failed": result.rejected,
            "failures": failures,
            "processedBytes": request.decoded.decoded_bytes,
            "blocksCreated": 0,
            "walLength": 0,
        }
        return answer(200, body)

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        named = refused(error, request.event)
        body = {
            "message": error.message,
            "code": error.code,
            "request_id": request.request_id,
        }
        response = answer(status_for(error, _STATUSES), body)
        waits = {} if cause_of(error) is Cause.OVER_QUOTA else retry_after(error)
        response["headers"] = {**named["headers"], **response["headers"], **waits}
        return response


PROTOCOL = AxiomProtocol()


def _labels_of(request: LogRequest) -> Fields:
    """The fields that axiom-go sends in a header for all events of a request.

    Raises
    ------
    HttpError: 400 when they are no JSON object.
    """
    try:
        return _object.decode(request.headers.get(_LABELS, "{}"))
    except (msgspec.DecodeError, RecursionError) as fault:
        message = "The header X-Axiom-Event-Labels must be a JSON object."
        raise HttpError(400, "invalid_body", message) from fault


def _event(fields: Fields, time_field: str, dataset: Raw, labels: Fields) -> Converted:
    """The event of an object; its dataset is the service of one that has none."""
    if not fields:
        return _EMPTY_EVENT
    envelope: dict[str, Any] = {}
    if not is_blank(fields.get(time_field)):
        envelope["timestamp"] = fields.pop(time_field)
    event = dict(with_columns(dict(event_of({"dataset": dataset, **labels, **fields}, envelope))))
    if "timestamp" not in event and _is_log_record(event):
        event["timestamp"] = event.pop("created")
    if is_blank(event.get("service")) and _is_service(dataset):
        event["service"] = dataset
    return with_metadata(event)


def _is_log_record(event: Mapping[str, Any]) -> bool:
    """Whether an event is a LogRecord of Python, which AxiomHandler sends with its time as `created`."""
    return "created" in event and "msecs" in event and "levelno" in event


def _is_service(dataset: Raw) -> bool:
    """Whether a name, in its quotes, is one for a service."""
    return 2 < len(dataset) <= MAX_NAME_CHARACTERS + 2
