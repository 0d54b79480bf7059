"""CSV with a header and any column delimiter, quoted according to RFC 4180.

A cell that is a number becomes one, digit by digit; an empty cell is no value. A row with more or fewer cells
than the header names is rejected: which cell is missing cannot be determined.
"""

import csv
import sys
from collections.abc import Iterator

from functions.shared.events import levels, timestamps
from functions.shared.events.judge import MAX_NAME_CHARACTERS, RejectedEvent
from functions.shared.events.names import DECIDED_BY_VALUE, names_of, plain_name
from functions.shared.events.row import ReceiptContext, Row
from functions.uploads.columns import Columns, Metadata, summary
from functions.uploads.formats.contract import (
    CUT_OFF,
    MAX_COLUMN_NAME_CHARACTERS,
    MAX_RECORD_BYTES,
    TOO_LONG,
    WINDOW_BYTES,
    RecordBatch,
    State,
)
from functions.uploads.formats.lines import text_lines
from functions.uploads.formats.windows import Lines, LineWindows
from functions.uploads.numbers import typed
from functions.uploads.text import Text

csv.field_size_limit(sys.maxsize)

_CARRIAGE_RETURN = "\ufdd0"
"""Replaces a carriage return within a line, which csv.reader would read as the line's end.

The code point is a noncharacter, so it occurs in no text.
"""


IDS = ("project_id", "trace_id", "span_id")


class CsvHeader:
    """The meaning of the columns of one file."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        plain = [plain_name(name) for name in names]
        self.message = _first(plain, "message")
        self.level = _first(plain, "level")
        self.service = _first(plain, "service")
        self.times = _times(plain)
        ids = {name: _first(plain, name) for name in IDS}
        self.own = {name: at for name, at in ids.items() if at is not None}
        used = {self.message, self.level, self.service, *self.times, *self.own.values()}
        self.rest = [at for at in range(len(names)) if at not in used]


class CsvRows:
    """The Format of CSV; the `state` of a new file has `delimiter`, and the header is read from the text."""

    name = "csv"

    def __init__(self, receipt: ReceiptContext, state: State) -> None:
        self._receipt = receipt
        self._columns = Columns(receipt)
        self._delimiter: str = state["delimiter"]
        self._header = CsvHeader(state["header"]) if state.get("header") else None
        self._index = int(state.get("index", 0))
        self._windows = LineWindows(bool(state.get("passing", False)), int(state.get("extra", 0)))
        self._carried: str = state.get("carried", "")

    def state(self) -> State:
        return {
            "delimiter": self._delimiter,
            "header": self._header.names if self._header else None,
            "index": self._index,
            "passing": self._windows.passing,
            "extra": self.extra_bytes,
            "carried": self._carried,
        }

    @property
    def extra_bytes(self) -> int:
        return self._windows.extra_bytes

    def next(self, text: Text) -> RecordBatch | None:
        # An open record is parsed anew with an equally large window, so that no byte is parsed 25 times.
        lines = self._windows.next(text, len(self._carried))
        batch = RecordBatch(cut=bool(lines and lines.pause))
        if lines is None and not self._carried:
            return None
        if text.fault and (lines is None or lines.cut_off):
            # A row whose quotes were open when the file broke off: the rest of it is no row.
            lines, self._carried = Lines(cut_off=True), ""
        elif lines is None or (lines.body and (self._carried or not lines.body.isspace())):
            self._convert(lines.body if lines else b"", batch, is_last=lines is None)
        if lines and lines.too_long:
            batch.refuse(self._index + batch.records, TOO_LONG)
        if lines and lines.cut_off:
            batch.refuse(self._index + batch.records, CUT_OFF)
        self._index += batch.records
        return batch

    def _convert(self, body: bytes, batch: RecordBatch, *, is_last: bool) -> None:
        """Make rows of whole records; carry a record whose quotes are still open over to the next window."""
        lines = [f"{line}\n" for line in text_lines(body)]
        if lines and lines[-1] == "\n":
            lines.pop()
        carried, self._carried = self._carried, ""
        source = _CountedLines([*_kept_lines(carried), *lines])
        rows: list[Row] = []
        for cells in csv.reader(source, delimiter=self._delimiter):
            if source.is_open and not is_last:
                self._carry(source, batch, rows)
                break
            source.whole()
            self._take(_restored(cells) if source.has_returns else cells, rows, batch)
        batch.rows += rows

    def _carry(self, source: "_CountedLines", batch: RecordBatch, rows: list[Row]) -> None:
        """Keep the open record for the next window, unless an unclosed quote made it too long."""
        rest = source.rest()
        if len(rest) <= MAX_RECORD_BYTES - WINDOW_BYTES:
            self._carried = rest
            return
        batch.refuse(self._index + len(rows) + batch.refused, _OPEN_QUOTE)
        for line in rest.split("\n")[1:]:
            cells = next(csv.reader([_guarded(line)], delimiter=self._delimiter), [])
            self._take(_restored(cells), rows, batch)

    def _take(self, cells: list[str], rows: list[Row], batch: RecordBatch) -> None:
        if not cells or cells == [""]:
            return
        if self._header is None:
            self._header = CsvHeader([cell.strip()[:MAX_COLUMN_NAME_CHARACTERS] for cell in cells])
            return
        row = self._row(cells, self._header)
        if isinstance(row, RejectedEvent):
            batch.refuse(self._index + len(rows) + batch.refused, row)
        else:
            rows.append(row)

    def _row(self, cells: list[str], header: CsvHeader) -> Row | RejectedEvent:
        if len(cells) != len(header.names):
            return RejectedEvent(
                "ragged_row", f"The row has {len(cells)} cells where the header names {len(header.names)}."
            )
        metadata: Metadata = {header.names[at]: typed(cells[at]) for at in header.rest if cells[at]}
        timestamp = self._timestamp(cells, header, metadata)
        level = levels.DEFAULT
        if header.level is not None:
            level = self._columns.level(cells[header.level], metadata, header.names[header.level])
        message = cells[header.message] if header.message is not None else summary(metadata.items())
        service = cells[header.service] if header.service is not None else ""
        own = {name: cells[at] for name, at in header.own.items()}
        row = self._columns.row(
            message, timestamp, level, service, metadata, own.get("trace_id", ""), own.get("span_id", "")
        )
        if isinstance(row, Row) and 0 < len(own.get("project_id", "")) <= MAX_NAME_CHARACTERS:
            row.project_id = own["project_id"]
        return row

    def _timestamp(self, cells: list[str], header: CsvHeader, metadata: Metadata) -> str:
        """The row's time; a value that is no time stays in the metadata, and the time of receipt counts."""
        text = " ".join(cells[at] for at in header.times).strip()
        if not text:
            return ""
        moment = timestamps.from_text(text)
        if moment is None:
            metadata.update({header.names[at]: cells[at] for at in header.times})
            return ""
        return self._columns.moment(moment, text, metadata)


