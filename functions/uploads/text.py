"""The text of a file as formats see it: what is still needed of it, and where in the whole that begins."""

from functions.uploads.streams.contract import BrokenFileError, Mark, Stream

UTF8_BOM = b"\xef\xbb\xbf"


class Text:
    """A stream's text from the place `at` on.

    Parameters
    ----------
    begins_at: where the stream's text begins, at or before `at`.
    """

    def __init__(self, stream: Stream, begins_at: int = 0, at: int = 0) -> None:
        self._stream = stream
        self._skipped = at - begins_at
        self.at = at
        self.data = b""
        self.ended = False
        self.fault: BrokenFileError | None = None

    @property
    def file_at(self) -> int:
        """How many bytes of the file have been used so far."""
        return self._stream.file_at

    def fill(self, size_bytes: int) -> None:
        """Have so much in `data`, or all that is left; a fault of the file counts as its end."""
        if len(self.data) >= size_bytes or self.ended:
            return
        pieces, held = [self.data], len(self.data)
        while held < size_bytes and not self.ended:
            piece = self._read()
            pieces.append(piece)
            held += len(piece)
        self.data = b"".join(pieces)

    def drop(self, size_bytes: int) -> None:
        """What comes first is no longer needed."""
        self.data = self.data[size_bytes:]
        self.at += size_bytes

    def stop(self, fault: BrokenFileError) -> None:
        """Nothing more is read: what is held is dropped, and `fault` is why."""
        self.drop(len(self.data))
        self.fault, self.ended = fault, True

    def mark(self) -> Mark:
        """A way back to `at`, or to a place before it."""
        return self._stream.mark(self.at)

    def _read(self) -> bytes:
        while True:
            try:
                piece = self._stream.read()
            except BrokenFileError as fault:
                self.fault, self.ended = fault, True
                return b""
            if not piece:
                self.ended = True
            skipped = min(self._skipped, len(piece))
            self._skipped -= skipped
            if skipped < len(piece) or self.ended:
                return piece[skipped:]
