"""OTLP in protobuf: split by its wire format, so that records are parsed a window at a time."""

from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from functions.ingest.protocols.otlp.attributes import AttributeCache
from functions.ingest.protocols.otlp.events import origin_of
from functions.ingest.protocols.otlp.lines import OriginLines
from functions.ingest.protocols.otlp.log_messages import LogRecord, ScopeLogs
from functions.ingest.protocols.otlp.values import values_of
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
"""The limit for resources, scopes and records together: empty ones have two bytes each."""

ONE_PARSE_BYTES = 512 * 1024
"""A scope of at most that is parsed at once: it can hold a quarter of a million empty records, 30 MB."""

_RESOURCE_LOGS = 1
_RESOURCE, _SCOPE_LOGS = 1, 2
_SCOPE, _LOG_RECORDS = 1, 2

TOO_LARGE = RejectedEvent("event_too_large", "The log record is larger than 1 MiB.")
NOT_A_RECORD = RejectedEvent(
    "invalid_protobuf", "The log record is not valid protobuf or holds no valid UTF-8."
)

Decoded = bytes | RejectedEvent
"""An event as a line of JSON."""


def events(body: bytes) -> Iterator[Decoded]:
    """The records of an ExportLogsServiceRequest as events, in their order.

    Raises
    ------
    HttpError: 400 or 413, possibly after some.
    """
    count, cache = MessageCount(MAX_MESSAGES), AttributeCache()
    for logs in count.each(fields(body, 0, len(body))):
        if logs.number != _RESOURCE_LOGS:
            continue
        parts = list(count.each(fields(body, logs.start, logs.end)))
        resource = _parsed(Resource, _content(body, last_of(parts, _RESOURCE)))
        attributes = values_of(resource.attributes)
        for each in parts:
            if each.number == _SCOPE_LOGS:
                yield from _of_scope(body[each.start : each.end], attributes, count, cache)


def _of_scope(
    logs: bytes, resource: dict[str, Any], count: MessageCount, cache: AttributeCache
) -> Iterator[Decoded]:
    whole = _scope_logs(logs) if len(logs) <= ONE_PARSE_BYTES else None
    if whole is not None:
        count.add(len(whole.log_records))
        yield from map(_line_by(_lines(whole.scope, resource, cache)), whole.log_records)
        return
    parts = list(count.each(fields(logs, 0, len(logs))))
    lines = _lines(_content(logs, last_of(parts, _SCOPE)), resource, cache)
    for window in windows_of([each for each in parts if each.number == _LOG_RECORDS]):
        if window[0].end - window[0].start > MAX_EVENT_SIZE:
            yield TOO_LARGE
            continue
        yield from _records(logs, window, lines)


def _scope_logs(content: bytes) -> Any:
    """All of a scope; None when it cannot be parsed at once."""
    try:
        return ScopeLogs.FromString(content)
    except DecodeError:
        return None


def _lines(scope: bytes, resource: dict[str, Any], cache: AttributeCache) -> OriginLines:
    parsed = _parsed(InstrumentationScope, scope)
    origin = origin_of(resource, values_of(parsed.attributes), parsed.name, parsed.version)
    return OriginLines(origin, cache)


def _records(logs: bytes, window: list[WireField], lines: OriginLines) -> Iterator[Decoded]:
    """The events of a window; if it cannot be parsed at once, record by record."""
    whole = _scope_logs(b"".join([logs[each.tag_at : each.end] for each in window]))
    line = _line_by(lines)
    if whole is not None and len(whole.log_records) == len(window):
        yield from map(line, whole.log_records)
        return
    for each in window:
        try:
            record = LogRecord.FromString(logs[each.start : each.end])
        except DecodeError:
            yield NOT_A_RECORD
            continue
        yield line(record)


def _line_by(lines: OriginLines) -> Callable[[Any], Decoded]:
    """What writes a record; one with a value that is not valid is rejected by itself."""

    def line(record: Any) -> Decoded:
        try:
            return lines.line(record)
        except (DecodeError, UnicodeDecodeError):
            return NOT_A_RECORD

    return line


def _content(data: bytes, found: WireField | None) -> bytes:
    return data[found.start : found.end] if found else b""


def _parsed(kind: Any, content: bytes) -> Any:
    """A resource or a scope.

    Raises
    ------
    HttpError: 400 when it is none, 413 when it is larger than an event may be.
    """
    if len(content) > MAX_EVENT_SIZE:
        raise HttpError(413, "payload_too_large", "A resource or scope is larger than 1 MiB.")
    try:
        return kind.FromString(content)
    except DecodeError as fault:
        raise not_protobuf() from fault
