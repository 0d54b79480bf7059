"""Limits on size and time of an answer, counted where the bytes leave the socket.

A server at a customer's address may never finish, send slowly, or announce more than memory holds. Everything
is counted: status lines, headers, chunks and their framing. The limits are exact to one buffer of 8 KB.
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
"""The largest result of a search."""

SMALL_ANSWER_BYTES = 4 * 1024 * 1024
"""More than the answer to a statement without rows, the list of all settings, which ClickHouse's client
requests, or a listing of a thousand keys of a kilobyte with each byte escaped.
"""

MAX_HEADER_BYTES = 256 * 1024
"""The ClickHouse client makes http.client accept 10,000 headers of 64 KB each."""

MAX_ERROR_BYTES = 1024 * 1024
"""The limit for an error response."""

LEAST_BYTES_A_PIECE = 64
"""The memory that a chunk of one byte takes until all are joined."""

_PLAIN = frozenset({"", "identity"})


class AnswerRefusedError(PermanentError):
    """The answer is compressed without having been requested so, or too long; reading stopped."""


class AnswerTooLongError(AnswerRefusedError):
    """The answer is longer than its limit, or announces that it will be."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    max_bytes: float = math.inf
    ends_at: float = math.inf


_UNBOUNDED = _Bounds()

_bounds: ContextVar[_Bounds] = ContextVar("bounds", default=_UNBOUNDED)


@contextmanager
def bounded(max_bytes: float, seconds: float) -> Iterator[None]:
    """Limit the requests that this thread starts within the block, over filtered connections: each answer to
    `max_bytes`, and all of them together, bodies included, to `seconds` from now.
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


class ResponseMeter:
    """The remaining bytes and time of one answer, counted from the start of the request.

    Parameters
    ----------
    max_bytes: of the body, framing included.
    plain: whether a Content-Encoding is rejected.
    """

    def __init__(self, max_bytes: float, *, plain: bool) -> None:
        bounds = _bounds.get()
        self._max_bytes = min(max_bytes, bounds.max_bytes)
        self._ends_at = bounds.ends_at
        self._plain = plain
        self._left: float = MAX_HEADER_BYTES

    def seconds_left(self) -> float:
        """The remaining time; raises TimeoutError when it is over, as a socket does."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        return left

    def count(self, size_bytes: int) -> None:
        """Count bytes; raises AnswerTooLongError when the answer exceeds its limit."""
        self._left -= size_bytes
        if self._left < 0:
            raise AnswerTooLongError("the answer is too long")

    def promise(self, size_bytes: int) -> None:
        """Check bytes that are announced, before a buffer is allocated for them; raises as `count` does."""
        if size_bytes > self._left + io.DEFAULT_BUFFER_SIZE:
            raise AnswerTooLongError("the answer is too long")

    def headers_read(self, status: int, encoding: str, length: int | None) -> None:
        """The body begins: count its bytes from now on."""
        if self._plain and encoding.strip().lower() not in _PLAIN:
            raise AnswerRefusedError("the answer is compressed")
        successful = 200 <= status < 300
        self._left = self._max_bytes if successful else min(self._max_bytes, MAX_ERROR_BYTES)
        self.promise(length or 0)


class MeteredSocket:
    """A connected socket whose answers are counted by `meter`; for one connection at a time."""

    def __init__(self, connected: socket, meter: ResponseMeter) -> None:
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
        """A file to read from, as http.client and botocore request it."""
        raw = _CountedReader(self, self._connected.makefile("rb", buffering=0))
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


class _CountedReader(io.RawIOBase):
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
    """Checks announced sizes first: Python allocates the whole buffer before any byte has arrived."""

    def __init__(self, raw: io.RawIOBase, meter: ResponseMeter) -> None:
        super().__init__(raw)
        self._meter = meter

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size >= 0:
            self._meter.promise(size)
            self._meter.count(max(0, LEAST_BYTES_A_PIECE - size))
        return super().read(size)


class MeteredResponse(HTTPResponse):
    """Reports to the meter where the body begins."""

    def __init__(self, connected: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(connected, *arguments, **named)
        self._meter: ResponseMeter = connected.meter

    def begin(self) -> None:
        if self.headers is None:
            super().begin()
            encoding = ",".join(self.headers.get_all("Content-Encoding", []))
            self._meter.headers_read(self.status, encoding, self.length)
