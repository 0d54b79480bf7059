"""Headers of Parquet's pages, as the guard reads them: as pyarrow does, and never more than it may."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.uploads.formats import parquet_pages
from functions.uploads.formats.parquet_pages import ColumnChunk, PageGuard, page_header
from functions.uploads.streams.contract import BrokenFileError
from tests.unit.uploads.parquet_bombs import I32, PLAIN, RLE, data_page, dictionary_page, page, text


def written(rows: int, **options: object) -> bytes:
    out = io.BytesIO()
    table = pa.table({"message": [f"row {number % 50}" for number in range(rows)], "n": range(rows)})
    pq.write_table(table, out, **options)
    return out.getvalue()


def chunks_of(body: bytes) -> list[ColumnChunk]:
    group = pq.ParquetFile(pa.BufferReader(body)).metadata.row_group(0)
    chunks = []
    for column in map(group.column, range(group.num_columns)):
        start = column.data_page_offset
        if column.has_dictionary_page:
            start = min(start, column.dictionary_page_offset)
        chunks.append(ColumnChunk(start, start + column.total_compressed_size, column.num_values, True))
    return chunks


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_all_pages_of_a_file_are_seen_in_whatever_pieces_it_is_read(
    step: int, version: str, dictionary: bool
) -> None:
    body = written(3000, data_page_version=version, data_page_size=500, use_dictionary=dictionary)
    chunks = chunks_of(body)
    guard = PageGuard(chunks, len(body))
    for chunk in chunks:
        for at in range(chunk.start, chunk.end, step):
            guard.see(at, body[at : min(at + step, chunk.end)])
    assert [chunk.values_seen for chunk in chunks] == [3000, 3000]
    unpacked = pq.ParquetFile(pa.BufferReader(body)).metadata.row_group(0)
    total = sum(unpacked.column(at).total_uncompressed_size for at in range(2))
    assert total * 0.5 < guard.work_bytes < total * 2


def test_bytes_that_are_read_a_second_time_count_once() -> None:
    body = written(100)
    (chunk, _) = chunks_of(body)
    guard = PageGuard([chunk], len(body))
    for _ in range(2):
        guard.see(chunk.start, body[chunk.start : chunk.end])
    assert chunk.values_seen == 100


def test_columns_that_share_their_bytes_are_rejected() -> None:
    with pytest.raises(BrokenFileError, match="damaged"):
        PageGuard([ColumnChunk(4, 100, 1, True), ColumnChunk(99, 200, 1, True)], 1000)


def test_a_column_beyond_the_file_is_rejected() -> None:
    with pytest.raises(BrokenFileError, match="damaged"):
        PageGuard([ColumnChunk(4, 1001, 1, True)], 1000)


def guard_sees(body: bytes, values: int = 1, may_have_dictionary: bool = True) -> None:
    PageGuard([ColumnChunk(0, len(body), values, may_have_dictionary)], len(body)).see(0, body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (data_page(b"a", 1, PLAIN, claims=2**31 - 1), "too_much_memory"),
        (dictionary_page(b"a", 1, claims=200 * 2**20), "too_much_memory"),
        (dictionary_page(b"a", 1000), "corrupt"),
        (data_page(b"a", -1, PLAIN), "corrupt"),
        (data_page(b"a", 0, PLAIN, claims=10 * 2**20) * 7, "no_progress"),
        (b"\xff" * 100, "corrupt"),
        (b"\x15" + b"\xff" * 20, "corrupt"),
    ],
)
def test_a_claim_beyond_the_limits_is_rejected_before_the_page_is_unpacked(body: bytes, code: str) -> None:
    with pytest.raises(BrokenFileError) as raised:
        guard_sees(body)
    assert raised.value.code == code


def test_a_dictionary_that_was_not_announced_is_rejected() -> None:
    """Each of the rows would get a copy of its entry."""
    guard_sees(dictionary_page(text(b"a"), 1))
    with pytest.raises(BrokenFileError, match="damaged"):
        guard_sees(dictionary_page(text(b"a"), 1), may_have_dictionary=False)


def test_values_count_by_the_header_that_pyarrow_reads() -> None:
    """A second header, of another kind of page, does not end the watch."""
    values = [(1, I32, 0), (2, I32, PLAIN), (3, I32, RLE), (4, I32, RLE)]
    both = page(0, b"", values)[:-1] + b"\x2c" + b"\x15\xfe\x01\x15\x00\x00" + b"\x00"
    header = page_header(both, 0)
    assert header is not None
    assert header[0].values == 0


def test_a_header_without_end_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_pages, "MAX_HEADER_BYTES", 1000)
    with pytest.raises(BrokenFileError, match="damaged"):
        guard_sees(b"\x15\x00\x15\x00\x15\x00\x89" + b"\xf3\xe7\x07" + bytes(2000))


@given(st.binary(max_size=60))
def test_nothing_but_a_fault_of_the_file_is_raised(body: bytes) -> None:
    try:
        found = page_header(body, 0)
    except BrokenFileError:
        return
    assert found is None or found[1] <= len(body)
