"""Pushes of Loki, good and hostile, in the wire format that its agents send."""

from collections.abc import Callable

import cramjam

from tests.unit.ingest import hostile
from tests.unit.ingest.otlp_bodies import field

MEBIBYTE = 1024 * 1024
SECOND = 10**9


def varint(number: int) -> bytes:
    digits = b""
    while number >= 0x80:
        digits, number = digits + bytes([number & 0x7F | 0x80]), number >> 7
    return digits + bytes([number])


def entry(nanoseconds: int, line: bytes, **metadata: str) -> bytes:
    """An entry with its structured metadata."""
    time = b"\x08" + varint(nanoseconds // SECOND) + b"\x10" + varint(nanoseconds % SECOND)
    pairs = [field(3, field(1, name.encode()) + field(2, value.encode())) for name, value in metadata.items()]
    return field(2, field(1, time) + field(2, line) + b"".join(pairs))


def stream(labels: str, *entries: bytes) -> bytes:
    return field(1, field(1, labels.encode()) + b"".join(entries))


def compressed(body: bytes) -> bytes:
    """A block of snappy."""
    return bytes(cramjam.snappy.compress_raw(body))


PROTOBUF: dict[str, Callable[[], bytes]] = {
    "empty entries": lambda: stream("{}", field(2, b"") * 30_000_000),
    "empty streams": lambda: field(1, b"") * 30_000_000,
    "streams": lambda: stream('{a="b"}', entry(1, b"")) * 66_000,
    "empty pairs": lambda: stream("{}", *[field(2, field(3, b"") * 9_999)] * 3_000),
    "one entry of pairs": lambda: stream("{}", *[field(2, field(3, b"") * 500_000)] * 60),
    "long labels": lambda: stream('{a="' + "x" * 60_000 + '"}', field(2, b"")) * 1_000,
    "labels of many entries": lambda: stream('{a="' + "x" * 60_000 + '"}', field(2, b"") * 100_000),
    "escapes": lambda: stream('{a="' + "\\x41" * 16_000 + '"}', field(2, b"")) * 900,
    "one label of quotes": lambda: stream("{" + 'a="' * 20_000, field(2, b"")) * 1_000,
}

JSON: dict[str, Callable[[], bytes]] = {
    "values": lambda: b'{"streams":[{"stream":{},"values":[' + b'["1","a"],' * 600_000 + b'["1","a"]]}]}',
    "streams in JSON": lambda: b'{"streams":[' + b"{}," * 900_000 + b"{}]}",
    "commas": lambda: b'{"streams":[' + b"1," * 1_900_000 + b"1]}",
    "wide metadata": lambda: (
        b'{"streams":[{"stream":{},"values":['
        + b",".join([b'["1","a",{' + b'"":1,' * 190_000 + b'"":1}]'] * 10)
        + b"]}]}"
    ),
}


def send(name: str) -> int:
    """The status of the answer."""
    route = "POST /loki/api/v1/push"
    if name in JSON:
        return hostile.send(JSON[name](), route, "application/json")
    return hostile.send(compressed(PROTOBUF[name]()), route, "application/x-protobuf", gzipped=False)
