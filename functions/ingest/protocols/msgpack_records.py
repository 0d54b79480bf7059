"""Records in MessagePack: split without building them, then built one by one.

A byte can be a value of seventy bytes, and a length can lie. So the body is walked first, in C and without
memory for what it holds, and a record is built only when it is complete and at most 1 MiB.
"""

from collections.abc import Iterator
from typing import Any

import msgpack
import msgspec

from functions.ingest.protocols.contract import EventFields
from functions.shared.errors import HttpError
from functions.shared.events import timestamps
from functions.shared.events.judge import MAX_EVENT_SIZE, RejectedEvent

MAX_BYTES = 16 * 1024 * 1024
MAX_RECORDS = 400_000
"""The limit for arrays and their elements together: an array of its own around each record is usual."""

TOO_LARGE = RejectedEvent("event_too_large", "The record is larger than 1 MiB.")
NOT_A_RECORD = RejectedEvent("not_an_object", "A record must be a map, or a time and a map.")
NOT_JSON = RejectedEvent("invalid_record", "The record has a name or a value that JSON cannot have.")

_EVENT_TIME = 0
"""Fluentd's extension type: seconds and nanoseconds, 32 bits each."""

Record = EventFields | RejectedEvent


def records(pieces: Iterator[bytes]) -> Iterator[Record]:
    """The records of a body: maps, and pairs of a time and a map, alone, one after another or in arrays.

    The time of a pair is the field `date`, unless the map has one.

    Raises
    ------
    HttpError: 400 or 413, possibly after some.
    """
    body = _whole(pieces)
    walk = _Walk(body)
    while not walk.ended():
        yield from _at(walk)


def _whole(pieces: Iterator[bytes]) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > MAX_BYTES:
            raise HttpError(
                413,
                "payload_too_large",
                "A body in MessagePack decodes to more than 16 MiB: send smaller batches.",
            )
    return bytes(body)


class _Walk:
    """The place in a body up to which it was read, and the number of values that may still be records."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._reader = msgpack.Unpacker(max_buffer_size=MAX_BYTES)
        self._reader.feed(body)
        self._left = MAX_RECORDS

    @property
    def at(self) -> int:
        return int(self._reader.tell())

    def ended(self) -> bool:
        return self.at >= len(self.body)

    def kind(self) -> str:
        return _kind_at(self.body, self.at)

    def array_length(self) -> int:
        self._count()
        return int(self._guarded(self._reader.read_array_header))

    def skip(self) -> tuple[int, int]:
        """Where the next value begins and ends; nothing of it is built."""
        self._count()
        start = self.at
        self._guarded(self._reader.skip)
        return start, self.at

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise HttpError(413, "too_many_events", f"The body holds more than {MAX_RECORDS} values.")

    def _guarded(self, step: Any) -> Any:
        try:
            return step()
        except (msgpack.UnpackException, ValueError, RecursionError) as fault:
            raise HttpError(400, "invalid_body", "The body is not valid MessagePack.") from fault


def _kind_at(body: bytes, at: int) -> str:
    """`map`, `array` or `other`, by the first byte of the value at `at`."""
    first = body[at] if at < len(body) else 0
    if 0x80 <= first <= 0x8F or first in (0xDE, 0xDF):
        return "map"
    return "array" if 0x90 <= first <= 0x9F or first in (0xDC, 0xDD) else "other"


def _at(walk: _Walk) -> Iterator[Record]:
    """The records of the next value of the body."""
    if walk.kind() != "array":
        yield _built(walk.body, *walk.skip())
        return
    start, length = walk.at, walk.array_length()
    if length == 2:
        yield from _of_two(walk, start)
        return
    for _ in range(length):
        yield _built(walk.body, *walk.skip())


def _of_two(walk: _Walk, start: int) -> Iterator[Record]:
    """An array of two: a time and a map, or two records."""
    first_kind = walk.kind()
    first = walk.skip()
    is_pair = first_kind != "map" and walk.kind() == "map"
    second = walk.skip()
    if is_pair:
        yield _built(walk.body, start, second[1])
        return
    yield _built(walk.body, *first)
    yield _built(walk.body, *second)


def _built(body: bytes, start: int, end: int) -> Record:
    if end - start > MAX_EVENT_SIZE:
        return TOO_LARGE
    try:
        value = msgpack.unpackb(
            body[start:end], ext_hook=_extension, unicode_errors="replace", strict_map_key=False
        )
        return _record(value)
    except (msgpack.UnpackException, ValueError, TypeError, RecursionError, OverflowError):
        return NOT_JSON


def _record(value: Any) -> Record:
    if isinstance(value, dict):
        return _as_json(value)
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], dict):
        return NOT_A_RECORD
    time, record = value
    extra: dict[str, Any] = {}
    if isinstance(time, list):  # fluent-bit 2.1 and later: a time and its metadata
        time, more = [*time, None, None][:2]
        extra = {"fluent_metadata": more} if more else {}
    return _as_json({"date": time, **extra, **record})


def _as_json(record: dict[Any, Any]) -> Record:
    """The record with JSON values; bytes at the root are text if they can be, all others base64."""
    named = {_text(name): _text(value) for name, value in record.items()}
    found: EventFields = _fields(msgspec.json.encode(named, enc_hook=_plain))
    return found


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _text(value: Any) -> Any:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def _extension(code: int, data: bytes) -> Any:
    if code == _EVENT_TIME and len(data) == 8:
        return f"{int.from_bytes(data[:4], 'big')}.{int.from_bytes(data[4:], 'big'):09d}"
    return {"ext_type": code, "data": data}


def _plain(value: Any) -> Any:
    """MessagePack's own time as text; a number beyond the calendar, for the judge."""
    if not isinstance(value, msgpack.Timestamp):
        raise TypeError
    nanoseconds = value.to_unix_nano()
    is_year = 0 <= value.seconds < _YEAR_9999
    return timestamps.to_text(nanoseconds) if is_year else nanoseconds


_YEAR_9999 = 253_370_764_800
