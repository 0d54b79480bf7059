"""The contract of a format: it takes records off the front of a text and makes rows of them.

Everything here depends on the text alone, never on when or in which pieces it arrived: a second reading of a
file gives the same batches, and so the same objects.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from functions.shared.events.judge import RejectedEvent
from functions.uploads.text import Text

MAX_RECORD_BYTES = 2 * 1024 * 1024
"""A longer record is rejected unread; its row would be too large anyway."""

MAX_COLUMN_NAME_CHARACTERS = 200
"""The length at which a column name in a header is cut off, because every row repeats it."""

WINDOW_BYTES = 1024 * 1024
WINDOW_RECORDS = 10_000
"""What one batch takes: a megabyte can hold half a million records, each with added columns."""

MAX_LISTED_REFUSALS = 100
"""The most rejected records that a batch, and a file, lists."""

State = dict[str, Any]
"""The state from which a format continues in the middle of a file: a JSON value."""

_LONG_RECORD_BYTES = 64 * 1024
_TIMES_TO_JUDGE = 8


def rejected_bytes(record: bytes | memoryview) -> int:
    """What a rejected JSON record costs beside its text: one with 140,000 keys takes 0.25 s."""
    return _TIMES_TO_JUDGE * len(record) if len(record) > _LONG_RECORD_BYTES else 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rejected record; `index` counts the file's records from 0."""

    index: int
    verdict: RejectedEvent


@dataclass(slots=True)
class RecordBatch:
    """Some records: the rows of those that were accepted, structs with the fields of Row; the rest rejected.

    `records` counts both. `refusals` describes the first rejected records; `refused` counts all. `cut`: the
    object must end here, because no other limit would end it.
    """

    rows: list[Any] = field(default_factory=list)
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    cut: bool = False

    @property
    def records(self) -> int:
        return len(self.rows) + self.refused

    def refuse(self, index: int, verdict: RejectedEvent) -> None:
        self.refused += 1
        if len(self.refusals) < MAX_LISTED_REFUSALS:
            self.refusals.append(Refusal(index, verdict))


class Format(Protocol):
    """One format, reading one file."""

    @property
    def name(self) -> str: ...

    @property
    def extra_bytes(self) -> int:
        """The cost of the records so far beside their text, as if the text were so many bytes longer."""
        ...

    def next(self, text: Text) -> RecordBatch | None:
        """The next records, taken off `text`; None when there are no more."""
        ...

    def state(self) -> State: ...


TOO_LONG = RejectedEvent("record_too_long", "The record is longer than 2 MiB.")
CUT_OFF = RejectedEvent("cut_off", "The file ends in the middle of the record.")
