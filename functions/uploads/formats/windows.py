"""Whole lines off the front of a text, about a megabyte at a time; one that is too long is passed over."""

from dataclasses import dataclass

from functions.uploads.formats.contract import MAX_RECORD_BYTES, WINDOW_BYTES, WINDOW_RECORDS
from functions.uploads.text import Text

LINE_BYTES = 8
"""What a line counts beside its text, where there are more than WINDOW_RECORDS in a window."""

_COUNTED_BYTES = 16 * 1024
PASSED_BYTES = 32 * 1024 * 1024
"""Of a line that is too long, at a time: between two of these the work may be put down."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines as they stand, each but perhaps the file's last with its newline.

    `cut_off`: the text broke off within its last line, which is not among them. `too_long`: instead of lines,
    the beginning of one that is too long was passed over. `pause`: its end is not in sight yet.
    """

    body: bytes = b""
    cut_off: bool = False
    too_long: bool = False
    pause: bool = False


class LineWindows:
    """Cuts windows; `passing` is true in the middle of a line that is too long.

    `extra_bytes`: what so many short lines cost beside their text, LINE_BYTES each; the others cost less.
    """

    def __init__(self, passing: bool = False, extra_bytes: int = 0) -> None:
        self.passing = passing
        self.extra_bytes = extra_bytes

    def next(self, text: Text, wanted_bytes: int = 0) -> Lines | None:
        """The next lines, taken off `text`; None at its end.

        `wanted_bytes`: how much to take even if that is more than WINDOW_RECORDS lines.
        """
        if self.passing:
            return self._pass(text, too_long=False)
        text.fill(WINDOW_BYTES)
        end = _last_newline(text.data, WINDOW_BYTES)
        if not end:
            text.fill(MAX_RECORD_BYTES)
            end = text.data.find(b"\n", 0, MAX_RECORD_BYTES) + 1
        if not end:
            return self._last(text)
        if not text.data[:end].isspace():
            few = _few(text.data, end)
            self.extra_bytes += LINE_BYTES * WINDOW_RECORDS if few < end else 0
            end = max(few, _last_newline(text.data, min(end, wanted_bytes)))
        body = text.data[:end]
        text.drop(end)
        return Lines(body)

    def _last(self, text: Text) -> Lines | None:
        """A line that no newline ends; a last one counts if the text ends where it was meant to."""
        if len(text.data) >= MAX_RECORD_BYTES:
            return self._pass(text, too_long=True)
        rest = text.data
        text.drop(len(rest))
        if not rest:
            return None
        return Lines(cut_off=True) if text.fault else Lines(rest)

    def _pass(self, text: Text, *, too_long: bool) -> Lines:
        """Drop what there is of the line, PASSED_BYTES at the most."""
        left = PASSED_BYTES
        self.passing = True
        while self.passing and left:
            text.fill(min(WINDOW_BYTES, left))
            end = text.data.find(b"\n", 0, left) + 1
            dropped = end or min(len(text.data), left)
            text.drop(dropped)
            left -= dropped
            self.passing = not (end or (text.ended and not text.data))
        return Lines(too_long=too_long, pause=self.passing)


def _last_newline(data: bytes, within: int) -> int:
    """How many bytes of `data` end with its last newline `within` so many; 0 when there is none."""
    return data.rfind(b"\n", 0, within) + 1


def _few(data: bytes, end: int) -> int:
    """Where the first WINDOW_RECORDS lines of `data[:end]` end, or all; what follows them is not counted."""
    at = lines = 0
    while at < end:
        step = min(end, at + _COUNTED_BYTES)
        counted = data.count(b"\n", at, step)
        if lines + counted > WINDOW_RECORDS:
            break
        at, lines = step, lines + counted
    while at < end and lines < WINDOW_RECORDS:
        at = data.find(b"\n", at, end) + 1
        lines += 1
    return at
