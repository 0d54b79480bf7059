"""Compressed files, read through and entered again at any place: the same text, byte by byte."""

import bz2
import gzip
import random
import zlib
from collections.abc import Callable

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from functions.uploads.streams.contract import PIECE_BYTES, BrokenFileError, ResumePoint, Stream
from functions.uploads.streams.opening import compression_of, stream_of
from tests.examples import examples
from tests.unit.uploads.samples import gzip_members


class Bytes:
    """A file in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size_bytes = len(data)

    def read(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]


def stream(data: bytes, mark: ResumePoint = ResumePoint()) -> Stream:  # noqa: B008 - frozen
    return stream_of(compression_of(data[:16]), Bytes(data), mark)


def text_of(found: Stream) -> bytes:
    pieces = []
    while piece := found.read():
        assert len(piece) <= PIECE_BYTES
        pieces.append(piece)
    return b"".join(pieces)


def log(size: int, seed: int = 1) -> bytes:
    random_ = random.Random(seed)
    lines = []
    while size > 0:
        line = f"2026-01-01 request {random_.getrandbits(48):x} of user {random_.randrange(9999)} answered\n"
        lines.append(line)
        size -= len(line)
    return "".join(lines).encode()


LOG = log(3_000_000)
HARD = random.Random(3).randbytes(400_000)
EASY = b"\0" * 5_000_000


def flushed(body: bytes) -> bytes:
    """As nginx and others write: a flush after every few lines."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    pieces = [
        compressor.compress(body[at : at + 5000]) + compressor.flush(zlib.Z_SYNC_FLUSH)
        for at in range(0, len(body), 5000)
    ]
    return b"".join(pieces) + compressor.flush()


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    **{f"gzip -{level}": lambda body, level=level: gzip.compress(body, level) for level in (1, 6, 9)},  # type: ignore[misc]
    "gzip, flushed": flushed,
    "gzip members": lambda body: b"".join(
        gzip.compress(body[at : at + 700_000]) for at in range(0, len(body), 700_000)
    ),
    "zstd": lambda body: zstd.compress(body, 3),
    "zstd frames": lambda body: b"".join(
        zstd.compress(body[at : at + 700_000]) for at in range(0, len(body), 700_000)
    ),
    "bzip2": lambda body: bz2.compress(body, 9),
    "none": lambda body: body,
}


@pytest.mark.parametrize("name", COMPRESSORS)
@pytest.mark.parametrize("text", [LOG, HARD, EASY, b"", b"x"], ids=["log", "hard", "easy", "empty", "one"])
def test_what_was_compressed_is_read_whole(name: str, text: bytes) -> None:
    assert text_of(stream(COMPRESSORS[name](text))) == text


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_marked_place_is_found_again(name: str) -> None:
    data = COMPRESSORS[name](LOG)
    random_ = random.Random(name)
    done, mark, hops = 0, ResumePoint(), 0
    while True:
        found, text, at = stream(data, mark), b"", mark.text_at
        wanted = done - at + random_.randrange(1, 600_000)
        while len(text) < wanted and (piece := found.read()):
            text += piece
        end = min(at + len(text), at + wanted)
        assert text[done - at : end - at] == LOG[done:end]
        hops += 1
        if end == len(LOG):
            break
        done, mark = end, found.mark(end)
        assert mark.text_at <= end
    assert hops > 5


def test_the_checksum_of_a_bzip2_stream_counts_from_its_middle_on() -> None:
    text = log(4_000_000, 2)
    data = bytearray(bz2.compress(text, 9))
    found, done = stream(bytes(data)), 0
    while done < 3_000_000:
        done += len(found.read())
    mark = found.mark(done - 500_000)
    assert mark.inside
    assert text_of(stream(bytes(data), mark)) == text[mark.text_at :]
    data[-5] ^= 1
    with pytest.raises(BrokenFileError, match="checksum"):
        text_of(stream(bytes(data), mark))


@pytest.mark.parametrize("name", ["gzip -6", "gzip, flushed", "zstd"])
def test_a_single_member_is_resumed_at_its_beginning(name: str) -> None:
    """No library stores the state of a decompressor."""
    found, done = stream(COMPRESSORS[name](LOG)), 0
    while done < 2_000_000:
        done += len(found.read())
    assert found.mark(done) == ResumePoint()


@pytest.mark.parametrize("name", ["gzip members", "zstd frames"])
def test_several_members_are_resumed_at_the_nearest_beginning(name: str) -> None:
    data = COMPRESSORS[name](LOG)
    found, done = stream(data), 0
    while done < 2_000_000:
        done += len(found.read())
    mark = found.mark(2_000_000)
    assert mark.text_at == 1_400_000
    assert text_of(stream(data, mark)) == LOG[mark.text_at :]


@examples(60)
@given(
    st.binary(max_size=3000),
    st.sampled_from(["gzip -6", "zstd", "bzip2"]),
    st.integers(0, 4000),
    st.integers(0, 255),
)
def test_damage_never_gives_what_comes_after_it(text: bytes, name: str, at: int, byte: int) -> None:
    """Either it is noticed, or the text is whole; nothing but BrokenFileError is raised."""
    data = bytearray(COMPRESSORS[name](text))
    data[at % len(data)] = byte
    try:
        kind = compression_of(bytes(data[:16]))
    except BrokenFileError:
        return
    found, given = stream_of(kind, Bytes(bytes(data)), ResumePoint()), b""
    try:
        while piece := found.read():
            given += piece
    except BrokenFileError:
        return
    assert kind in ("none", "zstd") or given == text


@pytest.mark.parametrize("name", ["gzip -6", "gzip members", "zstd", "bzip2"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_that_is_cut_off_gives_what_comes_before(name: str, share: float) -> None:
    data = COMPRESSORS[name](LOG)
    found, given, code = stream(data[: int(len(data) * share)]), b"", ""
    try:
        while piece := found.read():
            given += piece
    except BrokenFileError as fault:
        code = fault.code
    assert code == "truncated"
    assert LOG.startswith(given)
    assert len(given) > (share - 0.4) * len(LOG)


def test_members_of_nothing_are_nothing() -> None:
    assert text_of(stream(gzip.compress(b"") * 3 + gzip_members(b"xy") + gzip.compress(b""))) == b"xy"
    assert text_of(stream(zstd.compress(b"") + zstd.compress(b"x"))) == b"x"
