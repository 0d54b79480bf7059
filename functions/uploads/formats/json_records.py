"""Read a JSON object of a file as an event: find the columns of an event under other usual names."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import Raw

from functions.shared.events import levels, timestamps
from functions.shared.events.judge import Fields, RejectedEvent, judge
from functions.shared.events.names import names_of, plain_name
from functions.shared.events.row import ReceiptContext, Row
from functions.uploads.columns import summary

_text = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode
_named = msgspec.json.Decoder(dict[str, Raw])

CLOUDTRAIL = frozenset({"eventVersion", "eventTime", "eventSource", "eventName"})
"""The fields of every CloudTrail record, which hardly any other object has together."""


def row_of(record: bytes | memoryview, receipt: ReceiptContext) -> Row | RejectedEvent:
    """The row of one JSON value, or the verdict that rejects it.

    An object that has `message` and `timestamp` is judged as POST /v1/drain judges it. An object without them
    is searched for other usual names of these columns; an object without any message gets a summary of its
    values.
    """
    return judge(record, receipt, read_as_event)


def read_as_event(fields: Fields) -> Fields:
    """`fields` with the columns renamed to those of an event."""
    if fields.keys() >= CLOUDTRAIL:
        return _cloudtrail(fields)
    if "message" in fields and "timestamp" in fields and "level" in fields and "service" in fields:
        return _with_named_service(fields)
    return _renamed(fields)


def _renamed(fields: Fields) -> Fields:
    names = {plain_name(name): name for name in reversed(fields)}
    found = dict(fields)
    for field, fits in (("timestamp", _is_time), ("level", _is_level), ("service", _is_text)):
        if field not in fields:
            _move(found, names, field, fits)
    if "message" not in fields and not _move(found, names, "message", _is_text):
        found["message"] = Raw(_encode(summary(_shown(fields))))
    return _with_named_service(found)


def _move(fields: Fields, names: Mapping[str, str], field: str, fits: Callable[[Raw], bool]) -> bool:
    """Rename to `field` the first of its names that is present and has a value that fits."""
    for each in names_of(field):
        name = names.get(each)
        if name is not None and name in fields and fits(fields[name]):
            fields[field] = fields.pop(name)
            return True
    return False


def _with_named_service(fields: Fields) -> Fields:
    """In Elastic's schema `service` is an object: its name is the service, and it stays in the metadata."""
    service = fields.get("service")
    if service is None or bytes(service)[:1] != b"{":
        return fields
    name = _named.decode(service).get("name")
    found = {each: value for each, value in fields.items() if each != "service"}
    if name is not None and _is_text(name):
        found["service"] = name
    found["service.object"] = service
    return found


def _cloudtrail(fields: Fields) -> Fields:
    """One record of CloudTrail; all of it but its time stays in the metadata too."""
    found = {name: value for name, value in fields.items() if name != "eventTime"}
    error = _optional(fields, "errorCode")
    parts = [_optional(fields, "eventName"), _optional(fields, "eventSource")]
    if error:
        parts += [error, _optional(fields, "errorMessage")]
    found["timestamp"] = fields["eventTime"]
    found["service"] = fields["eventSource"]
    found["level"] = Raw(b'"error"' if error else b'"info"')
    found["message"] = Raw(_encode(" ".join(filter(None, parts))))
    return found


def _optional(fields: Fields, name: str) -> str:
    raw = fields.get(name)
    return _text.decode(raw) if raw is not None and _is_text(raw) else ""


def _is_text(raw: Raw) -> bool:
    return bytes(raw)[:1] == b'"'


def _is_time(raw: Raw) -> bool:
    value = bytes(raw)
    if value[:1] == b'"':
        return timestamps.from_text(_text.decode(raw)) is not None
    return value[:1].isdigit() and timestamps.from_number(value.decode()) is not None


def _is_level(raw: Raw) -> bool:
    value = bytes(raw)
    if value[:1] == b'"':
        return levels.canonical(_text.decode(raw)) is not None
    return len(value) <= 3 and value.isdigit() and levels.canonical(int(value)) is not None


def _shown(fields: Fields) -> Iterator[tuple[str, object]]:
    """The values for a summary: neither objects nor lists."""
    for name, raw in fields.items():
        if bytes(raw)[:1] not in (b"{", b"["):
            yield name, _text.decode(raw) if _is_text(raw) else raw
