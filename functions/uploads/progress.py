"""Whether reading a file leads anywhere: a file whose text gives next to no rows comes to an end.

What a file costs is paid for by its size and by the rows that it gives. What it unpacks to beyond that is
free up to a limit, so that no small file can make a function read for minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from functions.uploads.files import File
from functions.uploads.streams.contract import NO_PROGRESS, BrokenFileError

FREE_BYTES = 64 * 1024 * 1024
"""Of text that gives no rows, whatever the size of the file: at most three seconds of CPU."""

BYTES_A_FILE_BYTE = 16
BYTES_A_ROW_BYTE = 16
"""So much text beside is paid for by each byte of the file, and of its rows as NDJSON."""

REJECTED_BYTES = 256
"""What a record that becomes no row counts beside its text: as long as a row is judged."""

FREE_CPU_SECONDS = 60
LEAST_BYTES_A_CPU_SECOND = 500_000
"""Of rows and of the file together. The slowest form, nested Parquet, is read at ten times that."""

IDLE = BrokenFileError(
    NO_PROGRESS, "The file unpacks to far more than its rows: what follows the rows so far was not read."
)
SLOW = BrokenFileError(NO_PROGRESS, "Reading the file takes far longer than its size and its rows explain.")


def is_idle(work_bytes: int, file: File) -> bool:
    """Whether the first `work_bytes` of the text, or of Parquet's values, gave too few rows.

    Depends on the file and the place in it alone, so that each attempt ends at the same row.
    """
    paid = BYTES_A_FILE_BYTE * file.dropped.size_bytes + BYTES_A_ROW_BYTE * file.raw_bytes
    return work_bytes + REJECTED_BYTES * file.refused > FREE_BYTES + paid


@dataclass(slots=True)
class CpuBudget:
    """The CPU time of one attempt, against what it has read and made.

    `clock`: CPU seconds of this process.
    """

    clock: Callable[[], float]
    _began: float | None = None
    _bytes: int = field(default=0)

    def is_spent(self, file: File) -> bool:
        """Whether `file` costs too much; counted from the first call on, when its place was found again."""
        done = file.raw_bytes + file.bytes_read
        if self._began is None:
            self._began, self._bytes = self.clock(), done
        allowed = FREE_CPU_SECONDS + (done - self._bytes) / LEAST_BYTES_A_CPU_SECOND
        return self.clock() - self._began > allowed
