"""OTLP in JSON: camel case, whole numbers as text or numbers, ids in hexadecimal or base64."""

import base64
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from functions.ingest.protocols.otlp.events import LogRecord, RecordOrigin, event_of, number, origin_of
from functions.shared.errors import HttpError
from functions.shared.events.judge import MAX_EVENT_SIZE, RejectedEvent
from functions.shared.events.surrogates import replace_lone_surrogates

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 2_000_000
"""Commas and opening brackets together: each may be a value that weighs a hundred bytes."""

_ID_LENGTHS = {"trace": (32, 24), "span": (16, 12)}
"""Characters of an id in hexadecimal and in base64."""

TOO_LARGE = RejectedEvent("event_too_large", "The log record is larger than 1 MiB.")
NOT_A_RECORD = RejectedEvent("invalid_record", "The log record is not one of OTLP/JSON.")

Decoded = dict[str, Any] | RejectedEvent


class _Scope(Struct):
    name: str = ""
    version: str = ""
    attributes: list[Any] = []


class _Resource(Struct):
    attributes: list[Any] = []


class _ScopeLogs(Struct, rename="camel"):
    scope: _Scope | None = None
    log_records: list[Raw] | None = None


class _ResourceLogs(Struct, rename="camel"):
    resource: _Resource | None = None
    scope_logs: list[_ScopeLogs] | None = None


class _Request(Struct, rename="camel"):
    resource_logs: list[_ResourceLogs] | None = None


class _Record(Struct, rename="camel"):
    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    severity_number: int | str | None = None
    severity_text: str | None = None
    body: Any = None
    attributes: list[Any] | None = None
    trace_id: str | None = None
    span_id: str | None = None
    flags: int | None = None
    event_name: str | None = None
    dropped_attributes_count: int | None = None


_request = msgspec.json.Decoder(_Request)
_record = msgspec.json.Decoder(_Record)


def events(body: bytes) -> Iterator[Decoded]:
    """The records of an ExportLogsServiceRequest as events, in their order.

    Raises
    ------
    HttpError: 400 or 413, before the first.
    """
    if len(body) > MAX_BYTES:
        raise HttpError(
            413,
            "payload_too_large",
            "An OTLP body in JSON decodes to more than 16 MiB: send smaller batches.",
        )
    if body.count(b",") + body.count(b"{") + body.count(b"[") > MAX_VALUES:
        raise HttpError(413, "too_many_events", f"The body holds more than {MAX_VALUES} values.")
    try:
        request = _request.decode(replace_lone_surrogates(body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise HttpError(400, "invalid_json", "The body is not an OTLP request in JSON.") from fault
    return _events(request)


def _events(request: _Request) -> Iterator[Decoded]:
    for logs in request.resource_logs or ():
        resource = _values((logs.resource or _Resource()).attributes)
        for each in logs.scope_logs or ():
            scope = each.scope or _Scope()
            origin = origin_of(resource, _values(scope.attributes), scope.name, scope.version)
            for raw in each.log_records or ():
                yield _event(raw, origin)


def _event(raw: Raw, origin: RecordOrigin) -> Decoded:
    if len(raw) > MAX_EVENT_SIZE:
        return TOO_LARGE
    try:
        record = _record.decode(raw)
        return event_of(
            LogRecord(
                int(record.time_unix_nano or 0),
                int(record.observed_time_unix_nano or 0),
                _severity(record.severity_number),
                record.severity_text or "",
                _value(record.body),
                _values(record.attributes or []),
                _identifier(record.trace_id, "trace"),
                _identifier(record.span_id, "span"),
                record.flags or 0,
                record.event_name or "",
                record.dropped_attributes_count or 0,
            ),
            origin,
        )
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError, TypeError):
        return NOT_A_RECORD


def _severity(value: int | str | None) -> int:
    """A number, also as text; the name of the enumeration, such as SEVERITY_NUMBER_INFO2, by its place."""
    if isinstance(value, str) and value.startswith(_SEVERITY):
        name = value.removeprefix(_SEVERITY)
        nth = int(name[-1]) if name[-1:].isdigit() else 1
        return 4 * _NAMES.index(name.rstrip("234")) + nth if name.rstrip("234") in _NAMES else 0
    return int(value or 0)


_SEVERITY = "SEVERITY_NUMBER_"
_NAMES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


def _identifier(text: str | None, kind: str) -> str:
    """An id in lower-case hexadecimal; one that is neither hexadecimal nor base64 as it was sent."""
    if not text:
        return ""
    hexadecimal, base64_characters = _ID_LENGTHS[kind]
    if len(text) == base64_characters and len(text) != hexadecimal:
        try:
            return base64.b64decode(text, validate=True).hex()
        except ValueError:  # also a letter beyond ASCII, which is no binascii.Error
            return text
    return text.lower()


def _values(attributes: list[Any]) -> dict[str, Any]:
    return {str(each["key"]): _value(each.get("value")) for each in attributes if "key" in each}


def _value(value: Any) -> Any:
    """An AnyValue: an object with one of seven keys; other JSON in its place stays as it is."""
    if not isinstance(value, dict) or len(value) != 1:
        return None if value == {} else value
    ((kind, content),) = value.items()
    convert = _CONVERTED.get(kind)
    return convert(content) if convert else value


def _whole(content: int | str) -> int | str:
    """A whole number; one beyond 64 bits, which OTLP does not have, as text."""
    text = str(content)
    number = int(text) if len(text) <= _INT64_CHARACTERS else 2**63
    return number if -(2**63) <= number < 2**63 else text


_INT64_CHARACTERS = len(str(-(2**63)))

_CONVERTED: dict[str, Any] = {
    "stringValue": lambda content: content,
    "boolValue": lambda content: content,
    "bytesValue": lambda content: content,
    "intValue": _whole,
    "doubleValue": lambda content: number(float(content)),
    "arrayValue": lambda content: [_value(each) for each in content.get("values") or ()],
    "kvlistValue": lambda content: _values(content.get("values") or []),
}
