"""Hostile files by form: small to send, made to cost memory or time to read; and one of them read, measured.

`read` runs in a process of its own (tests/measured.py): what it costs is what the function would pay.
"""

import bz2
import gzip
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from backports import zstd

MB = 1024 * 1024

EMPTY_GZIP = gzip.compress(b"", 9, mtime=0)
EMPTY_BZIP2 = bz2.compress(b"")
EMPTY_ZSTD = zstd.compress(b"")
SKIPPABLE_ZSTD = b"\x50\x2a\x4d\x18" + bytes(4)


class FileRanges:
    """A file on disk as the Ranges of one in a bucket."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size_bytes = path.stat().st_size

    def read(self, start: int, length: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(length)


class Nowhere:
    """A bucket that accepts all objects and keeps none."""

    def create(self, _key: str, body: bytes, _attributes: Mapping[str, str] | None = None) -> str:
        return str(len(body))

    def under(self, _prefix: str) -> tuple[()]:
        return ()

    def delete(self, _keys: list[str]) -> None:
        """There is nothing."""


class Unwritten:
    """A register that agrees."""

    def note(self, file: Any, *, keeps_lease: bool) -> Any:
        return replace(file, lease_until=int(keeps_lease))


class OpenGate:
    """An account without a cap."""

    def halt(self) -> None:
        """Reading may go further."""

    def staged(self, raw_bytes: int) -> None:
        """Nothing counts."""


def read(path: str) -> dict[str, Any]:
    """Read the file at `path` as the function does; its status."""
    # All of the function's modules count towards its memory.
    from functions.shared.buckets.contract import Bucket
    from functions.shared.buckets.drop_bucket import DroppedFile
    from functions.shared.tenancy import TenantId
    from functions.uploads import dropin
    from functions.uploads.file_reader import FileReader
    from functions.uploads.files import File
    from functions.uploads.register import UploadRegister

    assert dropin.FUNCTION
    ranges = FileRanges(Path(path))
    dropped = DroppedFile("drop", "dropin/v1/tenant=acme/x", "e", ranges.size_bytes)
    file = File(TenantId("acme"), "u", dropped, datetime(2026, 11, 2, tzinfo=UTC), "shop", 30, "keep")
    bucket, register = cast(Bucket, Nowhere()), cast(UploadRegister, Unwritten())
    reading = FileReader(file, ranges, bucket, register, OpenGate(), lambda: 1e9)
    assert reading.run()
    read = reading.file
    return {"state": read.state, "code": read.code, "rows": read.rows, "refused": read.refused}


def zeros(size: int, piece: bytes = bytes(MB)) -> bytes:
    """`size` bytes of `piece` over and over, as one gzip member."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [compressor.compress(piece) for _ in range(size // len(piece))]
    return b"".join((*pieces, compressor.flush()))


