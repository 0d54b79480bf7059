"""A file's bytes in order, fetched range by range, with one range of read-ahead."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from functions.uploads.streams.contract import Ranges

RANGE_BYTES = 4 * 1024 * 1024
"""A request costs about a millisecond and waits twenty: large enough to hide both, and small in memory."""

_pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")


class Sequence:
    """The bytes of `ranges` from `at` on; `at` advances as they are read."""

    def __init__(self, ranges: Ranges, at: int, range_bytes: int = RANGE_BYTES) -> None:
        self.at = at
        self._ranges = ranges
        self._range_bytes = range_bytes
        self._range = memoryview(b"")
        self._used = 0
        self._ahead: Future[bytes] | None = None

    def read(self, most: int) -> bytes:
        """The next bytes, up to a multiple of `most`, a power of two; empty at the end of the file."""
        if self._used == len(self._range) and not self._fetch():
            return b""
        piece = bytes(self._range[self._used : self._used + most - self.at % most])
        self._used += len(piece)
        self.at += len(piece)
        return piece

    def _fetch(self) -> bool:
        ahead, self._ahead = self._ahead, None
        fetched = ahead.result() if ahead else self._asked(self.at)()
        self._range, self._used = memoryview(fetched), 0
        following = self.at + len(fetched)
        if fetched and following < self._ranges.size_bytes:
            self._ahead = _pool.submit(self._asked(following))
        return bool(fetched)

    def _asked(self, start: int) -> Callable[[], bytes]:
        # Ranges end at the same places wherever one begins, and so do the pieces cut from them.
        length = min(self._range_bytes - start % self._range_bytes, self._ranges.size_bytes - start)
        return (lambda: self._ranges.read(start, length)) if length > 0 else bytes
