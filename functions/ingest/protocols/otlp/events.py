"""A log record of OpenTelemetry as an event.

The body is the message. Attributes are fields of the metadata under their own names, the resource's too;
where a record has one of the same name, the resource's is `resource.<name>`. What has no column stays in the
metadata under its name in the specification.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import msgspec

from functions.ingest.protocols.nanoseconds import moment
from functions.shared.events import levels

SERVICE_NAME = "service.name"
_encode = msgspec.json.Encoder().encode
_FIRST_OF_LEVEL = frozenset({1, 5, 9, 13, 17, 21})


@dataclass(frozen=True, slots=True)
class RecordOrigin:
    """What all records of one scope have in common: the attributes of its resource, and the scope's own."""

    service: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


def origin_of(resource: Mapping[str, Any], scope: Mapping[str, Any], name: str, version: str) -> RecordOrigin:
    """The origin of records; `name` and `version` are the instrumentation scope's, often a logger's."""
    service = resource.get(SERVICE_NAME, "")
    common = {key: value for key, value in resource.items() if key != SERVICE_NAME or service == ""}
    common |= {f"scope.{key}": value for key, value in scope.items()}
    common |= {key: value for key, value in (("scope.name", name), ("scope.version", version)) if value}
    if not isinstance(service, str):
        return RecordOrigin("", {**common, SERVICE_NAME: service})
    return RecordOrigin(service, common)


@dataclass(slots=True)
class LogRecord:
    """A record in either encoding. Times are nanoseconds since 1970, 0 for none; ids are hexadecimal."""

    time: int
    observed: int
    severity: int
    severity_text: str
    body: Any
    attributes: dict[str, Any]
    trace_id: str
    span_id: str
    flags: int
    event_name: str
    dropped_attributes: int


def event_of(record: LogRecord, origin: RecordOrigin) -> dict[str, Any]:
    """The record under our names."""
    metadata = record.attributes
    for name, value in origin.attributes.items():
        metadata[name if name not in metadata else f"resource.{name}"] = value
    event: dict[str, Any] = {
        "message": _message(record.body, metadata),
        "level": _level(record, metadata),
        "trace_id": record.trace_id,
        "span_id": record.span_id,
        "metadata": metadata,
    }
    if origin.service:
        event["service"] = origin.service
    if record.time or record.observed:
        event["timestamp"] = moment(record.time or record.observed)
    if record.time and record.observed and record.observed != record.time:
        metadata["observed_timestamp"] = moment(record.observed)
    if record.flags:
        metadata["trace_flags"] = record.flags
    if record.event_name:
        metadata["event_name"] = record.event_name
    if record.dropped_attributes:
        metadata["dropped_attributes_count"] = record.dropped_attributes
    return event


def _message(body: Any, metadata: dict[str, Any]) -> str:
    """A text; a body of another type as JSON, and in the metadata."""
    if isinstance(body, str):
        return body
    if body is None:
        return ""
    metadata.setdefault("body", body)
    return _encode(body).decode()


def level_of(number: int, text: str) -> tuple[str, dict[str, str | int]]:
    """The level of number or text, and those of them that say something else than the level."""
    level = levels.of_otel(number) or levels.canonical(text) or levels.DEFAULT
    kept: dict[str, str | int] = {}
    if text and text.lower() != level:
        kept["severity_text"] = text
    if number and number not in _FIRST_OF_LEVEL:
        kept["severity_number"] = number
    return level, kept


def _level(record: LogRecord, metadata: dict[str, Any]) -> str:
    level, kept = level_of(record.severity, record.severity_text)
    for name, value in kept.items():
        metadata.setdefault(name, value)
    return level


def number(value: float) -> float | str:
    """A double as JSON has it; NaN and infinity as text."""
    return value if isfinite(value) else str(value)


def text_of_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()