class _CountedLines:
    """Lines for csv.reader, which reports neither how many lines a row took nor whether a quote is open.

    `has_returns`: lines contain carriage returns, which `_restored` restores in the cells.
    """

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._taken = self._whole = 0
        self.is_open = False
        self.has_returns = any("\r" in line for line in lines)

    def __iter__(self) -> Iterator[str]:
        for line in map(_guarded, self._lines) if self.has_returns else self._lines:
            self._taken += 1
            yield line
        # The reader needs more lines than there are: it is in the middle of a record.
        self.is_open = self._taken > self._whole

    def whole(self) -> None:
        """Record that all lines read so far have become rows."""
        self._whole = self._taken

    def rest(self) -> str:
        return "".join(self._lines[self._whole :])


def _guarded(line: str) -> str:
    return line.replace("\r", _CARRIAGE_RETURN)


def _restored(cells: list[str]) -> list[str]:
    return [cell.replace(_CARRIAGE_RETURN, "\r") for cell in cells]


def _kept_lines(carried: str) -> list[str]:
    return [f"{line}\n" for line in carried.split("\n")[:-1]]


def _first(names: list[str], field: str) -> int | None:
    """The column of a field: the first of its names that the header has."""
    known = (name for name in names_of(field) if name not in DECIDED_BY_VALUE)
    return next((names.index(name) for name in known if name in names), None)


def _times(names: list[str]) -> list[int]:
    """The columns of the time; separate columns for date and time of day belong together."""
    if "date" in names and "time" in names:
        return [names.index("date"), names.index("time")]
    found = _first(names, "timestamp")
    return [] if found is None else [found]


_OPEN_QUOTE = RejectedEvent("open_quote", "A quoted cell of the row is never closed.")
