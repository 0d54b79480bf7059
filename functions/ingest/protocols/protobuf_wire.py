"""Protobuf's wire format, one level at a time: where each field of a message stands, without decoding it.

A parser builds the whole tree at once, a hundred bytes for a record of two. So a large message is split here,
its records are counted, and they are parsed a window at a time. Groups, which no protocol here uses, are
rejected.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from functions.shared.errors import HttpError

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10

WINDOW_BYTES = 256 * 1024
WINDOW_RECORDS = 2_000


class WireField(NamedTuple):
    """A field with a length: its number, where its tag begins, and where its content begins and ends."""

    number: int
    tag_at: int
    start: int
    end: int


def fields(data: bytes, start: int, end: int) -> Iterator[WireField]:
    """The fields with a length of the message between `start` and `end`, in their order; others are skipped.

    Raises
    ------
    HttpError: 400 when it is no message; possibly after some fields.
    """
    at = start
    while at < end:
        tag_at = at
        tag = data[at]
        at += 1
        if tag >= 0x80:
            tag, at = _varint(data, tag_at, end)
        kind = tag & 7
        if kind == _LENGTH:
            length, at = _varint(data, at, end)
            content_at = at
            at += length
            if at <= end:
                yield WireField(tag >> 3, tag_at, content_at, at)
        elif kind == _VARINT:
            _, at = _varint(data, at, end)
        elif kind in _FIXED_BYTES:
            at += _FIXED_BYTES[kind]
        else:
            raise not_protobuf()
        if at > end:
            raise not_protobuf()


class MessageCount:
    """Bounds how many messages of a body are looked at: an empty one has two bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most

    def each(self, found: Iterable[WireField]) -> Iterator[WireField]:
        """The messages that were found.

        Raises
        ------
        HttpError: 413 after the last one that is allowed.
        """
        for each in found:
            self.add(1)
            yield each

    def add(self, messages: int) -> None:
        """Count messages that were found at once.

        Raises
        ------
        HttpError: 413 when they are more than allowed.
        """
        self._left -= messages
        if self._left < 0:
            message = f"The body holds more than {self._most} records and groups of records."
            raise HttpError(413, "too_many_events", message)


def windows_of(records: Iterable[WireField]) -> Iterator[list[WireField]]:
    """Records to parse together; one that is larger than a window is alone."""
    window: list[WireField] = []
    size_bytes = 0
    for each in records:
        record_bytes = each.end - each.start
        is_full = size_bytes + record_bytes > WINDOW_BYTES or len(window) == WINDOW_RECORDS
        if window and is_full:
            yield window
            window, size_bytes = [], 0
        window.append(each)
        size_bytes += record_bytes
    if window:
        yield window


def last_of(parts: list[WireField], wanted: int) -> WireField | None:
    """The field with a number; of several the last one counts."""
    return next((each for each in reversed(parts) if each.number == wanted), None)


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The number at `at`, and where what follows begins."""
    value = 0
    for shift in range(0, 7 * _LONGEST_VARINT, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise not_protobuf()


def not_protobuf() -> HttpError:
    return HttpError(400, "invalid_body", "The body is not the protobuf message of this route.")
