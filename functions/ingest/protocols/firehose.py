"""Amazon Data Firehose: `POST /v1/firehose`, and in its records the subscriptions of CloudWatch Logs.

Firehose retries a delivery at any status but 200 for as long as its stream says, and puts it into the
customer's own bucket in the end. Its request id is the same in each attempt.
"""

import base64
import re
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw

from functions.ingest import streamed, unpack
from functions.ingest.idempotency import IdempotencyKey, checked_key
from functions.ingest.protocols.contract import (
    IngestProtocol,
    IngestResult,
    LogRequest,
    Part,
    nothing_accepted,
    windows,
)
from functions.ingest.protocols.enveloped import (
    NOT_JSON,
    Converted,
    Fields,
    converted,
    event_of,
    line_event,
    object_in,
    text_of,
)
from functions.ingest.protocols.refusals import Cause, retry_after, status_for
from functions.shared.errors import HttpError
from functions.shared.events.judge import RejectedEvent
from functions.shared.http import Answer, answer

MAX_BYTES = 16 * 1024 * 1024
MAX_RECORDS = 100_000
"""Firehose sends at most 10,000 in a request."""

_STATUSES = {Cause.OVER_QUOTA: 429, Cause.CLOSED: 403}
_ID = "x-amz-firehose-request-id"
_ATTRIBUTES = "x-amz-firehose-common-attributes"
_GZIP = b"\x1f\x8b"
_TIME_OF_ATTEMPT = re.compile(rb'"timestamp"\s*+:\s*+\d++')
_MAX_MESSAGE_CHARACTERS = 8000

NOT_DATA = RejectedEvent("invalid_record", "The record's data is not base64, or its gzip is broken.")


TOO_LARGE = RejectedEvent("event_too_large", "The record decodes to more than 16 MiB.")


class _FirehoseRecord(msgspec.Struct):
    data: str


class _FirehoseDelivery(msgspec.Struct):
    records: list[_FirehoseRecord]


class _LogsSubscription(msgspec.Struct):
    """What CloudWatch Logs sends to a subscription."""

    messageType: str  # noqa: N815 - AWS's names
    logEvents: Raw  # noqa: N815 - a list, read event by event
    owner: str = ""
    logGroup: str = ""  # noqa: N815
    logStream: str = ""  # noqa: N815
    subscriptionFilters: list[str] = []  # noqa: N815


_delivery = msgspec.json.Decoder(_FirehoseDelivery)
_subscription = msgspec.json.Decoder(_LogsSubscription)
_attributes = msgspec.json.Decoder(dict[str, dict[str, Raw]])


class FirehoseKey(IdempotencyKey):
    """A delivery's request id; its fingerprint leaves out the time, which is that of the attempt."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self._body = bytearray()

    def reading(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._body += piece
            yield piece

    @property
    def fingerprint(self) -> str:
        return sha256(_TIME_OF_ATTEMPT.sub(b"", self._body)).hexdigest()


class FirehoseProtocol(IngestProtocol):
    """Deliveries of a stream with an HTTP endpoint."""

    def idempotency_key(self, request: LogRequest) -> IdempotencyKey | None:
        sent = request.headers.get(_ID, "")
        key = checked_key(f"firehose:{sent}") if sent else None
        return FirehoseKey(key.key) if key else None

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        common = _common_attributes(request)
        return windows(event for data in _Payloads().of(_records(pieces)) for event in _events(data, common))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        """200, also for control messages alone, which hold no logs."""
        if result.rejected and not result.rows:
            raise nothing_accepted(result)
        return _answer(200, request)

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        details = [each["reason"] for each in error.details.get("errors", ())][:1]
        message = " ".join([f"{error.message} ({error.code})", *details])[:_MAX_MESSAGE_CHARACTERS]
        response = _answer(status_for(error, _STATUSES), request, errorMessage=message)
        response["headers"] |= retry_after(error)
        return response


PROTOCOL = FirehoseProtocol()


def _answer(status: int, request: LogRequest, **more: str) -> Answer:
    body = {"requestId": request.headers.get(_ID, ""), "timestamp": time.time_ns() // 1_000_000}
    return answer(status, {**body, **more})


def _records(pieces: Iterator[bytes]) -> list[_FirehoseRecord]:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > MAX_BYTES:
            raise HttpError(413, "payload_too_large", "A delivery decodes to more than 16 MiB.")
    if body.count(b"{") > MAX_RECORDS:
        raise HttpError(413, "too_many_events", f"A delivery has more than {MAX_RECORDS} records.")
    try:
        return _delivery.decode(body).records
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise HttpError(400, "invalid_body", "The body is not a delivery of Firehose.") from fault


class _Payloads:
    """The data of records, decompressed, within one bound for all of them."""

    def __init__(self) -> None:
        self._left = unpack.MAX_DECODED_BYTES

    def of(self, records: list[_FirehoseRecord]) -> Iterator[bytes | RejectedEvent]:
        for record in records:
            try:
                yield self._decompressed(base64.b64decode(record.data, validate=True))
            except ValueError:  # of binascii, or of characters beyond ASCII
                yield NOT_DATA
            except HttpError as error:
                if error.status != 400:
                    raise
                yield NOT_DATA

    def _decompressed(self, data: bytes) -> bytes | RejectedEvent:
        pieces = unpack.chunks(data, "gzip") if data.startswith(_GZIP) else iter((data,))
        held = bytearray()
        for piece in pieces:
            self._left -= len(piece)
            if self._left < 0:
                raise HttpError(413, "payload_too_large", "The records decode to more than 64 MB together.")
            held += piece
            if len(held) > MAX_BYTES:
                return TOO_LARGE
        return bytes(held)


def _events(data: bytes | RejectedEvent, common: Fields) -> Iterator[Converted]:
    """The events of a record: of subscriptions, JSON objects one after another, or lines of text."""
    if isinstance(data, RejectedEvent):
        yield data
        return
    values_read = 0
    try:
        if data.lstrip().startswith((b"{", b"[")):
            for value in streamed.values(iter((data,))):
                values_read += 1
                yield from _of_value(value, common)
            return
    except HttpError:
        if values_read:
            yield NOT_JSON
            return
    yield from (line_event(line, common) for line in streamed.text_lines(iter((data,))))


def _of_value(value: bytes, common: Fields) -> Iterator[Converted]:
    """The events of a JSON value; a control message has none."""
    try:
        subscription = _subscription.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from converted((value,), lambda fields: event_of(fields, common))
        return
    if subscription.messageType == "CONTROL_MESSAGE":
        return
    origin: dict[str, Any] = {
        "logGroup": subscription.logGroup,
        "logStream": subscription.logStream,
        "owner": subscription.owner,
        "subscriptionFilters": subscription.subscriptionFilters,
        **common,
    }
    events = streamed.values(iter((bytes(subscription.logEvents),)))
    yield from converted(events, lambda fields: _log_event(fields, origin))


def _log_event(fields: Fields, origin: dict[str, Any]) -> Converted:
    """A log event of CloudWatch; a JSON object in its message is the event itself."""
    message = text_of(fields.pop("message", None))
    envelope = {**origin, **fields}
    inner = object_in(message)
    if inner:
        return event_of(inner, envelope)
    return {**envelope, "message": message.removesuffix("\n")}


def _common_attributes(request: LogRequest) -> Fields:
    """The attributes that the stream sets for all its records."""
    try:
        return _attributes.decode(request.headers.get(_ATTRIBUTES, "{}")).get("commonAttributes", {})
    except (msgspec.DecodeError, RecursionError):
        return {}
