"""Take whole lines off the front of a text, about a megabyte at a time; skip lines that are too long."""

from dataclasses import dataclass

from functions.uploads.formats.contract import MAX_RECORD_BYTES, WINDOW_BYTES, WINDOW_RECORDS
from functions.uploads.text import Text

LINE_BYTES = 8
"""What a line counts beside its text, where a window has more than WINDOW_RECORDS lines."""

_COUNTED_BYTES = 16 * 1024
PASSED_BYTES = 32 * 1024 * 1024
"""How much of a line that is too long is skipped at a time: between two of these, reading may pause."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines unchanged, each with its newline, except perhaps the file's last.

    `cut_off`: the text broke off within its last line, which is not included. `too_long`: the beginning of a
    line that is too long was skipped, instead of lines. `pause`: the end of that line is not reached yet.
    """

    body: bytes = b""
    cut_off: bool = False
    too_long: bool = False
    pause: bool = False


class LineWindows:
    """Cuts windows; `passing` is true in the middle of a line that is too long.

    `extra_bytes`: the cost of many short lines beside their text, LINE_BYTES each; other lines cost less.
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
        """A line without a newline; a last line counts if the text ends properly."""
        if len(text.data) >= MAX_RECORD_BYTES:
            return self._pass(text, too_long=True)
        rest = text.data
        text.drop(len(rest))
        if not rest:
            return None
        return Lines(cut_off=True) if text.fault else Lines(rest)

    def _pass(self, text: Text, *, too_long: bool) -> Lines:
        """Discard what is read of the line, PASSED_BYTES at the most."""
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
    """The length of the first `within` bytes of `data` up to their last newline; 0 without one."""
    return data.rfind(b"\n", 0, within) + 1


def _few(data: bytes, end: int) -> int:
    """Where the first WINDOW_RECORDS lines of `data[:end]` end, or `end`; later lines are not counted."""
    at = lines = 0
    while at < end:
        step = min(end, at + _COUNTED_BYTES)
        counted = data.count(b"\n", at, step)
        if lines + counted >= WINDOW_RECORDS:
            break
        at, lines = step, lines + counted
    while at < end and lines < WINDOW_RECORDS:
        at = data.find(b"\n", at, end) + 1
        lines += 1
    return at
