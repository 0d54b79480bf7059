"""Faults of Parquet files: their good rows are stored; those of the bucket or of memory are not theirs."""

import io
import re
import resource
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.drop_bucket import FileRanges
from functions.uploads.memory import limited
from tests.unit.uploads.samples import DISTINCT_LINES, as_parquet, hadoop
from tests.unit.uploads.world import GLOBEX, World


def test_parquet_without_its_end_cannot_be_read(here: World) -> None:
    shown = here.drop("x.parquet", as_parquet(hadoop(200))[:-100])
    assert (shown["state"], shown["rows_stored"], shown["error"]["code"]) == ("failed", 0, "truncated")


def test_parquet_with_a_damaged_row_group_gives_the_others(here: World) -> None:
    out = io.BytesIO()
    table = pa.table({"message": DISTINCT_LINES[:300]})
    pq.write_table(table, out, row_group_size=100, compression="zstd", use_dictionary=False)
    group = pq.ParquetFile(out).metadata.row_group(1).column(0)
    body = bytearray(out.getvalue())
    start = group.data_page_offset
    body[start : start + group.total_compressed_size] = bytes(group.total_compressed_size)
    shown = here.drop("x", bytes(body))

    assert (shown["state"], shown["error"]["code"]) == ("partly", "corrupt")
    assert here.messages() == DISTINCT_LINES[:100] + DISTINCT_LINES[200:300]


@pytest.mark.parametrize("at", [0, 1, slice(None)], ids=["the schema", "a row group", "both"])
def test_parquet_with_a_name_that_is_no_text_is_settled(here: World, at: int | slice) -> None:
    """The footer names a column twice: in the schema, and in each row group."""
    out = io.BytesIO()
    pq.write_table(pa.table({"message": DISTINCT_LINES[:100]}), out, store_schema=False)
    body = bytearray(out.getvalue())
    found = [each.start() for each in re.finditer(b"message", body)]
    assert len(found) == 2
    for start in [found[at]] if isinstance(at, int) else found[at]:
        body[start] = 0x93
    status = here.drop("x", bytes(body))

    if at == 1:
        assert (status["state"], here.messages()) == ("done", DISTINCT_LINES[:100])
    else:
        assert (status["state"], status["error"]["code"], here.messages()) == ("failed", "corrupt", [])
    assert here.drop("y", b"a line", GLOBEX)["state"] == "done"


