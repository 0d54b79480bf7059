"""Decompress zstd frames in bounded memory: a bucket that others can write to may contain a zip bomb."""

from backports import zstd

from functions.shared.errors import PermanentError

MAX_WINDOW_LOG = 24
"""16 MB, eight times what our own frames need; a frame could request 128 MB before it holds any data."""


MAX_FRAMES = 4096
"""Ingest writes one frame per megabyte; even empty frames cost memory and time."""


class DecodedTooLargeError(PermanentError):
    """The frames decompress to more than the limit."""


def decoded(frames: bytes, max_bytes: int) -> bytes:
    """Decompress `frames`, at most MAX_FRAMES.

    Raises
    ------
    DecodedTooLargeError: more than `max_bytes`, or more than MAX_FRAMES.
    zstd.ZstdError: not zstd, truncated, or a frame needs too large a window.
    """
    pieces: list[bytes] = []
    left, rest = max_bytes, memoryview(frames)
    while rest:
        size_bytes = zstd.get_frame_size(rest)
        pieces.append(_one(rest[:size_bytes], left))
        left -= len(pieces[-1])
        if left < 0 or len(pieces) > MAX_FRAMES:
            raise DecodedTooLargeError("the frames hold too much")
        rest = rest[size_bytes:]
    return b"".join(pieces)


def _one(frame: memoryview, max_bytes: int) -> bytes:
    """Decompress `frame`; a result of `max_bytes` plus one byte means that there is more."""
    step = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG})
    return step.decompress(frame, max_bytes + 1)
