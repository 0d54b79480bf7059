"""What a format is: it takes records off the front of a text and makes rows of them.

Everything here depends on the text alone, never on when or in which pieces it arrived: a file that is read a
second time falls into the same batches, and so into the same objects.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from functions.shared.judging.judge import Verdict
from functions.shared.judging.rows import Row
from functions.uploads.text import Text

MAX_RECORD_BYTES = 2 * 1024 * 1024
"""A longer one is refused unread; a row of it would be too large anyway."""

MAX_COLUMN_NAME_CHARACTERS = 200
"""Of a header's name, which every row repeats; what is longer is cut off."""

WINDOW_BYTES = 1024 * 1024
WINDOW_RECORDS = 10_000
"""What is taken at a time: a megabyte can hold half a million records, each with columns of ours to add."""

MAX_REFUSALS_TOLD = 100
"""Of a batch, and of a file."""

State = dict[str, Any]
"""What a format has to know to go on in the middle of a file: a value of JSON."""

_encoder = msgspec.json.Encoder()


_LONG_RECORD_BYTES = 64 * 1024
_TIMES_TO_JUDGE = 8


def rejected_bytes(record: bytes | memoryview) -> int:
    """What a record of JSON that became no row cost beside its text: 140,000 keys take 0.25 s."""
    return _TIMES_TO_JUDGE * len(record) if len(record) > _LONG_RECORD_BYTES else 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that became no row; `index` counts the file's records from 0."""

    index: int
    verdict: Verdict


@dataclass(slots=True)
class Batch:
    """Some records: `rows` of them as NDJSON `lines`, the others refused.

    `records` counts both. `refusals` tells of the first; `refused` counts all. `cut`: an object has to end
    here, for nothing else would.
    """

    rows: int = 0
    lines: bytes = b""
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    cut: bool = False

    @property
    def records(self) -> int:
        return self.rows + self.refused

    def refuse(self, index: int, verdict: Verdict) -> None:
        self.refused += 1
        if len(self.refusals) < MAX_REFUSALS_TOLD:
            self.refusals.append(Refusal(index, verdict))

    def keep(self, rows: list[Row]) -> None:
        if rows:
            self.rows += len(rows)
            self.lines += _encoder.encode_lines(rows)


class Format(Protocol):
    """One form, of one file."""

    @property
    def name(self) -> str: ...

    @property
    def extra_bytes(self) -> int:
        """What the records so far cost beside their text, as if it were so many bytes longer."""
        ...

    def next(self, text: Text) -> Batch | None:
        """The next records, taken off `text`; None when there are no more."""
        ...

    def state(self) -> State: ...


TOO_LONG = Verdict("record_too_long", "The record is longer than 2 MiB.")
CUT_OFF = Verdict("cut_off", "The file ends in the middle of the record.")
