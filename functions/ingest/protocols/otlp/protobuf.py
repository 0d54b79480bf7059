"""OTLP in protobuf: split by its wire format, so that records are parsed a window at a time."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from functions.ingest.protocols.otlp.events import (
    LogRecord,
    RecordOrigin,
    event_of,
    number,
    origin_of,
    text_of_bytes,
)
from functions.ingest.protocols.protobuf_wire import (
    MessageCount,
    WireField,
    fields,
    last_of,
    not_protobuf,
    windows_of,
)
from functions.shared.errors import HttpError
from functions.shared.events.judge import MAX_EVENT_SIZE, RejectedEvent

MAX_MESSAGES = 200_000
"""Of resources, scopes and records together: empty ones have two bytes each."""

_RESOURCE_LOGS = 1
_RESOURCE, _SCOPE_LOGS = 1, 2
_SCOPE, _LOG_RECORDS = 1, 2

TOO_LARGE = RejectedEvent("event_too_large", "The log record is larger than 1 MiB.")
NOT_A_RECORD = RejectedEvent(
    "invalid_protobuf", "The log record is not valid protobuf or holds no valid UTF-8."
)

Decoded = dict[str, Any] | RejectedEvent


def events(body: bytes) -> Iterator[Decoded]:
    """The records of an ExportLogsServiceRequest as events, in their order.

    Raises
    ------
    HttpError: 400 or 413, possibly after some.
    """
    count = MessageCount(MAX_MESSAGES)
    for logs in count.each(fields(body, 0, len(body))):
        if logs.number != _RESOURCE_LOGS:
            continue
        parts = list(count.each(fields(body, logs.start, logs.end)))
        resource = _parsed(Resource, body, last_of(parts, _RESOURCE))
        attributes = _values(resource.attributes)
        for each in parts:
            if each.number == _SCOPE_LOGS:
                yield from _of_scope(body, each, attributes, count)


def _of_scope(
    body: bytes, logs: WireField, resource: dict[str, Any], count: MessageCount
) -> Iterator[Decoded]:
    parts = list(count.each(fields(body, logs.start, logs.end)))
    scope = _parsed(InstrumentationScope, body, last_of(parts, _SCOPE))
    origin = origin_of(resource, _values(scope.attributes), scope.name, scope.version)
    convert = partial(_event, origin=origin)
    for window in windows_of([each for each in parts if each.number == _LOG_RECORDS]):
        if window[0].end - window[0].start > MAX_EVENT_SIZE:
            yield TOO_LARGE
            continue
        yield from _records(body, window, convert)


def _records(body: bytes, window: list[WireField], convert: Any) -> Iterator[Decoded]:
    """The events of a window; if it cannot be parsed at once, record by record."""
    joined = b"".join([body[each.tag_at : each.end] for each in window])
    try:
        records = logs_pb2.ScopeLogs.FromString(joined).log_records
    except DecodeError:
        records = ()
    if len(records) == len(window):
        yield from map(convert, records)
        return
    for each in window:
        try:
            record = logs_pb2.LogRecord.FromString(body[each.start : each.end])
        except DecodeError:
            yield NOT_A_RECORD
            continue
        yield convert(record)


def _event(record: Any, origin: RecordOrigin) -> dict[str, Any]:
    return event_of(
        LogRecord(
            record.time_unix_nano,
            record.observed_time_unix_nano,
            record.severity_number,
            record.severity_text,
            _value(record.body),
            _values(record.attributes),
            record.trace_id.hex(),
            record.span_id.hex(),
            record.flags,
            record.event_name,
            record.dropped_attributes_count,
        ),
        origin,
    )


def _values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    content = getattr(value, kind)
    convert = _CONVERTED.get(kind)
    return convert(content) if convert else content


_CONVERTED: dict[str, Any] = {
    "double_value": number,
    "bytes_value": text_of_bytes,
    "array_value": lambda array: [_value(each) for each in array.values],
    "kvlist_value": lambda pairs: _values(pairs.values),
}


def _parsed(kind: Any, body: bytes, found: WireField | None) -> Any:
    if found is None:
        return kind()
    if found.end - found.start > MAX_EVENT_SIZE:
        raise HttpError(413, "payload_too_large", "A resource or scope is larger than 1 MiB.")
    try:
        return kind.FromString(body[found.start : found.end])
    except DecodeError as fault:
        raise not_protobuf() from fault
