"""What a stream of text out of a file is, and what a way back into its middle is."""

from dataclasses import dataclass
from typing import Protocol

from functions.shared.errors import PermanentError

PIECE_BYTES = 1024 * 1024
"""Of text: no more is given at once, however well the file is compressed."""


class BrokenFileError(PermanentError):
    """The file ends too early, or is not what it claims to be; what came before is good.

    `code` is stable; `reason` is a sentence that quotes nothing of the file.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Ranges(Protocol):
    """A file's bytes, any of them; errors are those of where it lies."""

    @property
    def size_bytes(self) -> int: ...

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on; fewer only at the file's end."""
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A way back: reading the file from byte `at` gives its text from `text_at` on.

    What a decoder needs beside it depends on the compression: `bits` of the byte at `at` belong to what came
    before, `window` is the text right before `text_at`, `crc` and `length` are of the text of the same member
    so far. `inside`: in the middle of a member or frame, not at its beginning.
    """

    at: int = 0
    text_at: int = 0
    inside: bool = False
    bits: int = 0
    window: bytes = b""
    crc: int = 0
    length: int = 0


class Stream(Protocol):
    """A file's text from a mark on."""

    @property
    def file_at(self) -> int:
        """How many bytes of the file have been used so far."""
        ...

    def read(self) -> bytes:
        """The next piece, at most PIECE_BYTES; empty at the end.

        Raises
        ------
        BrokenFileError: after everything that comes before the fault was given.
        """
        ...

    def mark(self, text_at: int) -> Mark:
        """The nearest way back that is known to a place at or before `text_at`, which was given already."""
        ...
