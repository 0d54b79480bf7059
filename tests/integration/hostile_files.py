"""Hostile files, made from a seed: each format and compression, broken in every place."""

import bz2
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

from tests.integration.hostile_bodies import EVIL_VALUES, mutated, small_body
from tests.integration.sent_body import Sent

ENDS = ["log", "gz", "csv", "json", "parquet", "bz2", "zst", "x" * 50, "é", ""]


def files(seed: int, count: int) -> Iterator[Sent]:
    """`count` small files, each with the name that it is put under."""
    random = Random(seed)
    for number in range(count):
        made, body = random.choice(_MAKERS)(random)
        if random.random() < 0.4:
            made, body = f"{made}, mutated", mutated(random, body)
        for _ in range(random.choice([0, 0, 1, 1, 2])):
            compression, compress = random.choice(_COMPRESSIONS)
            made, body = f"{made}, {compression}", compress(body)
            if random.random() < 0.3:
                made, body = f"{made}, mutated", mutated(random, body)
        yield Sent(f"{number}.{random.choice(ENDS)}", body or b"\n", {"made": made})


def _json_lines(random: Random) -> tuple[str, bytes]:
    lines = [b'{"message":"a","x":%b}' % random.choice(EVIL_VALUES) for _ in range(random.randrange(1, 30))]
    return "JSON lines", b"\n".join(lines)


def _as_body(random: Random) -> tuple[str, bytes]:
    return "a body of drain", small_body(random).body


def _csv(random: Random) -> tuple[str, bytes]:
    header = random.choice(
        [b"time,level,message", b"a,a,a", b'"a\nb",c,message', b",,,", b"message" + b",x" * 2000]
    )
    cell = random.choice(
        [b"x", b'"a""b"', b'"open', b"", b"1e999", b"\0", b"\xff", b"2026-11-01 10:00:00", b'"\n"']
    )
    row = b",".join([cell] * random.choice([1, 3, 3, 3, 2000]))
    return "CSV", b"\n".join([header] + [row] * random.randrange(1, 20))


def _json_document(random: Random) -> tuple[str, bytes]:
    value = random.choice(EVIL_VALUES)
    return "a JSON document", random.choice(
        [b'{"Records":[%b,{"eventTime":%b}]}', b'{"a":%b,"b":[%b]}', b"[[%b],[%b]]", b'{"events":[%b,%b'],
    ) % (value, value)


def _parquet(random: Random) -> tuple[str, bytes]:
    rows = random.choice([0, 1, 50])
    columns = {
        "message": pa.array(
            [random.choice(["a", "", "\0", "é" * 50, None]) for _ in range(rows)], pa.string()
        ),
        "timestamp": pa.array(
            [random.choice([None, 0, 2**62, -(2**62)]) for _ in range(rows)], pa.timestamp("ns")
        ),
        "n": pa.array(
            [random.choice([None, float("nan"), float("inf"), 1e300]) for _ in range(rows)], pa.float64()
        ),
        "raw": pa.array([random.choice([None, b"\xff\0"]) for _ in range(rows)], pa.binary()),
        "deep": pa.array([[[json.dumps(n)]] for n in range(rows)], pa.list_(pa.list_(pa.string()))),
    }
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written, compression=random.choice(["none", "zstd", "gzip", "snappy"]))
    return "Parquet", written.getvalue()


def _lines(random: Random) -> tuple[str, bytes]:
    line = random.choice(
        [
            b"a line",
            b"\xff\xfe",
            b"\0" * 50,
            b"#Fields: a b",
            b"\r",
            b"x" * 5000,
            b"[Sun Dec 04 04:47:44 2005] x",
        ]
    )
    return "lines", (line + random.choice([b"\n", b"\r\n", b"\r", b""])) * random.randrange(1, 40)


def _noise(random: Random) -> tuple[str, bytes]:
    head = random.choice(
        [
            b"",
            b"PAR1",
            b"\x1f\x8b\x08",
            b"BZh9",
            b"\x28\xb5\x2f\xfd",
            b"\x50\x2a\x4d\x18",
            b"PK\x03\x04",
            b"\x78\x9c",
        ]
    )
    return "noise", head + random.randbytes(random.randrange(1, 300))


_MAKERS: list[Callable[[Random], tuple[str, bytes]]] = [
    _json_lines, _as_body, _csv, _json_document, _parquet, _parquet, _lines, _noise,
]  # fmt: skip

_COMPRESSIONS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", lambda body: gzip.compress(body, 1, mtime=0)),
    ("gzip members", lambda body: gzip.compress(body, 1, mtime=0) + gzip.compress(b"", mtime=0) * 50),
    ("zstd", lambda body: zstd.compress(body, 1)),
    ("zstd frames", lambda body: zstd.compress(b"") * 50 + zstd.compress(body, 1)),
    ("bzip2", lambda body: bz2.compress(body, 1)),
    ("bzip2 streams", lambda body: bz2.compress(b"") * 50 + bz2.compress(body, 1)),
    ("zlib", zlib.compress),
]