def zstd_zeros(size: int, piece: bytes = bytes(MB)) -> bytes:
    compressor = zstd.ZstdCompressor(1)
    pieces = [compressor.compress(piece) for _ in range(size // len(piece))]
    return b"".join((*pieces, compressor.flush()))


def bzip2_zeros(size: int, piece: bytes = bytes(MB)) -> bytes:
    compressor = bz2.BZ2Compressor(9)
    pieces = [compressor.compress(piece) for _ in range(size // len(piece))]
    return b"".join((*pieces, compressor.flush()))


def gzip_with_header(extra: int, name: int) -> bytes:
    """A gzip member whose header has an extra field and a name of so many bytes."""
    head = b"\x1f\x8b\x08\x0c" + bytes(6) + struct.pack("<H", extra) + b"x" * extra + b"n" * name + b"\0"
    return head + EMPTY_GZIP[10:]


def many(member: bytes, size: int) -> bytes:
    return member * (size // len(member))


LINE = b"2026-01-02 03:04:05,678 INFO a line before\n"


GZIP: dict[str, Callable[[], bytes]] = {
    "empty members": lambda: gzip.compress(LINE) + many(EMPTY_GZIP, MB),
    "members of one byte": lambda: gzip.compress(LINE) + many(gzip.compress(b"\n", 9, mtime=0), MB),
    "members of one letter": lambda: gzip.compress(LINE) + many(gzip.compress(b"x", 9, mtime=0), MB),
    "empty stored blocks": lambda: (
        b"\x1f\x8b\x08" + bytes(7) + many(b"\0\0\0\xff\xff", MB) + b"\1\0\0\xff\xff" + bytes(8)
    ),
    "members with long names": lambda: many(gzip_with_header(60_000, 60_000), MB),
    "a name without end": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * MB,
    "100 MB of zeros": lambda: zeros(100 * MB),
    "200 MB of newlines": lambda: zeros(200 * MB, b"\n" * MB),
    "gzip in gzip": lambda: gzip.compress(gzip.compress(zeros(100 * MB))),
}
ZSTD: dict[str, Callable[[], bytes]] = {
    "empty frames": lambda: zstd.compress(LINE) + many(EMPTY_ZSTD, MB),
    "frames of one byte": lambda: zstd.compress(LINE) + many(zstd.compress(b"\n"), MB),
    "skippable frames": lambda: zstd.compress(LINE) + many(SKIPPABLE_ZSTD, MB),
    "empty blocks": lambda: b"\x28\xb5\x2f\xfd\0\x58" + many(bytes(3), MB) + b"\1\0\0",
    "a window of 2 GB": lambda: b"\x28\xb5\x2f\xfd\0" + bytes((21 << 3,)) + b"\1\0\0" * 20,
    "a window of 128 MB": lambda: zstd_window(17, 160 * MB),
    "200 MB of zeros": lambda: zstd_zeros(200 * MB),
    "400 MB of newlines": lambda: zstd_zeros(400 * MB, b"\n" * MB),
}
BZIP2: dict[str, Callable[[], bytes]] = {
    "empty streams": lambda: bz2.compress(LINE) + many(EMPTY_BZIP2, MB),
    "streams of one byte": lambda: bz2.compress(LINE) + many(bz2.compress(b"\n"), MB),
    "100 MB of zeros": lambda: bzip2_zeros(100 * MB),
    "100 MB of newlines": lambda: bzip2_zeros(100 * MB, b"\n" * MB),
    "marks in a stream of none": lambda: bz2.compress(LINE)[:10] + bz2.compress(LINE)[4:10] * (MB // 6),
}


def zstd_window(log: int, size: int) -> bytes:
    """A frame with a window of 2 ** (10 + log) bytes, `size` bytes of RLE blocks long."""
    blocks = size // (128 * 1024)
    rle = ((128 * 1024) << 3 | 1 << 1).to_bytes(3, "little") + b"\n"
    return b"\x28\xb5\x2f\xfd\0" + bytes((log << 3,)) + rle * blocks + b"\1\0\0"


CSV: dict[str, Callable[[], bytes]] = {
    "a quote without end": lambda: b"level,message\ninfo,a\n" + b'info,"' + b"x\n" * (2 * MB),
    "a quote in every row": lambda: b"level,message\ninfo,a\n" + b'info,"\n' * (MB // 8),
    "a quote, 150 MB": lambda: after(b'level,message\ninfo,a\ninfo,"', b"xxxxxxx\n" * (MB // 8), 150),
    "long names, many rows": lambda: b'level,message,"n\n' + b"n" * 500_000 + b'"\n' + b"info,a,1\n" * 20_000,
    "a field of 150 MB": lambda: after(b"level,message\ninfo,a\ninfo,", b"x" * MB, 150),
    "a million columns": lambda: (
        b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + (b"," * 99_999 + b"\n") * 100
    ),
    "wide rows, many": lambda: after(b"message,b,c\n", (b"," * 1023 + b"\n") * 1024, 20),
    "wide header, empty rows": lambda: after(
        b",".join(b"c%d" % n for n in range(2000)) + b"\n", (b"," * 1999 + b"\n") * 524, 40
    ),
    "one byte rows": lambda: after(b"level,message\n", b"x\n" * (MB // 8), 1),
    "empty rows": lambda: after(b"level,message\n", b"\n" * MB, 256),
    "quotes": lambda: after(b"level,message\n", b'"\n' * 50_000, 1),
    "quotes of quotes": lambda: after(b"level,message\n", b'""' * (MB // 2), 64),
}


def after(head: bytes, piece: bytes, pieces: int) -> bytes:
    """`head` and then `piece` many times, in zstd."""
    compressor = zstd.ZstdCompressor(1)
    body = [compressor.compress(head), *(compressor.compress(piece) for _ in range(pieces))]
    return b"".join((*body, compressor.flush()))


JSON: dict[str, Callable[[], bytes]] = {
    "a value of 150 MB": lambda: after(b'[{"message":"a"},{"message":"', b"x" * MB, 150),
    "a value of 150 MB of escapes": lambda: after(b'[{"message":"a"},{"message":"', b"\\n" * (MB // 2), 256),
    "a value of 150 MB of brackets": lambda: after(b'[{"message":"a"},{"m":[', b"[]" * (MB // 2), 256),
    "white space": lambda: after(b'[{"message":"a"},', b" " * MB, 150),
    "commas": lambda: after(b'[{"message":"a"},', b"," * MB, 150),
    "closing brackets": lambda: after(b'[{"message":"a"},', b"]" * MB, 150),
    "envelopes": lambda: after(b'[{"message":"a"},', b'{"logs":[' * (MB // 9), 150),
    "deep": lambda: b'[{"message":"a"},{"m":' + b"[" * 900_000 + b"]" * 900_000 + b"}]",
    "deep, many": lambda: after(b'[{"message":"a"}', b',{"m":' + b"[" * 500_000 + b"]" * 500_000 + b"}", 100),
    "opening brackets": lambda: b'[{"message":"a"},' + b"[" * 8 * MB,
    "many keys": lambda: after(
        b'[{"message":"a"}', b",{%b}" % b",".join(b'"%d":1' % n for n in range(140_000)), 50
    ),
    "empty objects": lambda: after(b'[{"message":"a"}', b",{}" * 50_000, 1),
    "empty arrays": lambda: after(b'[{"message":"a"}', b",[]" * (MB // 3), 64),
    "numbers": lambda: after(b'[{"message":"a"}', b",1" * (MB // 2), 64),
    "strings": lambda: after(b'[{"message":"a"}', b',""' * (MB // 3), 64),
    "broken objects": lambda: after(b'[{"message":"a"}', b",{x}" * (MB // 4), 64),
    "open strings": lambda: after(b'[{"message":"a"}', b',{"' * (MB // 3), 64),
    "a long number": lambda: b'[{"message":"a"},{"timestamp":' + b"9" * 2_000_000 + b"}]",
}
NDJSON: dict[str, Callable[[], bytes]] = {
    "a value of 150 MB": lambda: after(b'{"message":"a"}\n{"message":"a"}\n{"message":"', b"x" * MB, 1024),
    "broken lines": lambda: after(b'{"message":"a"}\n{"message":"a"}\n', b"{\n" * (MB // 2), 64),
    "scalar lines": lambda: after(b'{"message":"a"}\n{"message":"a"}\n', b"1\n" * (MB // 2), 64),
    "empty objects": lambda: after(b'{"message":"a"}\n{"message":"a"}\n', b"{}\n" * 50_000, 1),
    "deep": lambda: after(
        b'{"message":"a"}\n{"message":"a"}\n', b'{"m":' + b"[" * 500_000 + b"]" * 500_000 + b"}\n", 100
    ),
    "many keys": lambda: after(
        b'{"message":"a"}\n{"message":"a"}\n',
        b"{%b}\n" % b",".join(b'"%d":1' % n for n in range(140_000)),
        50,
    ),
    "too many keys": lambda: after(
        b'{"message":"a"}\n{"message":"a"}\n',
        b"{%b}\n" % b",".join(b'"%d":1' % n for n in range(160_000)),
        50,
    ),
    "half pairs": lambda: after(
        b'{"message":"a"}\n{"message":"a"}\n', b'{"message":"%b"}\n' % (b"\\ud800" * 170_000), 8
    ),
    "blank lines": lambda: after(b'{"message":"a"}\n{"message":"a"}\n', b"\n" * MB, 150),
}
GET = b'1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] "GET '
LINES: dict[str, Callable[[], bytes]] = {
    "a line of 150 MB": lambda: after(LINE * 3, b"x" * MB, 150),
    "blank lines": lambda: after(LINE * 3, b"\n" * MB, 150),
    "lines of blanks": lambda: after(LINE * 3, b" \n" * (MB // 2), 256),
    "lines just too long": lambda: after(LINE * 3, b"x" * (2 * MB + 1) + b"\n", 150),
    "lines of 2 MB": lambda: after(LINE * 3, b"x" * (2 * MB - 2) + b"\n", 256),
    "carriage returns": lambda: after(LINE * 3, b"\r" * MB, 256),
    "not UTF-8": lambda: after(LINE * 3, b"\xff\n" * 100_000, 1),
    "a request without end": lambda: GET + b'/ HTTP/1.0" 200 5\n' + GET + b"x" * 1_000_000 + b"\n",
    "digits": lambda: after(LINE * 3, b"1" * 1_000_000 + b"\n", 100),
    "years": lambda: after(LINE * 3, b"2026-01-01 " * 90_000 + b"\n", 100),
    "words": lambda: after(LINE * 3, b"2026-01-01 00:00:00 [" + b"a." * 400_000 + b"\n", 100),
}
ALB_LINE = (
    b"https 2026-07-02T22:23:00.186641Z app/my/50dc 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 "
    b"200 0 57 "
    b'"GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn "Root=1" "d" "c" 1 '
    b"2026-07-02T22:22:48.364000Z "
    b'"authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID\n'
)
FLOW_LINE = (
    b"2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 "
    b"ACCEPT OK\n"
)
W3C_HEAD = b"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip\n"
TRAIL = b'{"eventVersion":"1.08","eventTime":"2026-01-01T00:00:00Z","eventSource":"s3","eventName":"x"}'
AWS: dict[str, Callable[[], bytes]] = {
    "ALB, open quotes": lambda: after(ALB_LINE * 2, ALB_LINE[:60] + b'"' + b"\\" * 1_000_000 + b"\n", 16),
    "ALB, quotes": lambda: after(ALB_LINE * 2, ALB_LINE[:60] + b'" ' * 500_000 + b"\n", 16),
    "ALB, a million columns": lambda: after(ALB_LINE * 2, ALB_LINE[:-1] + b" 1" * 500_000 + b"\n", 16),
    "ALB, empty lines": lambda: after(ALB_LINE * 2, b"x\n" * (MB // 2), 64),
    "flow, a million columns": lambda: after(FLOW_LINE * 2, b"1 " * 500_000 + b"\n", 16),
    "flow, headers": lambda: after(FLOW_LINE * 2, b"version " * 100_000 + b"\n", 100),
    "flow, one byte lines": lambda: after(FLOW_LINE * 2, b"x\n" * (MB // 2), 64),
    "CloudFront, fields": lambda: after(W3C_HEAD, b"#Fields: " + b"a " * 500_000 + b"\n", 100),
    "CloudFront, wide rows": lambda: after(
        b"#Version: 1.0\n#Fields: " + b" ".join(b"f%d" % n for n in range(10_000)) + b"\n",
        b"- " * 10_000 + b"\n", 2000,
    ),
    "CloudFront, directives": lambda: after(W3C_HEAD, b"#\n" * (MB // 2), 256),
    "CloudTrail, a record of 150 MB": lambda: after(
        b'{"Records":[' + TRAIL + b',{"eventVersion":"', b"x" * MB, 1024
    ),
    "CloudTrail, deep": lambda: after(
        b'{"Records":[' + TRAIL, b"," + TRAIL[:-1] + b',"x":' + b"[" * 500_000 + b"]" * 500_000 + b"}", 50
    ),
}  # fmt: skip