def test_a_damaged_row_group_is_remembered_by_the_next_invocation(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the file would be done, and its original deleted."""
    out = io.BytesIO()
    pq.write_table(
        pa.table({"message": DISTINCT_LINES[:300]}),
        out,
        row_group_size=100,
        compression="zstd",
        use_dictionary=False,
    )
    group = pq.ParquetFile(out).metadata.row_group(0).column(0)
    body = bytearray(out.getvalue())
    start = group.data_page_offset
    body[start : start + group.total_compressed_size] = bytes(group.total_compressed_size)
    monkeypatch.setattr("functions.uploads.file_reader.PART_ROWS", 100)
    here.seconds = 0.0
    shown = here.drop("x", bytes(body))

    assert (shown["state"], shown["error"]["code"]) == ("partly", "corrupt")
    assert here.messages() == DISTINCT_LINES[100:300]
    assert here.originals()


def test_parquet_values_that_no_calendar_holds_harm_no_row(here: World) -> None:
    """Sentinels of databases, an unknown zone, text that is none within a list."""
    from datetime import datetime

    out = io.BytesIO()
    table = pa.table(
        {
            "message": ["a", "b"],
            "timestamp": pa.array([datetime(1, 1, 1), datetime(2026, 1, 2)], pa.timestamp("us")),
            "far": pa.array([2**62, 0], pa.timestamp("us")),
            "zoned": pa.array([0, 1], pa.timestamp("ms", tz="Not/AZone")),
            "day": pa.array([2**30, 0], pa.date32()),
            "tags": pa.array([[b"gr\xfcn"], [b"ok"]], pa.list_(pa.binary())).view(pa.list_(pa.string())),
            "seen": pa.array([[2**62], [0]], pa.list_(pa.timestamp("us"))),
        }
    )
    pq.write_table(table, out)
    shown = here.drop("x", out.getvalue())
    first, second = here.rows()

    assert (shown["state"], shown["rows_stored"]) == ("done", 2)
    assert first["timestamp"] == "2000-01-01T00:00:00.000000000Z"
    assert first["metadata"]["original_timestamp"] == "0001-01-01T00:00:00.000000000Z"
    assert first["metadata"]["far"] == 2**62
    assert second["timestamp"] == "2026-01-02T00:00:00.000000000Z"
    assert second["metadata"] == {
        "far": "1970-01-01T00:00:00.000000000Z", "zoned": "1970-01-01T00:00:00.001000000Z",
        "day": "1970-01-01", "tags": ["ok"], "seen": ["1970-01-01T00:00:00.000000000Z"],
    }  # fmt: skip


def test_parquet_of_all_kinds_of_columns(here: World) -> None:
    from datetime import UTC, date, datetime
    from decimal import Decimal

    out = io.BytesIO()
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    table = pa.table(
        {
            "time": pa.array([moment], pa.timestamp("us", tz="UTC")),
            "Severity": ["WARN"],
            "msg": ["hello"],
            "price": [Decimal("1.50")],
            "day": [date(2026, 1, 2)],
            "ok": [False],
            "tags": [["a", "b"]],
            "inner": [{"n": 1, "x": None}],
            "raw": [b"\xff\x00"],
            "nothing": pa.array([None], pa.string()),
            "later": pa.array([1767323045678901234], pa.timestamp("ns")),
        }
    )
    pq.write_table(table, out)
    here.drop("x", out.getvalue())
    (row,) = here.rows()

    assert (row["message"], row["level"]) == ("hello", "warn")
    assert row["timestamp"] == "2026-01-02T03:04:05.678901000Z"
    assert row["metadata"] == {
        "price": 1.50, "day": "2026-01-02", "ok": False, "tags": ["a", "b"], "inner": {"n": 1, "x": None},
        "raw": "/wA=", "later": "2026-01-02T03:04:05.678901234Z",
    }  # fmt: skip


def test_a_bucket_that_fails_in_the_middle_of_parquet_does_not_fail_the_file(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, calls = FileRanges.read, [0]

    def fail(self: FileRanges, start: int, length: int) -> bytes:
        calls[0] += 1
        if calls[0] == 4:
            raise BucketUnavailableError("SlowDown")
        return read(self, start, length)

    monkeypatch.setattr(FileRanges, "read", fail)
    body = here.put("x", as_parquet(hadoop(200)))
    assert here.deliver(body) == [body]
    assert here.status("x")["state"] == "reading"
    assert here.deliver(body) == [], "and no reader has to wait for a lease"
    shown = here.status("x")
    assert (shown["state"], shown["rows_stored"]) == ("done", 200)
    assert here.messages() == [line for line, _ in hadoop(200)]


def test_parquet_is_read_without_pandas_and_with_text_that_is_none() -> None:
    """As in the function's zip: nanoseconds would make pyarrow ask for pandas."""
    code = """
import io, sys
sys.modules["pandas"] = sys.modules["numpy"] = None
import pyarrow as pa, pyarrow.parquet as pq
from functions.uploads.formats.parquet_values import _column
nanoseconds = pa.array([1767323045678901234, None], pa.timestamp("ns"))
print(_column(nanoseconds), _column(pa.array([5, None], pa.duration("ns"))))
print(_column(pa.array([bytes([103, 114, 252, 110]), b"a"]).view(pa.string())))
from functions.uploads.formats.parquet_values import slices
texts = pa.array(["a", "bb", None]).dictionary_encode()
lists = pa.ListArray.from_arrays(pa.array([0, 2, 3, 3]), texts)
((part, size),) = slices(pa.RecordBatch.from_arrays([texts, lists], ["text", "list"]))
print(size, [_column(each) for each in part.columns])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.splitlines() == [
        "['2026-01-02T03:04:05.678901234Z', None] [5, None]", "['grün', 'a']",
        "Size(cells=9, text_bytes=6) [['a', 'bb', None], [['a', 'bb'], [None], []]]",
    ], ran.stderr  # fmt: skip


def test_an_allocation_beyond_the_limit_is_the_files_fault_and_the_limit_ends_with_the_call(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)

    def fail(*_arguments: object) -> None:
        raise MemoryError

    body = as_parquet(hadoop(200))
    with monkeypatch.context() as patch:
        patch.setattr("functions.uploads.formats.parquet_file.next", fail, raising=False)
        shown = here.drop("x", body)
    assert (shown["state"], shown["error"]["code"]) == ("failed", "too_much_memory")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert here.drop("y", body)["state"] == "done"


def test_memory_is_limited_while_a_library_runs_and_not_after_it() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(MemoryError), limited(50 * 2**20):
        bytearray(2**30)  # far more: this process may free some while it is limited
    with limited(200 * 2**20):
        bytearray(100 * 2**20)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
