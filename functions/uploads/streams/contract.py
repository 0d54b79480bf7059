"""The contract of a stream of text from a file, and of its resume points."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from functions.shared.errors import PermanentError

PIECE_BYTES = 1024 * 1024
"""The most text that is returned at once, however well the file is compressed."""


class BrokenFileError(PermanentError):
    """The file ends too early, or its content is invalid; the text before the fault is good.

    `code` is stable; `reason` is a sentence that quotes nothing of the file.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


NO_PROGRESS = "no_progress"

MEMBER_BYTES = 64
"""A member (frame, stream, block) with less text than this costs more to begin than to read."""

MAX_EMPTY_MEMBERS = 50_000
"""The most members beyond one for each MEMBER_BYTES of text; each costs 5 to 40 microseconds of CPU."""

MARK_EVERY_BYTES = 64 * 1024
"""A distance in text: members closer together share one resume point."""


class Members:
    """Counts the members of a stream against its text, so that a stream of empty members ends.

    `debt`: MEMBER_BYTES for each member, less the text since; never below 0.
    """

    def __init__(self, debt: int) -> None:
        self.debt = debt

    def begin(self) -> BrokenFileError | None:
        """Count a member; return the fault that ends the stream if too many members hold too little."""
        self.debt += MEMBER_BYTES
        return _TOO_MANY_EMPTY if self.debt > MAX_EMPTY_MEMBERS * MEMBER_BYTES else None

    def add_text(self, size_bytes: int) -> None:
        self.debt = max(0, self.debt - size_bytes)


_TOO_MANY_EMPTY = BrokenFileError(
    NO_PROGRESS,
    f"More than {MAX_EMPTY_MEMBERS:,} parts of the file are almost empty. Compress it as one stream.",
)


class Ranges(Protocol):
    """Random access to a file's bytes; errors are those of its storage."""

    @property
    def size_bytes(self) -> int: ...

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on; fewer only at the file's end."""
        ...


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A resume point: reading the file from byte `at` gives its text from `text_at` on.

    `debt` is that of Members. Other fields are for bzip2: `bits` of the byte at `at` belong to the data
    before; `inside` means in the middle of a stream, whose combined checksum so far is `crc`.
    """

    at: int = 0
    text_at: int = 0
    inside: bool = False
    bits: int = 0
    crc: int = 0
    debt: int = 0


class Stream(Protocol):
    """A file's text from a mark on."""

    @property
    def file_at(self) -> int:
        """How many bytes of the file have been read so far."""
        ...

    def read(self) -> bytes:
        """The next piece, at most PIECE_BYTES; empty at the end.

        Raises
        ------
        BrokenFileError: after all text before the fault was returned.
        """
        ...

    def mark(self, text_at: int) -> ResumePoint:
        """The nearest known resume point at or before `text_at`, which was returned already."""
        ...


class ResumePoints:
    """The known resume points: none closer than MARK_EVERY_BYTES of text to the one before.

    Only those for the last `kept_bytes` of text are kept, and the first one before them.
    """

    def __init__(self, first: ResumePoint, kept_bytes: int) -> None:
        self._marks = deque([first])
        self._kept_bytes = kept_bytes

    def wants(self, text_at: int) -> bool:
        """Whether a resume point at `text_at` is worth adding."""
        return text_at - self._marks[-1].text_at >= MARK_EVERY_BYTES

    def add(self, mark: ResumePoint) -> None:
        self._marks.append(mark)
        while len(self._marks) > 1 and self._marks[1].text_at <= mark.text_at - self._kept_bytes:
            self._marks.popleft()

    def before(self, text_at: int) -> ResumePoint:
        """The nearest resume point at or before `text_at`."""
        return next(each for each in reversed(self._marks) if each.text_at <= text_at)
