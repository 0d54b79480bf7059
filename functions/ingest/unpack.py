"""Content-Encoding undone, in bounded memory: a bomb is cut off while it streams.

Bodies arrive as at most MAX_WIRE_BYTES (past that the answer is 413) and decode to at most
MAX_DECODED_BYTES, in chunks of CHUNK_BYTES.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

from backports import zstd

from functions.shared.errors import RefusalError

MAX_WIRE_BYTES = 4 * 1024 * 1024
MAX_DECODED_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024

ZSTD_WINDOW_LOG = 23
"""8 MiB, what RFC 8878 asks decoders to support: a frame may otherwise claim 128 MiB for itself."""


class _Decompressor(Protocol):
    """What zlib's and zstd's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def chunks(body: bytes, encoding: str) -> Iterator[bytes]:
    """The decoded body, piece by piece.

    Raises
    ------
    RefusalError: 413 too large, 415 for an encoding we do not speak, 400 when the body is not what its
    encoding says. May come after some pieces.
    """
    if len(body) > MAX_WIRE_BYTES:
        raise RefusalError(413, "payload_too_large", "The body is larger than 4 MiB: send smaller batches.")
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return iter((body,))
    if name not in ("gzip", "x-gzip", "deflate", "zstd"):
        raise RefusalError(
            415, "unsupported_encoding", "Content-Encoding must be identity, gzip, deflate or zstd."
        )
    return _capped(_undo(body, name))


def _capped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MAX_DECODED_BYTES:
            raise RefusalError(413, "payload_too_large", "The body decodes to more than 64 MB.")
        yield piece


def _undo(body: bytes, name: str) -> Iterator[bytes]:
    """Members and frames may follow one another: gzip and zstd both allow it."""
    rest = body
    while rest:
        step = _decompressor(name, rest)
        try:
            yield from _drain(step, rest)
        except (zlib.error, zstd.ZstdError, EOFError) as fault:
            raise RefusalError(400, "invalid_encoding", f"The body is not valid {name}.") from fault
        if not step.eof:
            raise RefusalError(400, "invalid_encoding", f"The body ends in the middle of its {name} stream.")
        rest = step.unused_data


def _drain(step: _Decompressor, data: bytes) -> Iterator[bytes]:
    piece = step.decompress(data, CHUNK_BYTES)
    while piece:
        yield piece
        if step.eof:
            return
        piece = step.decompress(getattr(step, "unconsumed_tail", b""), CHUNK_BYTES)


def _decompressor(name: str, data: bytes) -> _Decompressor:
    if name == "zstd":
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})
    if name == "deflate":
        return zlib.decompressobj(zlib.MAX_WBITS if _has_zlib_header(data) else -zlib.MAX_WBITS)
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950's two bytes; some senders put raw RFC 1951 under the same name."""
    return len(data) >= 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
