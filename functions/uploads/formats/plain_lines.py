"""Lines of text: each is a row, with the whole line as message, and the line's own time where it has one.

A line without a time, as in a stack trace, takes the time of the line before it, so that a search finds them
together. Before the first line with a time, that is the time of receipt.
"""

from functions.shared.events import levels
from functions.shared.events.judge import RejectedEvent
from functions.shared.events.row import ReceiptContext, Row
from functions.uploads.formats.contract import RecordBatch, State
from functions.uploads.formats.layouts import LAYOUTS, LineFields, level_word
from functions.uploads.formats.lines import LineFormat, text_lines
from functions.uploads.formats.log_times import YearGuess


class PlainLines(LineFormat):
    """The Format of all other text."""

    name = "lines"

    def __init__(self, receipt: ReceiptContext, state: State) -> None:
        super().__init__(receipt, state)
        self._years = YearGuess(receipt.received_at)
        self._before = str(state.get("before", ""))
        self._usual = int(state.get("usual", len(LAYOUTS) - 1))

    def state(self) -> State:
        return {**super().state(), "before": self._before, "usual": self._usual}

    def convert(self, body: bytes, batch: RecordBatch) -> None:
        rows: list[Row] = []
        for line in text_lines(body):
            if not line or line.isspace():
                continue
            row = self._row(line)
            if isinstance(row, RejectedEvent):
                batch.refuse(self.index + len(rows) + batch.refused, row)
            else:
                rows.append(row)
        batch.rows += rows

    def _row(self, line: str) -> Row | RejectedEvent:
        found = self._found(line)
        if found is None:
            level = levels.canonical(level_word(line, 0)) or levels.DEFAULT
            return self.columns.row(line, self._before, level, "", {})
        metadata = found.metadata
        timestamp = self._before = self.columns.within(found.timestamp, found.original, metadata)
        word = found.level or level_word(line, found.rest_at)
        return self.columns.row(
            line, timestamp, levels.canonical(word) or levels.DEFAULT, found.service, metadata
        )

    def _found(self, line: str) -> LineFields | None:
        """The fields of the line; the layout of the previous lines is tried first."""
        found = LAYOUTS[self._usual](line, self._years)
        if found:
            return found
        for number, layout in enumerate(LAYOUTS):
            if number != self._usual and (found := layout(line, self._years)):
                self._usual = number
                return found
        return None
