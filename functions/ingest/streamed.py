"""Large bodies, cut into windows of about a megabyte as they stream in.

What is cut here is only ever split and judged afterwards by the same code as small bodies; this module just
finds where a line or an element of the array ends.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from functions.ingest.protocols.contract import Window
from functions.shared.errors import HttpError
from functions.shared.events.names import ENVELOPES

WINDOW_BYTES = 1024 * 1024
WINDOW_ELEMENTS = 20_000
"""A megabyte can hold half a million tiny elements, which weigh a hundred bytes each once they are split."""

MAX_RECORD_BYTES = 2 * 1024 * 1024

_OPENING = re.compile(rf'\s*(?:\{{\s*"(?:{"|".join(ENVELOPES)})"\s*:\s*)?\[\s*')
_SEPARATOR = re.compile(r"\s*([,\]])\s*")
_SPACE = re.compile(r"\s*")


def lines(pieces: Iterator[bytes]) -> Iterator[Window]:
    """NDJSON: whole lines, about WINDOW_BYTES at a time."""
    rest = b""
    for piece in pieces:
        rest += piece
        while len(rest) > WINDOW_BYTES:
            end = rest.rfind(b"\n", 0, WINDOW_BYTES)
            end = end if end >= 0 else rest.find(b"\n")
            if end < 0:
                break
            yield Window(rest[:end], ndjson=True)
            rest = rest[end + 1 :]
        if len(rest) > MAX_RECORD_BYTES:
            raise _too_large()
    yield Window(rest, ndjson=True)


def text_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a text that are not blank, without white space around them."""
    for window in lines(pieces):
        for match in _LINE.finditer(window.body):
            yield match[0].rstrip()


_LINE = re.compile(rb"\S[^\n]*+")
"""Skips white space in C: a body can hold millions of blank lines."""


def elements(pieces: Iterator[bytes]) -> Iterator[Window]:
    """A JSON array, bare or as `events` or `logs`: about WINDOW_BYTES or WINDOW_ELEMENTS at a time."""
    text = _Text(pieces)
    opening = _OPENING.match(text.kept)
    if not opening:
        raise HttpError(
            400, "no_events", "A body over 8 MiB must be NDJSON, an array, or begin with 'events' or 'logs'."
        )
    start = position = opening.end()
    more = not text.kept.startswith("]", position)
    elements_in_window = 0
    while more:
        end = text.element_end(position)
        more, position = text.separated(end)
        elements_in_window += 1
        if end - start >= WINDOW_BYTES or elements_in_window == WINDOW_ELEMENTS or not more:
            yield Window(b"[%b]" % text.kept[start:end].encode(), ndjson=False)
            text.discard_before(position)
            start = position = elements_in_window = 0
    text.close(f"{opening[0]}]")


