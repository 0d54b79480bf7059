"""Log records of protobuf, written as events in JSON without building them.

Records of one sender differ in little: the resource is the same for all, and so are most attributes. Each is
encoded once (functions.ingest.protocols.otlp.attributes). What is unusual, such as a body that is no text or
an attribute that has the name of another field, is left to functions.ingest.protocols.otlp.events, which is
the reference; a property test compares the two.
"""

from binascii import hexlify
from functools import lru_cache
from typing import Any

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from functions.ingest.protocols.nanoseconds import encoded_moment
from functions.ingest.protocols.otlp.attributes import AttributeCache
from functions.ingest.protocols.otlp.events import LogRecord, RecordOrigin, event_of, level_of
from functions.ingest.protocols.otlp.values import value_of, values_of

_TEXT = 0x0A
_ONE_BYTE = 0x80

_RESERVED = frozenset(
    {
        "body",
        "severity_text",
        "severity_number",
        "observed_timestamp",
        "trace_flags",
        "event_name",
        "dropped_attributes_count",
    }
)
"""Fields of the metadata that are no attributes."""

_encode = msgspec.json.Encoder().encode


class OriginLines:
    """Writes the records of one scope."""

    def __init__(self, origin: RecordOrigin, cache: AttributeCache) -> None:
        self._origin = origin
        self._pairs = cache.pairs
        self._is_usual = _RESERVED.isdisjoint(origin.attributes)
        self._taken = _RESERVED | origin.attributes.keys()
        self._service = b',"service":' + _encode(origin.service) if origin.service else b""
        self._common = [_encode(origin.attributes)[1:-1]] if origin.attributes else []

    def line(self, record: Any) -> bytes:
        """A record as an event in JSON.

        Raises
        ------
        DecodeError, UnicodeDecodeError: a value of it is not valid.
        """
        pairs = self._pairs(record.attributes)
        text = _text_of(record.body) if self._is_usual else None
        names = {name for name, _ in pairs}
        if text is None or len(names) != len(pairs) or not self._taken.isdisjoint(names):
            return _encode(event_of(_parsed(record), self._origin))
        level, kept = _level(record.severity_number, record.severity_text)
        metadata = [encoded for _, encoded in pairs] + self._common + kept
        time, observed = record.time_unix_nano, record.observed_time_unix_nano
        if observed and time and observed != time:
            metadata.append(b'"observed_timestamp":' + encoded_moment(observed))
        if record.flags:
            metadata.append(b'"trace_flags":%d' % record.flags)
        if record.event_name:
            metadata.append(b'"event_name":' + _encode(record.event_name))
        if record.dropped_attributes_count:
            metadata.append(b'"dropped_attributes_count":%d' % record.dropped_attributes_count)
        return b'{"message":%b,"level":"%b","trace_id":"%b","span_id":"%b","metadata":{%b}%b%b}' % (
            _encode(text),
            level,
            hexlify(record.trace_id),
            hexlify(record.span_id),
            b",".join(metadata),
            self._service,
            b',"timestamp":' + encoded_moment(time or observed) if time or observed else b"",
        )


def _text_of(body: bytes) -> str | None:
    """The text that a body is, empty without one; None for a value of another type.

    It is a tag, a length and that many bytes; a length over a byte is parsed.
    """
    if not body:
        return ""
    if body[0] != _TEXT:
        return None
    if 2 <= len(body) < _ONE_BYTE + 2 and body[1] == len(body) - 2:
        return str(body[2:], "utf-8")
    value = AnyValue.FromString(body)
    return value.string_value if value.HasField("string_value") else None


def _level(number: int, text: str) -> tuple[bytes, list[bytes]]:
    """The name of the level, and as JSON the fields that say more."""
    return _usual_level(number, text) if len(text) <= _LONGEST_LEVEL else _encoded_level(number, text)


def _encoded_level(number: int, text: str) -> tuple[bytes, list[bytes]]:
    level, kept = level_of(number, text)
    return level.encode(), [_encode(kept)[1:-1]] if kept else []


_LONGEST_LEVEL = len("informational")
_usual_level = lru_cache(maxsize=256)(_encoded_level)


def _parsed(record: Any) -> LogRecord:
    attributes = [KeyValue.FromString(each) for each in record.attributes]
    return LogRecord(
        record.time_unix_nano,
        record.observed_time_unix_nano,
        record.severity_number,
        record.severity_text,
        value_of(AnyValue.FromString(record.body)),
        values_of(attributes),
        record.trace_id.hex(),
        record.span_id.hex(),
        record.flags,
        record.event_name,
        record.dropped_attributes_count,
    )
