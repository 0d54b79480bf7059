"""Limits on reading a file whose text gives hardly any rows.

The cost of a file is allowed for by its size and by its rows. What it decompresses to beyond that is free up
to a limit, so that no small file can keep a function reading for minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from functions.uploads.files import File
from functions.uploads.streams.contract import NO_PROGRESS, BrokenFileError

FREE_BYTES = 64 * 1024 * 1024
"""Text that may give no rows, whatever the size of the file: at most three seconds of CPU."""

BYTES_A_FILE_BYTE = 16
BYTES_A_ROW_BYTE = 16
"""Each byte of the file, and of its rows as NDJSON, allows so many more bytes of text."""

REJECTED_BYTES = 256
"""What a rejected record counts beside its text: validating it takes as long as that many bytes."""

FREE_CPU_SECONDS = 60
LEAST_BYTES_A_CPU_SECOND = 500_000
"""Bytes of rows and of the file together. The slowest format, nested Parquet, is read ten times as fast."""

FREE_SKIP_SECONDS = 300
BYTES_A_SKIP_SECOND = 10_000_000
"""CPU time for skipping to the place where reading stopped, in all attempts together: the time of one
invocation, and a second for so many bytes of rows and of the file. So the cost of a file is bounded although
skipping grows with the square of the number of attempts. Ordinary files need a tenth of that.
"""

IDLE = BrokenFileError(
    NO_PROGRESS, "The file decompresses to far more data than its rows. The rest of the file was not read."
)
SLOW = BrokenFileError(
    NO_PROGRESS, "Reading the file takes too long for its size and number of rows. The rest was not read."
)
FAR = BrokenFileError(
    "resume_too_slow",
    "Reading took several attempts, and finding the place again inside one compressed stream takes too long. "
    "Upload the rest of the file as several smaller files.",
)


def is_idle(work_bytes: int, file: File) -> bool:
    """Whether the first `work_bytes` of the text, or of Parquet's values, gave too few rows.

    Depends on the file and the place in it alone, so that each attempt ends at the same row.
    """
    paid = BYTES_A_FILE_BYTE * file.dropped.size_bytes + BYTES_A_ROW_BYTE * file.raw_bytes
    return work_bytes + REJECTED_BYTES * file.refused > FREE_BYTES + paid


def is_skipping_spent(file: File) -> bool:
    """Whether finding its places again has cost more than `file` is allowed."""
    allowed = FREE_SKIP_SECONDS + (file.raw_bytes + file.bytes_read) / BYTES_A_SKIP_SECOND
    return file.skip_ms > 1000 * allowed


@dataclass(slots=True)
class CpuBudget:
    """The CPU time of one attempt, compared with the bytes that it has read and made.

    `clock`: CPU seconds of this process.
    """

    clock: Callable[[], float]
    _began: float | None = None
    _bytes: int = field(default=0)

    def is_spent(self, file: File) -> bool:
        """Whether `file` costs too much; measured from the first call on, after its place was found again."""
        done = file.raw_bytes + file.bytes_read
        if self._began is None:
            self._began, self._bytes = self.clock(), done
        allowed = FREE_CPU_SECONDS + (done - self._bytes) / LEAST_BYTES_A_CPU_SECOND
        return self.clock() - self._began > allowed
