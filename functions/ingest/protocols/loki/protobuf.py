"""A push in protobuf, in a block of snappy: split, so that entries are parsed a window at a time."""

from collections.abc import Iterator
from typing import Any

import cramjam
from google.protobuf.message import DecodeError

from functions.ingest.protocols.loki import labels
from functions.ingest.protocols.loki.push_messages import Entries, Entry
from functions.ingest.protocols.loki.streams import INVALID_LABELS, LokiEvent, LokiStream
from functions.ingest.protocols.nanoseconds import moment
from functions.ingest.protocols.protobuf_wire import MessageCount, WireField, fields, last_of, windows_of
from functions.ingest.unpack import MAX_DECODED_BYTES
from functions.shared.errors import HttpError
from functions.shared.events.judge import MAX_EVENT_SIZE, RejectedEvent
from functions.shared.events.timestamps import NANOSECONDS

MAX_MESSAGES = 200_000
"""The limit for streams, labels and entries together: empty ones have two bytes each."""

MAX_PAIRS = 1_000_000
MAX_PAIRS_OF_ENTRY = 10_000
"""The limit for structured metadata; Loki accepts 128 pairs of an entry."""

MAX_ESCAPED_CHARACTERS = 8 * 1024 * 1024
"""The limit for labels with escapes, which are decoded one by one."""

_SNAPPY_RATIO = 32
"""A block decodes to less than that times its length: a copy of 64 bytes has three."""

_STREAMS = 1
_LABELS, _ENTRIES = 1, 2

TOO_LARGE = RejectedEvent("event_too_large", "The entry is larger than 1 MiB.")
TOO_MANY_PAIRS = RejectedEvent(
    "too_many_fields", f"The entry has more than {MAX_PAIRS_OF_ENTRY} fields of structured metadata."
)
NOT_AN_ENTRY = RejectedEvent("invalid_protobuf", "The entry is not valid protobuf.")


def decompress(block: bytes) -> bytes:
    """What a block of snappy holds. Its length stands before it, and is checked before memory is taken.

    Raises
    ------
    HttpError: 400 for no such block, 413 for one that decodes to more than a body may.
    """
    if not block:
        return b""
    try:
        size_bytes = cramjam.snappy.decompress_raw_len(block)
        if size_bytes > len(block) * _SNAPPY_RATIO:
            raise _not_snappy()
        if size_bytes > MAX_DECODED_BYTES:
            raise HttpError(413, "payload_too_large", "The body decodes to more than 64 MB.")
        return bytes(cramjam.snappy.decompress_raw(block))
    except cramjam.DecompressionError as fault:
        raise _not_snappy() from fault


def _not_snappy() -> HttpError:
    return HttpError(400, "invalid_encoding", "The body is not a block of snappy, nor JSON by its type.")


def events(body: bytes) -> Iterator[LokiEvent]:
    """The entries of a PushRequest as events, in their order.

    Raises
    ------
    HttpError: 400 or 413, possibly after some.
    """
    count, bounds = MessageCount(MAX_MESSAGES), _PushBounds()
    for sent in count.each(fields(body, 0, len(body))):
        if sent.number != _STREAMS:
            continue
        parts = list(count.each(fields(body, sent.start, sent.end)))
        entries = [each for each in parts if each.number == _ENTRIES]
        text = _text_of(body, last_of(parts, _LABELS)) or "{}"
        bounds.add_labels(text)
        found = labels.parse(text)
        if found is None:
            yield from [INVALID_LABELS] * len(entries)
            continue
        stream = LokiStream(found)
        for window in windows_of(entries):
            yield from _of_window(body, window, stream, bounds)


class _PushBounds:
    """Bounds what is read one by one in a request: structured metadata, and labels with escapes."""

    def __init__(self) -> None:
        self._pairs = MAX_PAIRS
        self._escaped = MAX_ESCAPED_CHARACTERS

    def add_pairs(self, pairs: int) -> None:
        self._pairs -= pairs
        if self._pairs < 0:
            message = f"The body holds more than {MAX_PAIRS} fields of structured metadata."
            raise HttpError(413, "too_many_events", message)

    def add_labels(self, text: str) -> None:
        self._escaped -= len(text) if "\\" in text else 0
        if self._escaped < 0:
            raise HttpError(413, "payload_too_large", "The labels with escapes are larger than 8 MB.")


def _of_window(
    body: bytes, window: list[WireField], stream: LokiStream, bounds: _PushBounds
) -> Iterator[LokiEvent]:
    """The events of a window; if it cannot be parsed at once, entry by entry."""
    if window[0].end - window[0].start > MAX_EVENT_SIZE:
        yield TOO_LARGE
        return
    try:
        entries = Entries.FromString(b"".join([body[each.tag_at : each.end] for each in window])).entries
    except DecodeError:
        entries = ()
    if len(entries) == len(window):
        for entry in entries:
            yield _event(entry, stream, bounds)
        return
    for each in window:
        try:
            entry = Entry.FromString(body[each.start : each.end])
        except DecodeError:
            yield NOT_AN_ENTRY
            continue
        yield _event(entry, stream, bounds)


def _event(entry: Any, stream: LokiStream, bounds: _PushBounds) -> LokiEvent:
    metadata: dict[str, str] = {}
    if entry.metadata:
        bounds.add_pairs(len(entry.metadata))
        if len(entry.metadata) > MAX_PAIRS_OF_ENTRY:
            return TOO_MANY_PAIRS
        metadata = {_text(each.name): _text(each.value) for each in entry.metadata}
    time = entry.timestamp
    nanoseconds = time.seconds * NANOSECONDS + time.nanos
    timestamp = moment(nanoseconds) if nanoseconds else None
    return stream.event(timestamp, _text(entry.line), metadata)


def _text_of(body: bytes, found: WireField | None) -> str:
    return _text(body[found.start : found.end]) if found else ""


def _text(value: bytes) -> str:
    return str(value, "utf-8", "replace")
