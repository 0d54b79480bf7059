"""zstd frames undone in bounded memory: whoever can write into a bucket can leave a bomb there."""

from backports import zstd

from functions.shared.errors import PermanentError

MAX_WINDOW_LOG = 24
"""16 MB, eight times what our own frames need; a frame may ask for 128 before it holds anything."""


MAX_FRAMES = 4096
"""Ingest writes one for each megabyte; empty ones cost memory and time too."""


class DecodedTooLargeError(PermanentError):
    """There is more in the frames than may be held."""


def decoded(frames: bytes, max_bytes: int) -> bytes:
    """What is in `frames`, any number of them up to MAX_FRAMES.

    Raises
    ------
    DecodedTooLargeError: it is more than `max_bytes`, or there are more frames.
    zstd.ZstdError: it is no zstd, or cut off, or a frame needs too large a window.
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
    """What is in `frame`; one byte more than `max_bytes` shows that there is more."""
    step = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG})
    return step.decompress(frame, max_bytes + 1)
