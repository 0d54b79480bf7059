"""Hostile bodies that cost little to send and once cost much to judge; each is made once.

Nearly all decode to as much as a request may hold, of what takes the slowest way through the code.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from backports import zstd

from tests.integration.sent_body import MEBIBYTE, Sent

NDJSON = "application/x-ndjson"
MOST_EVENTS = 199_999
EMPTY_FRAME = zstd.compress(b"")
SKIPPABLE_FRAME = b"\x50\x2a\x4d\x18" + bytes(4)


def repeated(piece: bytes, times: int, head: bytes = b"", tail: bytes = b"") -> bytes:
    """`head`, `times` times `piece` and `tail`, as one gzip member, never decoded in memory."""
    step: Any = zlib.compressobj(1, wbits=31)
    many = max(1, MEBIBYTE // len(piece))
    parts = [step.compress(head)]
    parts += [step.compress(piece * many) for _ in range(times // many)]
    parts += [step.compress(piece * (times % many)), step.compress(tail), step.flush()]
    return b"".join(parts)


def _lines(piece: bytes, times: int) -> tuple[bytes, dict[str, str]]:
    return repeated(piece + b"\n", times), {"content-encoding": "gzip", "content-type": NDJSON}


def _array(piece: bytes, times: int, last: bytes = b"1") -> tuple[bytes, dict[str, str]]:
    return repeated(piece + b",", times, b"[", last + b"]"), {"content-encoding": "gzip"}


def _encoded(encoding: str, body: bytes) -> tuple[bytes, dict[str, str]]:
    return body, {"content-encoding": encoding}


def _metadata(text: bytes, *more: bytes) -> bytes:
    """An event that is not ordinary, so that it is judged alone, whose metadata holds `text`."""
    return b'{%b,"metadata":{"a":%b}}' % (b",".join([b'"message":"a","x":1', *more]), text)


def _list(element: bytes, times: int) -> bytes:
    return b"[%b%b]" % ((element + b",") * (times - 1), element)


def _fields(count: int, value: bytes) -> bytes:
    return b",".join(b'"%c%c":%b' % (97 + n % 26, 97 + n // 26, value) for n in range(count))


_MAKERS: dict[str, Callable[[], tuple[bytes, dict[str, str]]]] = {
    "500,000 empty deflate members": lambda: _encoded("deflate", b"\x03\x00" * 500_000),
    "500,000 empty zlib members": lambda: _encoded("deflate", zlib.compress(b"") * 500_000),
    "200,000 empty gzip members": lambda: _encoded("gzip", gzip.compress(b"", mtime=0) * 200_000),
    "450,000 empty zstd frames": lambda: _encoded("zstd", EMPTY_FRAME * 450_000),
    "500,000 skippable zstd frames": lambda: _encoded("zstd", SKIPPABLE_FRAME * 500_000),
    "800,000 empty stored blocks": lambda: _encoded("deflate", b"\0\0\0\xff\xff" * 800_000),
    "1,999 empty gzip members before a long one": lambda: _encoded(
        "gzip",
        gzip.compress(b"", mtime=0) * 1999 + gzip.compress(Random(20261129).randbytes(3_900_000), mtime=0),
    ),
    "1,999 empty zstd frames before a long one": lambda: _encoded(
        "zstd", EMPTY_FRAME * 1999 + zstd.compress(Random(20261129).randbytes(3_900_000))
    ),
    "4,000,000 lines of a digit": lambda: _lines(b"1", 4_000_000),
    "33,000,000 lines of a digit": lambda: _lines(b"1", 33_000_000),
    "66,000,000 empty lines": lambda: _lines(b"", 66_000_000),
    "33,000,000 blank lines": lambda: _lines(b" ", 33_000_000),
    "11,000,000 half pairs": lambda: _lines(b'{"message":"%b"}' % (rb"\ud800" * 100_000), 110),
    "a timestamp that looks like many": lambda: (
        b'{"message":"a","timestamp":%b}' % json.dumps("1T000000.0 " * 350_000 + "\nx").encode(),
        {},
    ),
    "a string of 8 MB in metadata": lambda: (
        repeated(b"x" * 1000, 8_300, b'{"message":"a","x":1,"metadata":{"a":"', b'"}}'),
        {"content-encoding": "gzip"},
    ),
    "strings of 1 MB in metadata": lambda: _lines(_metadata(b'"%b"' % (b"x" * 1_000_000)), 66),
    "escapes of 1 MB in metadata": lambda: _lines(_metadata(b'"%b"' % (rb"\\" * 500_000)), 66),
    "30,000,000 numbers in metadata": lambda: _lines(_metadata(_list(b"1", 149_000)), 220),
    "20,000,000 empty arrays in metadata": lambda: _lines(_metadata(_list(b"[]", 149_000)), 149),
    "arrays 190 deep in metadata": lambda: _lines(_metadata(_list(b"[" * 190 + b"]" * 190, 2_500)), 69),
    "arrays 5 deep in metadata": lambda: _lines(_metadata(_list(b"[" * 5 + b"]" * 5, 90_000)), 66),
    "a level of 1 MB": lambda: _lines(b'{"message":"a","level":"%b"}' % (b"x" * 1_000_000), 66),
    "line breaks in metadata": lambda: _array(
        b'{"message":"a","x":1,"metadata":{%b"b":1}}' % (b'"a":1,\n' * 140_000), 67
    ),
    "numbers of 1 MB": lambda: _array(_metadata(b"1" * 1_000_000), 66),
    "numbers beyond every float": lambda: _lines(_metadata(_list(b"1e400", 149_000)), 74),
    "a key 10,000,000 times": lambda: _lines(
        b'{"message":"a","x":1,"metadata":{%b"b":1}}' % (b'"a":1,' * 149_000), 74
    ),
    "200,000 events, each field odd": lambda: _lines(
        b'{"message":"a","x":1,"metadata":{"a":1},"timestamp":"1","level":"zzz","trace_id":5,"span_id":5}',
        MOST_EVENTS,
    ),
    "200,000 events of 40 unknown fields": lambda: _lines(
        b'{"message":"a","level":"z",%b}' % _fields(40, b"1"), MOST_EVENTS
    ),
    "200,000 events of 35 unknown fields and line breaks": lambda: _array(
        b'{"message":"a","level":"z",%b}' % _fields(35, b"\n1"), MOST_EVENTS
    ),
    "200,000 events 130 deep": lambda: _array(
        b'{"message":"a","level":"z","metadata":{"a":%b%b}}' % (b"[" * 130, b"]" * 130), MOST_EVENTS
    ),
    "150,000 events 190 deep": lambda: _array(_metadata(b"[" * 190 + b"]" * 190), 155_000),
    "200,000 events, each rejected at last": lambda: _array(
        b'{"metadata":{"a":1},"timestamp":"2026-01-01T00:00:00+99:99","x":1,"message":"a"}', MOST_EVENTS
    ),
    "200,000 values that are no JSON": lambda: _array(b"NaN", MOST_EVENTS),
    "390,000 numbers and one that is none": lambda: _array(b"1", 390_000, b"NaN"),
    "elements of 2 MB": lambda: _array(b'{"message":"%b"}' % (b"x" * 1_900_000), 35),
    "3,400 elements of 9,000 numbers": lambda: _array(b'{"a":%b}' % _list(b"1", 9_000), 3_600),
    "64 MB of white space in an array": lambda: (
        repeated(b" ", 66_000_000, b"[1", b",1]"),
        {"content-encoding": "gzip"},
    ),
    "64 MB that are not UTF-8": lambda: _lines(b'{"message":"\xff%b"}' % (b"x" * 1000), 64_000),
    "64 MB under an Idempotency-Key": lambda: (
        repeated(b'{"message":"%b"}\n' % (b"x" * 1000), 64_000),
        {"content-encoding": "gzip", "content-type": NDJSON, "idempotency-key": "costly"},
    ),
}


def _made(name: str) -> Callable[[], Sent]:
    return cache(lambda: Sent(name, *_MAKERS[name]()))


COSTLY = {name: _made(name) for name in _MAKERS}
