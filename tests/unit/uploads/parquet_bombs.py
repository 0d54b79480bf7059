"""Parquet written by hand, so that it can claim what it does not have: headers, pages, footers of any kind.

Thrift's compact protocol, as much of it as that takes. A struct is a list of (field, type, value).
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backports import zstd

MB = 1024 * 1024
TRUE, I32, I64, BINARY, LIST, STRUCT = 1, 5, 6, 8, 9, 12

PLAIN, RLE, DELTA_BINARY, DELTA_BYTES, RLE_DICTIONARY = 0, 3, 5, 7, 8
NONE, SNAPPY, GZIP, BROTLI, ZSTD = 0, 1, 2, 4, 6
INT64, BYTE_ARRAY, FIXED = 2, 6, 7
REQUIRED, OPTIONAL, REPEATED = 0, 1, 2

Fields = list[tuple[int, int, Any]]


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def struct(fields: Fields) -> bytes:
    out, last = bytearray(), 0
    for at, kind, value in fields:
        out += bytes(((at - last) << 4 | kind,)) + encoded(kind, value)
        last = at
    return bytes(out) + b"\0"


def encoded(kind: int, value: Any) -> bytes:
    if kind == STRUCT:
        return value if isinstance(value, bytes) else struct(value)
    if kind == BINARY:
        return varint(len(value)) + value
    if kind == LIST:
        inner, values = value
        head = (
            bytes((len(values) << 4 | inner,))
            if len(values) < 15
            else bytes((0xF0 | inner,)) + varint(len(values))
        )
        return head + b"".join(encoded(inner, each) for each in values)
    return b"" if kind == TRUE else zigzag(value)


def page(kind: int, body: bytes, header: Fields, claims: int | None = None, uncompressed: int = 0) -> bytes:
    """A page of `body`, compressed already; `uncompressed` is what it says to be without compression."""
    size = uncompressed if claims is None else claims
    where = {0: 5, 2: 7, 3: 8}[kind]
    fields: Fields = [(1, I32, kind), (2, I32, size), (3, I32, len(body)), (where, STRUCT, header)]
    return struct(fields) + body


def compressed(codec: int, body: bytes) -> bytes:
    if codec == NONE:
        return body
    if codec == ZSTD:
        return zstd.compress(body, 19)
    if codec == GZIP:
        return gzip.compress(body, 9)
    import pyarrow as pa

    return bytes(pa.Codec({SNAPPY: "snappy", BROTLI: "brotli"}[codec]).compress(body))


def dictionary_page(values: bytes, count: int, codec: int = ZSTD, claims: int | None = None) -> bytes:
    packed = compressed(codec, values)
    return page(2, packed, [(1, I32, count), (2, I32, PLAIN)], claims, len(values))


def data_page(
    values: bytes, count: int, encoding: int, codec: int = ZSTD, claims: int | None = None
) -> bytes:
    packed = compressed(codec, values)
    header: Fields = [(1, I32, count), (2, I32, encoding), (3, I32, RLE), (4, I32, RLE)]
    return page(0, packed, header, claims, len(values))


def same_index(count: int) -> bytes:
    """Indices into a dictionary, all 0: a bit width and one run."""
    return b"\1" + varint(count << 1) + b"\0"


def text(value: bytes) -> bytes:
    return len(value).to_bytes(4, "little") + value


@dataclass
class Chunk:
    """A column of a row group: its pages, and what the footer says of it."""

    pages: bytes
    values: int
    has_dictionary: bool = True
    type: int = BYTE_ARRAY
    codec: int = ZSTD
    at: int | None = None
    uncompressed: int | None = None


@dataclass
class Group:
    chunks: list[Chunk]
    rows: int
    columns: list[Fields] = field(default_factory=list)


def column(name: bytes, kind: int = BYTE_ARRAY, repetition: int = REQUIRED, length: int = 0) -> bytes:
    fields: Fields = [(1, I32, kind)]
    if length:
        fields.append((2, I32, length))
    fields += [(3, I32, repetition), (4, BINARY, name)]
    if kind == BYTE_ARRAY:
        fields.append((6, I32, 0))
    return struct(fields)


def group_of(name: bytes, children: int, repetition: int | None = OPTIONAL, converted: int = -1) -> bytes:
    fields: Fields = [] if repetition is None else [(3, I32, repetition)]
    fields += [(4, BINARY, name), (5, I32, children)]
    if converted >= 0:
        fields.append((6, I32, converted))
    return struct(fields)


def file(schema: list[bytes], paths: list[list[bytes]], groups: list[Group]) -> bytes:
    """The file: schema elements without the root, the path of each column, and the row groups."""
    body = bytearray(b"PAR1")
    written = []
    for group in groups:
        chunks = []
        for path, chunk in zip(paths, group.chunks, strict=True):
            at = chunk.at
            if at is None:
                at = len(body)
                body += chunk.pages
            meta: Fields = [
                (1, I32, chunk.type),
                (2, LIST, (I32, [PLAIN, RLE] + [RLE_DICTIONARY] * chunk.has_dictionary)),
                (3, LIST, (BINARY, path)),
                (4, I32, chunk.codec),
                (5, I64, chunk.values),
                (6, I64, len(chunk.pages) if chunk.uncompressed is None else chunk.uncompressed),
                (7, I64, len(chunk.pages)),
                (9, I64, at),
            ]
            if chunk.has_dictionary:
                meta.append((11, I64, at))
            chunks.append([(2, I64, at), (3, STRUCT, meta)])
        written.append([(1, LIST, (STRUCT, chunks)), (2, I64, 1000), (3, I64, group.rows)])
    roots = sum(1 for path in {tuple(path[:1]) for path in paths})
    footer = struct(
        [
            (1, I32, 2),
            (2, LIST, (STRUCT, [group_of(b"schema", roots, None), *schema])),
            (3, I64, sum(group.rows for group in groups)),
            (4, LIST, (STRUCT, written)),
            (6, BINARY, b"parquet-cpp-arrow version 26.0.1"),
        ]
    )
    return bytes(body) + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def one_column(chunk: Chunk, rows: int, kind: int = BYTE_ARRAY, length: int = 0) -> bytes:
    return file([column(b"message", kind, REQUIRED, length)], [[b"message"]], [Group([chunk], rows)])


def dictionary_times_rows(length: int, rows: int, columns: int = 1) -> bytes:
    """One string, and a run of indices to it, in so many columns."""
    pages = dictionary_page(text(b"x" * length), 1) + data_page(same_index(rows), rows, RLE_DICTIONARY)
    names = [b"message" if at == 0 else b"c%d" % at for at in range(columns)]
    return file(
        [column(name) for name in names],
        [[name] for name in names],
        [Group([Chunk(pages, rows) for _ in names], rows)],
    )


def fixed_times_rows(length: int, rows: int) -> bytes:
    pages = dictionary_page(b"x" * length, 1) + data_page(same_index(rows), rows, RLE_DICTIONARY)
    return one_column(Chunk(pages, rows, type=FIXED), rows, FIXED, length)


def prefixes_times_rows(length: int, rows: int) -> bytes:
    """DELTA_BYTE_ARRAY: each string is the one before, and nothing more."""
    # Blocks of 128 deltas in 4 miniblocks. The first delta of all is `length`, and every other one is 0.
    prefixes = varint(128) + varint(4) + varint(rows) + zigzag(0)
    left, is_first = rows - 1, True
    while left > 0:
        if is_first:
            prefixes += zigzag(0) + bytes((32, 0, 0, 0)) + length.to_bytes(4, "little") + bytes(31 * 4)
        else:
            prefixes += zigzag(0) + bytes(4)
        left, is_first = left - 128, False
    suffixes = varint(128) + varint(4) + varint(rows) + zigzag(length)
    left, is_first = rows - 1, True
    while left > 0:
        if is_first:
            # Here it is -length, the least: all the others are so much above it.
            ups = b"\0\0\0\0" + length.to_bytes(4, "little") * 31
            full = length.to_bytes(4, "little") * 32
            suffixes += zigzag(-length) + bytes((32, 32, 32, 32)) + ups + full * 3
        else:
            suffixes += zigzag(0) + bytes(4)
        left, is_first = left - 128, False
    body = prefixes + suffixes + b"x" * length
    pages = data_page(body, rows, DELTA_BYTES)
    return one_column(Chunk(pages, rows, has_dictionary=False), rows)


def ints_times_rows(rows: int, columns: int) -> bytes:
    pages = dictionary_page(bytes(8), 1) + data_page(same_index(rows), rows, RLE_DICTIONARY)
    names = [b"c%d" % at for at in range(columns)]
    return file(
        [column(name, INT64) for name in names],
        [[name] for name in names],
        [Group([Chunk(pages, rows, type=INT64) for _ in names], rows)],
    )


def list_of(elements: int, records: int = 1) -> bytes:
    """Rows that are a list of so many numbers, each a run."""
    per = elements
    repetitions = b"".join(varint(1 << 1) + b"\0" + varint((per - 1) << 1) + b"\1" for _ in range(records))
    definitions = varint(per * records << 1) + b"\1"
    levels = b"".join(len(each).to_bytes(4, "little") + each for each in (repetitions, definitions))
    pages = dictionary_page(bytes(8), 1) + data_page(
        levels + same_index(per * records), per * records, RLE_DICTIONARY
    )
    return file(
        [column(b"n", INT64, REPEATED)],
        [[b"n"]],
        [Group([Chunk(pages, per * records, type=INT64)], records)],
    )


def page_of(codec: int, size: int, claims: int | None = None) -> bytes:
    """One value of `size` zeros in a page that is compressed."""
    body = text(bytes(size))
    return one_column(
        Chunk(data_page(body, 1, PLAIN, codec, claims), 1, has_dictionary=False, codec=codec), 1
    )


def empty_pages(count: int, size: int) -> bytes:
    """Pages that have no values and decompress to much, before one that has one."""
    pages = data_page(bytes(size), 0, PLAIN) * count + data_page(text(b"a"), 1, PLAIN)
    return one_column(Chunk(pages, 1, has_dictionary=False), 1)


def overlapping(columns: int, size: int, groups: int = 1) -> bytes:
    """All columns are the same bytes of the file."""
    pages = data_page(text(bytes(size)), 1, PLAIN)
    names = [b"c%d" % at for at in range(columns)]
    chunks = [Chunk(pages, 1, has_dictionary=False, at=None if at == 0 else 4) for at in range(columns)]
    later = [Chunk(pages, 1, has_dictionary=False, at=4) for _ in range(columns)]
    return file(
        [column(name) for name in names],
        [[name] for name in names],
        [Group(chunks, 1), *(Group(later, 1) for _ in range(groups - 1))],
    )


def deep(levels: int) -> bytes:
    pages = data_page(b"\x02\0\0\0\x02\0", 1, PLAIN)
    names = [b"d"] * levels
    return file(
        [*(group_of(b"d", 1) for _ in range(levels)), column(b"x", INT64, OPTIONAL)],
        [[*names, b"x"]],
        [Group([Chunk(pages, 1, has_dictionary=False, type=INT64)], 1)],
    )


def wide(columns: int, rows: int = 10) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    one = pa.array([None] * rows, pa.string())
    pq.write_table(pa.table({f"c{at}": one for at in range(columns)}), out, compression="zstd")
    return out.getvalue()


def nulls(rows: int, columns: int) -> bytes:
    """Rows of nothing."""
    levels = varint(rows << 1) + b"\0"
    pages = data_page(len(levels).to_bytes(4, "little") + levels, rows, PLAIN)
    names = [b"c%d" % at for at in range(columns)]
    return file(
        [column(name, INT64, OPTIONAL) for name in names],
        [[name] for name in names],
        [Group([Chunk(pages, rows, has_dictionary=False, type=INT64) for _ in names], rows)],
    )


def footer_of(size: int) -> bytes:
    """A footer that says it has a list of that many row groups, and strings of as many bytes."""
    footer = struct(
        [
            (1, I32, 2),
            (2, LIST, (STRUCT, [group_of(b"schema", 1, None), column(b"m")])),
            (3, I64, 1),
            (4, LIST, (STRUCT, [b"\0"] * size)),
        ]
    )
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def footer_of_chunks(groups: int, chunks: int) -> bytes:
    """Row groups of column chunks that are next to nothing in the file, and a kilobyte each in memory."""
    chunk: Fields = [(2, I64, 4)]
    group = struct([(1, LIST, (STRUCT, [chunk] * chunks)), (2, I64, 1), (3, I64, 1)])
    footer = struct(
        [
            (1, I32, 2),
            (2, LIST, (STRUCT, [group_of(b"schema", 1, None), column(b"m")])),
            (3, I64, groups),
            (4, LIST, (STRUCT, [group] * groups)),
        ]
    )
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def footer_that_claims(count: int) -> bytes:
    footer = struct([(1, I32, 2)])[:-1] + bytes((1 << 4 | LIST, 0xF0 | STRUCT)) + varint(count) + bytes(100)
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


PARQUET: dict[str, Callable[[], bytes]] = {
    "1 MB string, 30 rows": lambda: dictionary_times_rows(MB - 1000, 30),
    "10 kB string, 4,000 rows": lambda: dictionary_times_rows(10_000, 4_000),
    "3 MB string, 100,000 rows": lambda: dictionary_times_rows(3 * MB, 100_000),
    "60 columns of 1 MB": lambda: dictionary_times_rows(MB, 10_000, 60),
    "1,100 columns of 1 kB": lambda: dictionary_times_rows(1000, 100_000, 1100),
    "fixed length of 2 MB": lambda: fixed_times_rows(2 * MB, 100_000),
    "prefixes of 1 MB": lambda: prefixes_times_rows(MB - 1000, 100_000),
    "prefixes of 100 kB": lambda: prefixes_times_rows(100_000, 3000),
    "60,000 rows of one number": lambda: ints_times_rows(60_000, 1),
    "2,000 columns of numbers": lambda: ints_times_rows(100, 2000),
    "nulls in 2,000 columns": lambda: nulls(10**4, 2000),
    "a list of 500,000,000": lambda: list_of(500_000_000),
    "lists of 1,000,000": lambda: list_of(1_000_000, 1000),
    "page of 200 MB, zstd": lambda: page_of(ZSTD, 200 * MB),
    "page of 200 MB, gzip": lambda: page_of(GZIP, 200 * MB),
    "page of 200 MB, brotli": lambda: page_of(BROTLI, 200 * MB),
    "page of 60 MB, snappy": lambda: page_of(SNAPPY, 60 * MB),
    "page that claims 2 GB": lambda: page_of(ZSTD, 100, 2**31 - 1),
    "empty pages of 100 MB": lambda: empty_pages(2000, 100 * MB),
    "empty pages of 1 MB": lambda: empty_pages(20_000, MB),
    "overlapping columns": lambda: overlapping(2000, 10 * MB),
    "overlapping groups": lambda: overlapping(100, 1 * MB, 500),
    "schema 100,000 deep": lambda: deep(100_000),
    "schema 5,000 deep": lambda: deep(5_000),
    "100,000 columns": lambda: wide(100_000),
    "footer of empty groups": lambda: footer_of(16 * MB),
    "footer of column chunks": lambda: footer_of_chunks(50, 99_000),
    "footer claims a list": lambda: footer_that_claims(2**31 - 1),
}
