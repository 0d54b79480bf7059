"""Hostile bodies that are large, or become large when they are decompressed; each is made once."""

import json
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from backports import zstd

from tests.integration.hostile_costly_bodies import COSTLY
from tests.integration.sent_body import MEBIBYTE, Sent


def _large(name: str, make: Callable[[], bytes], **headers: str) -> Callable[[], Sent]:
    named = {header.replace("_", "-"): text for header, text in headers.items()}
    return cache(lambda: Sent(name, make(), named))


def _compressed(step: Any, piece: bytes, times: int, head: bytes = b"", tail: bytes = b"") -> bytes:
    """`piece` repeated, compressed as it is made."""
    parts = [step.compress(head), *(step.compress(piece) for _ in range(times)), step.compress(tail)]
    return b"".join([*parts, step.flush()])


def _gzip() -> Any:
    return zlib.compressobj(9, wbits=31)


_TINY = b'{"message":""}'
_LINE = b'{"message":"%b"}\n' % (b"x" * 1000)
_NDJSON = "application/x-ndjson"

LARGE = [
    _large("arrays 100,000 deep", lambda: b"[" * 100_000 + b"]" * 100_000),
    _large(
        "objects 100,000 deep",
        lambda: b'[{"message":"a","metadata":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_002,
    ),
    _large(
        "arrays 100,000 deep in metadata",
        lambda: b'[{"message":"a","metadata":{"a":%b%b}}]' % (b"[" * 100_000, b"]" * 100_000),
    ),
    _large(
        "arrays 100,000 deep on a line",
        lambda: b'{"message":"a","x":%b%b}\n' % (b"[" * 100_000, b"]" * 100_000),
        content_type=_NDJSON,
    ),
    _large(
        "100,000 keys",
        lambda: json.dumps(
            [{"message": "a", "metadata": {f"{n:x}": 1 for n in range(100_000)}}], separators=(",", ":")
        ).encode(),
    ),
    _large(
        "100,000 keys at the root",
        lambda: json.dumps([{"message": "a", **{f"k{n}": n for n in range(80_000)}}]).encode(),
    ),
    _large(
        "a key 100,000 times", lambda: b'[{"message":"a","metadata":{%b}}]' % b",".join([b'"a":1'] * 100_000)
    ),
    _large("2,000,000 numbers", lambda: b"[" + b"1," * 1_999_999 + b"1]"),
    _large("1,000,000 empty objects", lambda: b"[" + b"{}," * 999_999 + b"{}]"),
    _large("200,000 tiny events", lambda: b"[" + b",".join([_TINY] * 200_000) + b"]"),
    _large("4,000,000 empty lines", lambda: b"\n" * 4_000_000, content_type=_NDJSON),
    _large("1,300,000 bad lines", lambda: b"{}\n" * 1_300_000, content_type=_NDJSON),
    _large("a message of 4 MB", lambda: b'[{"message":"%b"}]' % (b"x" * 4_000_000)),
    _large("4 MB of escapes", lambda: b'[{"message":"%b"}]' % (rb"\u0000" * 600_000)),
    _large("a number of 4,000,000 digits", lambda: b'[{"message":"a","timestamp":%b}]' % (b"9" * 4_000_000)),
    _large("4 MB of quotes", lambda: b'"' * 4_000_000),
    _large("4 MB of backslashes", lambda: b'[{"message":"' + b"\\" * 4_000_000),
    _large("4 MB of half pairs", lambda: b'[{"message":"%b"}]' % (rb"\ud800" * 600_000)),
    _large("4 MB of white space", lambda: b" " * 4_000_000 + b"[]"),
    _large("more than 4 MiB", lambda: b'[{"message":"%b"}]' % (b"x" * 4 * MEBIBYTE)),
    _large(
        "a gzip bomb of zeros", lambda: _compressed(_gzip(), bytes(MEBIBYTE), 200), content_encoding="gzip"
    ),
    _large(
        "a deflate bomb",
        lambda: _compressed(zlib.compressobj(9), b" " * MEBIBYTE, 200),
        content_encoding="deflate",
    ),
    _large(
        "a zstd bomb",
        lambda: _compressed(zstd.ZstdCompressor(3), bytes(MEBIBYTE), 500),
        content_encoding="zstd",
    ),
    _large(
        "a zstd bomb of many frames", lambda: zstd.compress(bytes(MEBIBYTE)) * 500, content_encoding="zstd"
    ),
    _large(
        "a bomb of one string",
        lambda: _compressed(_gzip(), b"x" * MEBIBYTE, 60, b'[{"message":"', b'"}]'),
        content_encoding="gzip",
    ),
    _large("a bomb of brackets", lambda: _compressed(_gzip(), b"[" * MEBIBYTE, 60), content_encoding="gzip"),
    _large(
        "a bomb of numbers",
        lambda: _compressed(_gzip(), b"1," * 500_000, 50, b"[", b"1]"),
        content_encoding="gzip",
    ),
    _large(
        "a bomb of tiny events",
        lambda: _compressed(_gzip(), _TINY * 1000, 4000),
        content_encoding="gzip",
        content_type=_NDJSON,
    ),
    _large(
        "a bomb of empty lines",
        lambda: _compressed(_gzip(), b"\n" * MEBIBYTE, 60),
        content_encoding="gzip",
        content_type=_NDJSON,
    ),
    _large(
        "60 MB of good lines",
        lambda: _compressed(_gzip(), _LINE * 1000, 59),
        content_encoding="gzip",
        content_type=_NDJSON,
    ),
    _large(
        "60 MB of good lines, cut off",
        lambda: _compressed(_gzip(), _LINE * 1000, 59)[:-9],
        content_encoding="gzip",
        content_type=_NDJSON,
    ),
    _large(
        "20 MB of events in an array",
        lambda: _compressed(_gzip(), _LINE.replace(b"\n", b",") * 1000, 19, b"[", _TINY + b"]"),
        content_encoding="gzip",
    ),
    _large(
        "a zstd frame of a huge window",
        lambda: b"\x28\xb5\x2f\xfd\x00\xff" + b"\0" * 100,
        content_encoding="zstd",
    ),
    *COSTLY.values(),
]
