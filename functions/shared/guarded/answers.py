"""How much of an answer is read, and until when: counted where the bytes leave the socket.

Whoever answers at an address that a customer gave may never end, drip, or promise more than memory holds.
What is counted is all of it: status lines, headers, chunks and their framing. Limits are kept to within one
buffer of 8 KB.
"""

import io
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPResponse
from socket import socket
from typing import Any

from functions.shared.errors import PermanentError

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""As much as a search may find."""

SMALL_ANSWER_BYTES = 4 * 1024 * 1024
"""More than a statement without rows is answered with, or the list of all settings, which ClickHouse's client
asks for; or a listing of a thousand keys of a kilobyte, each byte of them escaped.
"""

MAX_HEADER_BYTES = 256 * 1024
"""The client of ClickHouse has http.client take 10,000 headers of 64 KB each."""

MAX_ERROR_BYTES = 1024 * 1024
"""Of an answer that is no success."""

LEAST_BYTES_A_PIECE = 64
"""What a chunk of one byte takes of memory until all are joined."""

_PLAIN = frozenset({"", "identity"})


class AnswerRefusedError(PermanentError):
    """The answer is compressed, although nobody asked for that, or too long; it was not read on."""


class AnswerTooLongError(AnswerRefusedError):
    """The answer is longer than it may be, or says that it will be."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    max_bytes: float = math.inf
    ends_at: float = math.inf


_UNBOUNDED = _Bounds()

_bounds: ContextVar[_Bounds] = ContextVar("bounds", default=_UNBOUNDED)


@contextmanager
def bounded(max_bytes: float, seconds: float) -> Iterator[None]:
    """Requests that this thread begins within the block, over guarded connections, are answered with
    `max_bytes` at most each, and all of them within `seconds` from now, their bodies included.
    """
    outer = _bounds.get()
    ends_at = min(outer.ends_at, time.monotonic() + seconds)
    token = _bounds.set(_Bounds(min(outer.max_bytes, max_bytes), ends_at))
    try:
        yield
    finally:
        _bounds.reset(token)


def is_time_over() -> bool:
    """Whether the seconds of `bounded` have passed, here in this thread."""
    return time.monotonic() >= _bounds.get().ends_at


class Meter:
    """What is left of one answer's bytes and time; it begins with the request.

    Parameters
    ----------
    max_bytes: of the body, framing included.
    plain: whether a Content-Encoding is refused.
    """

    def __init__(self, max_bytes: float, *, plain: bool) -> None:
        bounds = _bounds.get()
        self._max_bytes = min(max_bytes, bounds.max_bytes)
        self._ends_at = bounds.ends_at
        self._plain = plain
        self._left: float = MAX_HEADER_BYTES

    def seconds_left(self) -> float:
        """Raises TimeoutError when time is over, as a socket does."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        return left

    def count(self, size_bytes: int) -> None:
        """Raises AnswerTooLongError when the answer is too long with these bytes."""
        self._left -= size_bytes
        if self._left < 0:
            raise AnswerTooLongError("the answer is too long")

    def promise(self, size_bytes: int) -> None:
        """The same for bytes that are still to come: room for them is made before they are there."""
        if size_bytes > self._left + io.DEFAULT_BUFFER_SIZE:
            raise AnswerTooLongError("the answer is too long")

    def headers_read(self, status: int, encoding: str, length: int | None) -> None:
        """From now on the body's bytes are counted."""
        if self._plain and encoding.strip().lower() not in _PLAIN:
            raise AnswerRefusedError("the answer is compressed")
        successful = 200 <= status < 300
        self._left = self._max_bytes if successful else min(self._max_bytes, MAX_ERROR_BYTES)
        self.promise(length or 0)


class MeteredSocket:
    """A connected socket whose answers are counted by `meter`; for one connection at a time."""

    def __init__(self, connected: socket, meter: Meter) -> None:
        self._connected = connected
        self._patience = self._allowed = connected.gettimeout()
        self.meter = meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connected, name)

    def settimeout(self, seconds: float | None) -> None:
        self._patience = self._allowed = seconds
        self._connected.settimeout(seconds)

    def sendall(self, *what: Any) -> None:
        self.hurry()
        self._connected.sendall(*what)

    def makefile(self, _mode: str = "rb", buffering: int = -1) -> Any:
        """As http.client and botocore ask for it: to read from."""
        raw = _Counted(self, self._connected.makefile("rb", buffering=0))
        return raw if buffering == 0 else _Foreseen(raw, self.meter)

    def hurry(self) -> None:
        """Let the next call wait no longer than there is time, whatever an earlier request had left."""
        left = self.meter.seconds_left()
        patience = math.inf if self._patience is None else self._patience
        seconds = min(left, patience)
        allowed = None if seconds == math.inf else seconds
        if allowed != self._allowed:
            self._allowed = allowed
            self._connected.settimeout(allowed)


class _Counted(io.RawIOBase):
    def __init__(self, metered: MeteredSocket, raw: Any) -> None:
        self._metered = metered
        self._meter = metered.meter
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        self._metered.hurry()
        size_bytes = self._raw.readinto(buffer)
        self._meter.count(size_bytes or 0)
        return size_bytes

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Foreseen(io.BufferedReader):
    """Python makes room for as much as it is told will come, before any of it has come."""

    def __init__(self, raw: io.RawIOBase, meter: Meter) -> None:
        super().__init__(raw)
        self._meter = meter

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size >= 0:
            self._meter.promise(size)
            self._meter.count(max(0, LEAST_BYTES_A_PIECE - size))
        return super().read(size)


class MeteredResponse(HTTPResponse):
    """Tells the meter where the body begins."""

    def __init__(self, connected: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(connected, *arguments, **named)
        self._meter: Meter = connected.meter

    def begin(self) -> None:
        if self.headers is None:
            super().begin()
            encoding = ",".join(self.headers.get_all("Content-Encoding", []))
            self._meter.headers_read(self.status, encoding, self.length)
