"""Content-Encoding undone, in bounded memory and time: a bomb is cut off while it streams.

Bodies arrive as at most MAX_WIRE_BYTES (past that the answer is 413), hold at most MAX_MEMBERS compressed
members and decode to at most MAX_DECODED_BYTES, in chunks of CHUNK_BYTES. Time grows with the body and with
what it decodes to, and with nothing else: a decompressor copies what is left of its input when its member
ends, so it is given FEED_BYTES at a time.
"""

from collections.abc import Generator, Iterator
from typing import Protocol

from backports import zstd

from functions.shared.errors import HttpError
from functions.shared.inflate import WBITS, InflateError, inflater

MAX_WIRE_BYTES = 4 * 1024 * 1024
MAX_DECODED_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
FEED_BYTES = 64 * 1024

MAX_MEMBERS = 2000
"""The limit for gzip, zlib or deflate members or zstd frames, empty and skippable ones too.
BGZF, which has the smallest members of the formats in use, makes 1,029 of MAX_DECODED_BYTES."""

ZSTD_WINDOW_LOG = 23
"""8 MiB, what RFC 8878 asks decoders to support: a frame may otherwise claim 128 MiB for itself."""


_EITHER = "gzip,deflate"
"""graypy names both and sends one of them."""

_GZIP = b"\x1f\x8b"


class _Decompressor(Protocol):
    """What both have. zlib-ng's hands input back as `unconsumed_tail`, zstd's says `needs_input`."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes | memoryview, max_length: int, /) -> bytes: ...


def chunks(body: bytes, encoding: str) -> Iterator[bytes]:
    """The decoded body, in pieces of CHUNK_BYTES or a little more; only the last may be shorter.

    Raises
    ------
    HttpError: 413 too large, 415 for an encoding we do not speak, 400 when the body is not what its
    encoding says or has too many members. May come after some pieces.
    """
    if len(body) > MAX_WIRE_BYTES:
        raise HttpError(413, "payload_too_large", "The body is larger than 4 MiB: send smaller batches.")
    name = encoding.replace(" ", "").lower()
    if name == _EITHER:
        name = "gzip" if body.startswith(_GZIP) else "deflate"
    if name in ("", "identity"):
        return iter((body,))
    if name not in ("gzip", "x-gzip", "deflate", "zstd"):
        raise HttpError(
            415, "unsupported_encoding", "Content-Encoding must be identity, gzip, deflate or zstd."
        )
    return _gathered(_capped(_undo(body, name)))


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Few pieces instead of many small ones: the reader looks again at what it has with each that comes."""
    held, held_bytes = list[bytes](), 0
    for piece in pieces:
        held.append(piece)
        held_bytes += len(piece)
        if held_bytes >= CHUNK_BYTES:
            yield b"".join(held)
            held, held_bytes = [], 0
    if held:
        yield b"".join(held)


def _capped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MAX_DECODED_BYTES:
            raise HttpError(413, "payload_too_large", "The body decodes to more than 64 MB.")
        yield piece


def _undo(body: bytes, name: str) -> Iterator[bytes]:
    """Members and frames may follow one another: gzip and zstd both allow it."""
    rest = memoryview(body)
    members = 0
    while rest:
        members += 1
        if members > MAX_MEMBERS:
            raise HttpError(
                400,
                "invalid_encoding",
                f"The body has more than {MAX_MEMBERS} {name} members: compress the whole batch as one.",
            )
        try:
            used_bytes = yield from _member(_decompressor(name, rest), rest)
        except (InflateError, zstd.ZstdError, EOFError) as fault:
            raise HttpError(400, "invalid_encoding", f"The body is not valid {name}.") from fault
        if not used_bytes:
            raise HttpError(400, "invalid_encoding", f"The body ends in the middle of its {name} stream.")
        rest = rest[used_bytes:]


def _member(step: _Decompressor, rest: memoryview) -> Generator[bytes, None, int]:
    """What the member holds that `rest` begins with; returns how long it is, or 0 when it does not end."""
    fed_bytes = 0
    data: bytes | memoryview = b""
    while True:
        is_hungry = getattr(step, "needs_input", not data)
        if is_hungry:
            data = rest[fed_bytes : fed_bytes + FEED_BYTES]
            fed_bytes += len(data)
        piece = step.decompress(data, CHUNK_BYTES)
        if piece:
            yield piece
        if step.eof:
            return fed_bytes - len(step.unused_data)
        if not piece and not (is_hungry and data):
            return 0
        data = getattr(step, "unconsumed_tail", b"")


def _decompressor(name: str, data: memoryview) -> _Decompressor:
    if name == "zstd":
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})
    if name == "deflate":
        return inflater(WBITS if _has_zlib_header(data) else -WBITS)
    return inflater(WBITS | 16)


def _has_zlib_header(data: memoryview) -> bool:
    """RFC 1950's two bytes; some senders put raw RFC 1951 under the same name."""
    return len(data) >= 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
