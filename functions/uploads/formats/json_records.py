"""Read a JSON object of a file as an event, whatever it calls its fields."""

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from functions.shared.events.aliases import with_columns
from functions.shared.events.judge import Fields, RejectedEvent, judge
from functions.shared.events.row import ReceiptContext, Row
from functions.uploads.columns import summary

_text = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode

CLOUDTRAIL = frozenset({"eventVersion", "eventTime", "eventSource", "eventName"})
"""The fields of every CloudTrail record, which hardly any other object has together."""


def row_of(record: bytes | memoryview, receipt: ReceiptContext) -> Row | RejectedEvent:
    """The row of one JSON value, or the verdict that rejects it.

    Like POST /v1/drain, but a record without any message gets a summary of its values, and CloudTrail's
    records have columns of their own.
    """
    return judge(record, receipt, read_as_event)


def read_as_event(fields: Fields) -> Fields:
    """`fields` with the columns renamed to those of an event."""
    if fields.keys() >= CLOUDTRAIL:
        return _cloudtrail(fields)
    found = with_columns(fields)
    if "message" not in found:
        found["message"] = Raw(_encode(summary(_shown(fields))))
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


def _shown(fields: Fields) -> Iterator[tuple[str, object]]:
    """The values for a summary: neither objects nor lists."""
    for name, raw in fields.items():
        if bytes(raw)[:1] not in (b"{", b"["):
            yield name, _text.decode(raw) if _is_text(raw) else raw