def values(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The elements of an array, or values one after another, with or without white space between them.

    Memory is bounded: what was yielded is not kept.

    Raises
    ------
    HttpError: 400 when the text is no JSON, 413 for a value over MAX_RECORD_BYTES; possibly after some.
    """
    text = _Text(pieces)
    position = text.next_value(0)
    if position is not None and text.kept[position] == "[":
        yield from _elements_of(text, position + 1)
        return
    while position is not None:
        end = text.value_end(position)
        yield text.kept[position:end].encode()
        if end >= WINDOW_BYTES:
            text.discard_before(end)
            end = 0
        position = text.next_value(end)


def _elements_of(text: "_Text", start: int) -> Iterator[bytes]:
    position = text.next_value(start)
    if position is None:
        raise not_json()
    more = text.kept[position] != "]"
    if not more:
        position += 1
    while more:
        end = text.element_end(position)
        yield text.kept[position:end].encode()
        more, position = text.separated(end)
        if position >= WINDOW_BYTES:
            text.discard_before(position)
            position = 0
    text.discard_before(position)
    text.close("[]")


def each(body: bytes) -> Iterator[bytes]:
    """The elements of an array that msgspec refuses as a whole, so that a bad one harms no other.

    Also objects one after another on one line, which some agents call a JSON stream.

    The standard library's scanner lets NaN and half surrogate pairs pass; they are judged one by one.

    Raises
    ------
    HttpError: 400, when the array does not end as one, after its elements.
    """
    text = _Text(iter((body,)))
    opening = _OPENING.match(text.kept)
    if not opening:
        if not text.kept.startswith("{"):
            raise not_json()
        yield from values(iter((body,)))
        return
    position = opening.end()
    more = True
    while more:
        end = text.element_end(position)
        yield text.kept[position:end].encode()
        more, position = text.separated(end)
    text.discard_before(position)
    text.close(f"{opening[0]}]")


class _Text:
    """The part of a streamed text that is still needed, and how to find one's way in it."""

    _scanner = json.JSONDecoder(
        strict=False,
        object_pairs_hook=lambda _pairs: None,
        parse_int=lambda _digits: None,
        parse_float=lambda _digits: None,
        parse_constant=lambda _name: None,
    )

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self.kept = ""
        self._read()

    def element_end(self, start: int) -> int:
        """Where the JSON value that begins at `start` ends; reads on until it does."""
        while True:
            end = self._value_end(start)
            if end is not None and end < len(self.kept):
                return end
            self._read_on(start)

    def value_end(self, start: int) -> int:
        """Where the JSON value that begins at `start` ends, which may be the end of the text."""
        while True:
            end = self._value_end(start)
            if end is None:
                self._read_on(start)
            elif end < len(self.kept) or not self._read():
                return end

    def next_value(self, position: int) -> int | None:
        """Where the value after `position` begins; None at the end of the text."""
        while (start := _SPACE.match(self.kept, position).end()) == len(self.kept):  # type: ignore[union-attr]
            self.discard_before(start)
            if not self._read():
                return None
            position = 0
        return start

    def separated(self, end: int) -> tuple[bool, int]:
        """Whether another element follows the one that ended at `end`, and where it begins."""
        while not (separator := _SEPARATOR.match(self.kept, end)) or separator.end() == len(self.kept):
            if separator and separator[1] == "]":
                break
            if not separator and _SPACE.match(self.kept, end).end() < len(self.kept):  # type: ignore[union-attr]
                raise not_json()
            self._read_on(end)
        return separator[1] == ",", separator.end()

    def discard_before(self, until: int) -> None:
        """What lies before `until` is no longer needed."""
        self.kept = self.kept[until:]

    def close(self, opened: str) -> None:
        """Read to the end; what is left must make, with what `opened` it, a JSON document."""
        while self._read():
            if len(self.kept) > MAX_RECORD_BYTES:
                raise _too_large()
        try:
            json.loads(opened + self.kept)
        except (ValueError, RecursionError) as fault:
            raise not_json() from fault

    def _value_end(self, start: int) -> int | None:
        try:
            _, end = self._scanner.raw_decode(self.kept, start)
        except json.JSONDecodeError:
            return None
        except RecursionError as fault:
            raise HttpError(400, "too_deep", "The body is nested too deep.") from fault
        return end

    def _read_on(self, needed_from: int) -> None:
        if len(self.kept) - needed_from > MAX_RECORD_BYTES:
            raise _too_large()
        if not self._read():
            raise not_json()

    def _read(self) -> bool:
        piece: Any = next(self._pieces, None)
        if piece is None:
            return False
        try:
            self.kept += self._decode(piece)
        except UnicodeDecodeError as fault:
            raise HttpError(400, "invalid_json", "The body is not valid UTF-8.") from fault
        return True


def not_json() -> HttpError:
    """The answer to a body that is no JSON."""
    return HttpError(400, "invalid_json", "The body is not valid JSON.")


def _too_large() -> HttpError:
    return HttpError(413, "event_too_large", "An event of this body is larger than 2 MiB.")
