"""JSON that is not one object a line: arrays, `{"Records": [...]}`, objects one after the other.

The text between values (white space, commas, the end of an array or of what surrounds it) is skipped. A value
that is no JSON but whose brackets match is rejected alone. Where brackets do not match, the beginning of the
next value cannot be determined, and the file counts as broken from there on.
"""

import re
from collections.abc import Iterable

import msgspec
from msgspec import Raw

from functions.shared.events.judge import RejectedEvent
from functions.shared.events.names import FILE_ENVELOPES
from functions.shared.events.row import ReceiptContext, Row
from functions.shared.events.surrogates import replace_lone_surrogates
from functions.uploads.formats.contract import (
    CUT_OFF,
    MAX_RECORD_BYTES,
    TOO_LONG,
    WINDOW_BYTES,
    WINDOW_RECORDS,
    RecordBatch,
    State,
    rejected_bytes,
)
from functions.uploads.formats.json_records import row_of
from functions.uploads.formats.json_scan import Skipper, value_end
from functions.uploads.formats.windows import PASSED_BYTES
from functions.uploads.streams.contract import BrokenFileError
from functions.uploads.text import Text

_BETWEEN = re.compile(rb'(?:[\s,\[\]}]++|\{\s*+"(?:%b)"\s*+:\s*+\[)*+' % "|".join(FILE_ENVELOPES).encode())
"""Text between values, and the beginnings of arrays; matched at once, because there may be much."""
_TRIES = 4
"""How many ends of a window are tried: one within an element is no end."""

_VALUES_AT_A_TIME = 2000

_array = msgspec.json.Decoder(list[Raw])


class JsonValues:
    """The Format of JSON; `name` is the kind that was detected."""

    def __init__(self, receipt: ReceiptContext, state: State) -> None:
        self._receipt = receipt
        self.name: str = state.get("name", "json")
        self._index = int(state.get("index", 0))
        self.extra_bytes = int(state.get("extra", 0))
        self._skipper = Skipper(*state["skipping"]) if state.get("skipping") else None

    def state(self) -> State:
        skipping = self._skipper.state() if self._skipper else None
        return {
            "name": self.name,
            "index": self._index,
            "skipping": skipping,
            "extra": self.extra_bytes,
        }

    def next(self, text: Text) -> RecordBatch | None:
        if self._skipper:
            return self._skip(text, self._skipper)
        text.fill(WINDOW_BYTES)
        if not self._at_value(text):
            return RecordBatch() if text.data else None
        taken: Iterable[Raw] | Iterable[bytes] | None = self._many(text)
        if taken is None:
            taken = self._few(text, WINDOW_BYTES) or self._few(text, MAX_RECORD_BYTES)
        if not taken:
            return self._too_long(text) if len(text.data) >= MAX_RECORD_BYTES else self._cut_off(text)
        batch = RecordBatch()
        self._convert(taken, batch)
        return batch

    def _at_value(self, text: Text) -> bool:
        """Skip the text between values, PASSED_BYTES at the most; whether a value begins there."""
        until = text.at + PASSED_BYTES
        while (between := _passed(text.data, 0)) and text.at < until:
            text.drop(between)
            text.fill(WINDOW_BYTES)
        return bool(text.data) and not between

    def _many(self, text: Text) -> Iterable[Raw] | None:
        """Objects separated by commas, as many as a window has; None when they cannot be parsed at once."""
        limit = WINDOW_BYTES
        while text.data.count(b"{", 0, limit) > 2 * WINDOW_RECORDS:
            limit //= 2
        end = limit
        for _ in range(_TRIES):
            end = text.data.rfind(b"}", 0, end) + 1
            if not end:
                return None
            try:
                values = _array.decode(replace_lone_surrogates(b"[%b]" % text.data[:end]))
            except (msgspec.DecodeError, RecursionError):
                end -= 1
                continue
            text.drop(end)
            return values
        return None

    def _few(self, text: Text, within: int) -> list[bytes]:
        """The values in the first `within` bytes, one by one; none when the first does not end there."""
        text.fill(within)
        seen = text.data[:within]
        values: list[bytes] = []
        start = done = 0
        while start < len(seen) and len(values) < _VALUES_AT_A_TIME:
            end = value_end(seen, start)
            if end is None or (end == within and seen[start] not in b'{["'):
                break
            values.append(replace_lone_surrogates(seen[start:end]))
            done = end
            start = _passed(seen, end)
        text.drop(done)
        return values

    def _convert(self, values: Iterable[Raw] | Iterable[bytes], batch: RecordBatch) -> None:
        rows: list[Row] = []
        for value in values:
            row = row_of(value, self._receipt)
            if isinstance(row, RejectedEvent):
                self.extra_bytes += rejected_bytes(memoryview(value))
                batch.refuse(self._index + len(rows) + batch.refused, row)
            else:
                rows.append(row)
        batch.rows += rows
        self._index += batch.records

    def _too_long(self, text: Text) -> RecordBatch:
        self._skipper = Skipper()
        batch = self._skip(text, self._skipper)
        batch.refuse(self._index, TOO_LONG)
        self._index += 1
        return batch

    def _skip(self, text: Text, skipper: Skipper) -> RecordBatch:
        """Skip a value that is too long, PASSED_BYTES at the most."""
        left = PASSED_BYTES
        while left and not skipper.ended and not (text.ended and not text.data):
            text.fill(min(WINDOW_BYTES, left))
            used = skipper.skip(text.data[:left])
            text.drop(used)
            left -= used
        if skipper.ended or (text.ended and not text.data):
            self._skipper = None
        return RecordBatch(cut=self._skipper is not None)

    def _cut_off(self, text: Text) -> RecordBatch:
        """End the text: its last value has no end. The text breaks off, or brackets do not match."""
        text.stop(
            text.fault
            or BrokenFileError("invalid_json", "The JSON is incomplete: its last value does not end.")
        )
        batch = RecordBatch()
        batch.refuse(self._index, CUT_OFF)
        self._index += 1
        return batch


def _passed(data: bytes, start: int) -> int:
    """Where the text between values that begins at `start` ends."""
    between = _BETWEEN.match(data, start)
    return between.end() if between else start
