"""Decompression of gzip, zlib and deflate by zlib-ng, which takes two thirds of zlib's time.

The interface is that of the standard library's `zlib.decompressobj`; zlib-ng's own types lack parts of it.
"""

from typing import Protocol, cast

from zlib_ng import zlib_ng

WBITS: int = zlib_ng.MAX_WBITS
"""For `inflater`: a zlib header; with 16 more a gzip header; negative for neither."""

InflateError = cast(type[Exception], zlib_ng.error)
"""The data is not what its format says. The text of the call is lost with it."""


class Inflater(Protocol):
    """The decompressor of one member: see `zlib.decompressobj`."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes | memoryview, max_length: int = 0, /) -> bytes: ...
    def copy(self) -> "Inflater": ...


def inflater(wbits: int) -> Inflater:
    """A decompressor of the next member."""
    return cast(Inflater, zlib_ng.decompressobj(wbits))
