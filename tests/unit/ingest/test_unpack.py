"""Encodings are undone in bounded memory, and what is not what it says is refused."""

import gzip
import tracemalloc
import zlib
from random import Random

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest import unpack
from functions.shared.errors import HttpError


def raw_deflate(data: bytes) -> bytes:
    step = zlib.compressobj(wbits=-15)
    return step.compress(data) + step.flush()


ENCODERS = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    " Deflate ": raw_deflate,
    "zstd": zstd.compress,
}


def decoded(body: bytes, encoding: str) -> bytes:
    return b"".join(unpack.chunks(body, encoding))


def refusal(body: bytes, encoding: str) -> HttpError:
    with pytest.raises(HttpError) as caught:
        decoded(body, encoding)
    return caught.value


@pytest.mark.parametrize("encoding", ENCODERS)
@given(data=st.binary(max_size=5000))
def test_encoded_data_is_decoded_unchanged(encoding: str, data: bytes) -> None:
    assert decoded(ENCODERS[encoding](data), encoding) == data


@pytest.mark.parametrize("name", ["gzip,deflate", "GZIP, deflate"])
def test_an_encoding_that_names_two_is_the_one_that_the_body_has(name: str) -> None:
    """graypy's header, for a body that is either."""
    for wbits in (31, 15, -15):
        assert decoded(zlib.compress(b"text", wbits=wbits), name) == b"text"
    assert refusal(gzip.compress(b"text")[:-4], name).status == 400


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_members_that_follow_one_another_are_one_body(encoding: str) -> None:
    encode = ENCODERS[encoding]
    assert decoded(encode(b"one ") + encode(b"two"), encoding) == b"one two"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", " Deflate ", "zstd"])
def test_a_body_of_some_hundred_members_is_read_and_one_of_too_many_is_400(encoding: str) -> None:
    member = ENCODERS[encoding](b'{"message":"a"}\n')
    assert decoded(member * unpack.MAX_MEMBERS, encoding) == b'{"message":"a"}\n' * unpack.MAX_MEMBERS
    refused = refusal(member * (unpack.MAX_MEMBERS + 1), encoding)
    assert (refused.status, refused.code) == (400, "invalid_encoding")
    assert str(unpack.MAX_MEMBERS) in refused.message


def test_skippable_frames_are_skipped_and_count_as_members() -> None:
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    body = skippable * (unpack.MAX_MEMBERS - 1) + zstd.compress(b"one")
    assert decoded(body, "zstd") == b"one"
    assert refusal(skippable + body, "zstd").code == "invalid_encoding"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", " Deflate ", "zstd"])
def test_members_longer_than_what_is_fed_at_once_follow_one_another(encoding: str) -> None:
    parts = [Random(size).randbytes(size) for size in (unpack.FEED_BYTES * 3, 1, unpack.FEED_BYTES, 200_000)]
    assert decoded(b"".join(map(ENCODERS[encoding], parts)), encoding) == b"".join(parts)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_many_small_members_arrive_in_few_pieces(encoding: str) -> None:
    body = ENCODERS[encoding](b"x" * 5000) * 1000
    pieces = list(unpack.chunks(body, encoding))
    assert sum(map(len, pieces)) == 5_000_000
    assert len(pieces) <= 5
    assert max(map(len, pieces)) < 2 * unpack.CHUNK_BYTES


@pytest.mark.parametrize("encoding", ["br", "snappy", "gzip, zstd", "compress"])
def test_an_encoding_we_do_not_speak_is_415(encoding: str) -> None:
    assert (refusal(b"x", encoding).status, refusal(b"x", encoding).code) == (415, "unsupported_encoding")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_body_that_is_not_what_it_says_is_400(encoding: str) -> None:
    whole = ENCODERS[encoding](b"hello " * 1000)
    for broken in (b"not at all", whole[:-5], whole[: len(whole) // 2]):
        assert refusal(broken, encoding).status == 400


def test_a_body_larger_than_4_mib_on_the_wire_is_413() -> None:
    assert refusal(b"x" * (unpack.MAX_WIRE_BYTES + 1), "").code == "payload_too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_cut_off_while_it_streams(encoding: str) -> None:
    bomb = ENCODERS[encoding](b"\0" * (unpack.MAX_DECODED_BYTES + 1))
    tracemalloc.start()
    refused = 0
    try:
        for _ in unpack.chunks(bomb, encoding):
            pass
    except HttpError as refusal:
        refused = refusal.status
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused == 413
    assert peak_bytes < 16 * 1024 * 1024


def test_a_frame_that_claims_a_huge_window_is_refused() -> None:
    options = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    body = zstd.ZstdCompressor(options=options).compress(b"x" * 100_000, zstd.ZstdCompressor.FLUSH_BLOCK)
    assert refusal(body, "zstd").status == 400
