"""A push in JSON: streams of `values`, or of `entries` as before Loki 1."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from functions.ingest.protocols.loki import labels
from functions.ingest.protocols.loki.streams import INVALID_LABELS, LokiEvent, LokiStream
from functions.ingest.protocols.nanoseconds import moment
from functions.shared.errors import HttpError
from functions.shared.events.judge import MAX_EVENT_SIZE, RejectedEvent
from functions.shared.events.surrogates import replace_lone_surrogates

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 2_000_000
"""Commas and opening brackets together: each may be a value that weighs a hundred bytes."""

TOO_LARGE = RejectedEvent("event_too_large", "The entry is larger than 1 MiB.")
NOT_AN_ENTRY = RejectedEvent(
    "invalid_record", 'The entry is not of the form ["<nanoseconds>", "<line>", {<structured metadata>}].'
)
INVALID_TIME = RejectedEvent("invalid_timestamp", "The entry's time is no number of nanoseconds.")

_LONGEST_TIME = 20


class _Stream(Struct):
    stream: dict[str, Any] | None = None
    values: list[Raw] | None = None
    labels: str | None = None
    entries: list[Raw] | None = None


class _Push(Struct):
    streams: list[_Stream] | None = None


class _Entry(Struct):
    """An entry as before Loki 1: its time is a text."""

    ts: str | int
    line: str


_push = msgspec.json.Decoder(_Push)
_value = msgspec.json.Decoder(list[Any])
_entry = msgspec.json.Decoder(_Entry)


def events(body: bytes) -> Iterator[LokiEvent]:
    """The entries of a push as events, in their order.

    Raises
    ------
    HttpError: 400 or 413, before the first.
    """
    if len(body) > MAX_BYTES:
        raise HttpError(
            413, "payload_too_large", "A push in JSON decodes to more than 16 MiB: send smaller batches."
        )
    if body.count(b",") + body.count(b"{") + body.count(b"[") > MAX_VALUES:
        raise HttpError(413, "too_many_events", f"The body holds more than {MAX_VALUES} values.")
    try:
        push = _push.decode(replace_lone_surrogates(body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise HttpError(400, "invalid_json", "The body is not a push of Loki in JSON.") from fault
    return (event for each in push.streams or () for event in _events(each))


def _events(sent: _Stream) -> Iterator[LokiEvent]:
    values, entries = sent.values or [], sent.entries or []
    pairs = sent.stream if sent.stream is not None else labels.parse(sent.labels or "{}")
    if pairs is None:
        yield from [INVALID_LABELS] * (len(values) + len(entries))
        return
    stream = LokiStream(pairs)
    yield from (_of_value(raw, stream) for raw in values)
    yield from (_of_entry(raw, stream) for raw in entries)


def _of_value(raw: Raw, stream: LokiStream) -> LokiEvent:
    if len(raw) > MAX_EVENT_SIZE:
        return TOO_LARGE
    try:
        time, line, *more = _value.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError):
        return NOT_AN_ENTRY
    pairs = more[0] if more else {}
    if not isinstance(line, str) or not isinstance(pairs, dict | None):
        return NOT_AN_ENTRY
    digits = str(time)
    if len(digits) > _LONGEST_TIME or not digits.isascii() or not digits.isdigit():
        return INVALID_TIME
    return stream.event(moment(int(digits)), line, pairs or {})


def _of_entry(raw: Raw, stream: LokiStream) -> LokiEvent:
    if len(raw) > MAX_EVENT_SIZE:
        return TOO_LARGE
    try:
        entry = _entry.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return NOT_AN_ENTRY
    return stream.event(entry.ts, entry.line, {})
