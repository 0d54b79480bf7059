"""The text of a file as formats see it: the part that is still needed, and its position in the whole."""

from collections.abc import Callable

from functions.uploads.streams.contract import BrokenFileError, ResumePoint, Stream

UTF8_BOM = b"\xef\xbb\xbf"

SKIPPED_UNASKED_BYTES = 64 * 1024 * 1024
"""How much text is skipped between two looks at the time: at most some seconds of CPU."""


class Text:
    """A stream's text from the place `at` on.

    Parameters
    ----------
    begins_at: where the stream's text begins, at or before `at`.
    """

    def __init__(self, stream: Stream, begins_at: int = 0, at: int = 0) -> None:
        self._stream = stream
        self._to_skip = at - begins_at
        self.at = at
        self.data = b""
        self.ended = False
        self.fault: BrokenFileError | None = None

    @property
    def file_at(self) -> int:
        """How many bytes of the file have been read so far."""
        return self._stream.file_at

    def skip(self, may_continue: Callable[[], bool]) -> bool:
        """Read up to `at` and discard that text; False when `may_continue` forbade it before the end."""
        unasked = 0
        while self._to_skip and not self.ended:
            if unasked >= SKIPPED_UNASKED_BYTES:
                if not may_continue():
                    return False
                unasked = 0
            before = self._to_skip
            self.data += self._read()
            unasked += before - self._to_skip
        return True

    def fill(self, size_bytes: int) -> None:
        """Fill `data` to `size_bytes`, or with all that is left; a fault of the file counts as its end."""
        if len(self.data) >= size_bytes or self.ended:
            return
        pieces, held = [self.data], len(self.data)
        while held < size_bytes and not self.ended:
            piece = self._read()
            pieces.append(piece)
            held += len(piece)
        self.data = b"".join(pieces)

    def drop(self, size_bytes: int) -> None:
        """Discard the first `size_bytes` of `data`."""
        self.data = self.data[size_bytes:]
        self.at += size_bytes

    def stop(self, fault: BrokenFileError) -> None:
        """End the text with `fault`, and discard the rest of `data`."""
        self.drop(len(self.data))
        self.fault, self.ended = fault, True

    def mark(self) -> ResumePoint:
        """A resume point at `at` or before it."""
        return self._stream.mark(self.at)

    def _read(self) -> bytes:
        """The next piece, without what is skipped of it: perhaps empty before the end, too."""
        try:
            piece = self._stream.read()
        except BrokenFileError as fault:
            self.fault, self.ended = fault, True
            return b""
        self.ended = not piece
        skipped = min(self._to_skip, len(piece))
        self._to_skip -= skipped
        return piece[skipped:]
