"""The common part of formats with one record a line: windows, lines too long or cut off, decoding."""

import re
from abc import ABC, abstractmethod

from functions.shared.events.row import ReceiptContext
from functions.uploads.columns import Columns
from functions.uploads.formats.contract import CUT_OFF, TOO_LONG, RecordBatch, State
from functions.uploads.formats.windows import LineWindows
from functions.uploads.text import Text


class LineFormat(ABC):
    """A Format whose subclasses convert the lines of a window.

    `index` is the index of the next record.
    """

    name = ""

    def __init__(self, receipt: ReceiptContext, state: State) -> None:
        self.receipt = receipt
        self.columns = Columns(receipt)
        self.index = int(state.get("index", 0))
        self._windows = LineWindows(bool(state.get("passing", False)), int(state.get("extra", 0)))

    def next(self, text: Text) -> RecordBatch | None:
        lines = self._windows.next(text)
        if lines is None:
            return None
        batch = RecordBatch(cut=lines.pause)
        if lines.body and not lines.body.isspace():
            self.convert(without_blank_lines(lines.body), batch)
        for is_refused, verdict in ((lines.too_long, TOO_LONG), (lines.cut_off, CUT_OFF)):
            if is_refused:
                batch.refuse(self.index + batch.records, verdict)
        self.index += batch.records
        return batch

    def state(self) -> State:
        return {"index": self.index, "passing": self._windows.passing, "extra": self.extra_bytes}

    @property
    def extra_bytes(self) -> int:
        return self._windows.extra_bytes

    def add_extra(self, size_bytes: int) -> None:
        """Count the cost of a record beside its text."""
        self._windows.extra_bytes += size_bytes

    @abstractmethod
    def convert(self, body: bytes, batch: RecordBatch) -> None:
        """Make rows of the lines of `body`, or reject them; blank lines are neither."""


def without_blank_lines(body: bytes) -> bytes:
    """`body` with single newlines for repeated ones, if its beginning has repeated ones."""
    begin = body[:_LOOKED_AT_BYTES]
    return _BLANK.sub(b"\n", body) if b"\n\n" in begin or b"\n\r\n" in begin else body


_LOOKED_AT_BYTES = 4096
_BLANK = re.compile(rb"\n(?:[ \t\r]*+\n)++")


def text_lines(body: bytes) -> list[str]:
    """The lines of `body` in UTF-8; a line that is no UTF-8 is read as Latin-1, so that nothing is lost."""
    try:
        lines = str(body, "utf-8").split("\n")
    except UnicodeDecodeError:
        lines = [_text(line) for line in body.split(b"\n")]
    if "\r" in body[-2:].decode("latin-1") or b"\r\n" in body:
        return [line.removesuffix("\r") for line in lines]
    return lines


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")
