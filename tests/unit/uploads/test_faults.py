"""Faults of a file are listed, its good records are stored, and nothing stays in the queue."""

import bz2
import gzip
import io
import json
import random
import re
import resource
import subprocess
import sys
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from functions.shared.accounts.account_status import AccountStatus
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.buckets.drop_bucket import FileRanges
from functions.uploads.memory import limited
from tests.measured import cpu_seconds_of
from tests.unit.uploads.samples import as_array, as_parquet, hadoop
from tests.unit.uploads.world import GLOBEX, World, s3_says

LINES = [f"line {number} {random.Random(number).getrandbits(64):x}" for number in range(20_000)]
TEXT = "\n".join(LINES).encode() + b"\n"


def zstd_with_checksum(body: bytes) -> bytes:
    """As the command line has it."""
    return zstd.compress(body, options={zstd.CompressionParameter.checksum_flag: 1})


def bzip2(body: bytes) -> bytes:
    return bz2.compress(body, 1)


@pytest.mark.parametrize(
    ("compress", "name"), [(gzip.compress, "gzip"), (zstd_with_checksum, "zstd"), (bzip2, "bzip2")]
)
def test_a_file_that_is_cut_off_gives_the_lines_before(here: World, compress: object, name: str) -> None:
    whole = compress(TEXT)  # type: ignore[operator]
    told = here.drop("cut", whole[: len(whole) // 2])
    stored = told["rows_stored"]

    assert (told["state"], told["compression"], told["error"]["code"]) == ("partly", name, "truncated")
    assert here.messages() == LINES[:stored]
    assert stored > len(LINES) // 3
    assert here.originals(), "what is not stored whole is kept"


@pytest.mark.parametrize("compress", [gzip.compress, zstd_with_checksum, bzip2])
def test_a_file_that_is_damaged_halfway_gives_the_lines_before(here: World, compress: object) -> None:
    whole = bytearray(compress(TEXT))  # type: ignore[operator]
    middle = len(whole) // 2
    whole[middle : middle + 400] = b"\xff" * 400
    told = here.drop("damaged", bytes(whole))

    assert told["state"] in ("partly", "failed")
    assert told["error"]["code"] in ("corrupt", "checksum")
    assert here.messages()[: len(LINES) // 3] == LINES[: len(LINES) // 3]
    assert told["rows_stored"] == len(here.rows())


def test_gzip_that_ends_in_something_else_gives_all_of_its_lines(here: World) -> None:
    told = here.drop("tail", gzip.compress(TEXT) + b"tail")
    assert (told["state"], told["error"]["code"]) == ("partly", "trailing_data")
    assert here.messages() == LINES
    assert here.drop("zeros", gzip.compress(b"a\n") + b"\0" * 5000, GLOBEX)["state"] == "done"


def test_parquet_without_its_end_cannot_be_read(here: World) -> None:
    told = here.drop("x.parquet", as_parquet(hadoop(200))[:-100])
    assert (told["state"], told["rows_stored"], told["error"]["code"]) == ("failed", 0, "truncated")


def test_parquet_with_a_damaged_row_group_gives_the_others(here: World) -> None:
    out = io.BytesIO()
    table = pa.table({"message": LINES[:300]})
    pq.write_table(table, out, row_group_size=100, compression="zstd", use_dictionary=False)
    group = pq.ParquetFile(out).metadata.row_group(1).column(0)
    body = bytearray(out.getvalue())
    start = group.data_page_offset
    body[start : start + group.total_compressed_size] = bytes(group.total_compressed_size)
    told = here.drop("x", bytes(body))

    assert (told["state"], told["error"]["code"]) == ("partly", "corrupt")
    assert here.messages() == LINES[:100] + LINES[200:300]


@pytest.mark.parametrize("at", [0, 1, slice(None)], ids=["the schema", "a row group", "both"])
def test_parquet_with_a_name_that_is_no_text_is_settled(here: World, at: int | slice) -> None:
    """The footer names a column twice: in the schema, and in each row group."""
    out = io.BytesIO()
    pq.write_table(pa.table({"message": LINES[:100]}), out, store_schema=False)
    body = bytearray(out.getvalue())
    found = [each.start() for each in re.finditer(b"message", body)]
    assert len(found) == 2
    for start in [found[at]] if isinstance(at, int) else found[at]:
        body[start] = 0x93
    status = here.drop("x", bytes(body))

    if at == 1:
        assert (status["state"], here.messages()) == ("done", LINES[:100])
    else:
        assert (status["state"], status["error"]["code"], here.messages()) == ("failed", "corrupt", [])
    assert here.drop("y", b"a line", GLOBEX)["state"] == "done"


def test_a_damaged_row_group_is_remembered_by_the_next_invocation(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the file would be done, and its original deleted."""
    out = io.BytesIO()
    pq.write_table(
        pa.table({"message": LINES[:300]}), out, row_group_size=100, compression="zstd", use_dictionary=False
    )
    group = pq.ParquetFile(out).metadata.row_group(0).column(0)
    body = bytearray(out.getvalue())
    start = group.data_page_offset
    body[start : start + group.total_compressed_size] = bytes(group.total_compressed_size)
    monkeypatch.setattr("functions.uploads.file_reader.PART_ROWS", 100)
    here.seconds = 0.0
    told = here.drop("x", bytes(body))

    assert (told["state"], told["error"]["code"]) == ("partly", "corrupt")
    assert here.messages() == LINES[100:300]
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
    told = here.drop("x", out.getvalue())
    first, second = here.rows()

    assert (told["state"], told["rows_stored"]) == ("done", 2)
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


def test_a_ragged_row_is_refused_and_its_neighbours_are_stored(here: World) -> None:
    told = here.drop("x.csv", b"level,message\ninfo,a\ninfo\nwarn,b,too many\nerror,c\n")
    assert (told["state"], told["rows_stored"], told["rows_refused"]) == ("partly", 2, 2)
    assert here.messages() == ["a", "c"]
    assert told["refusals"] == [
        {"index": 1, "code": "ragged_row", "reason": "The row has 1 cells where the header names 2."},
        {"index": 2, "code": "ragged_row", "reason": "The row has 3 cells where the header names 2."},
    ]


def test_a_quote_that_is_never_closed_costs_one_row(here: World) -> None:
    rows = "".join(f"info,row {number} {'x' * 80}\n" for number in range(40_000))
    told = here.drop("x.csv", f'level,message\ninfo,first\ninfo,"open\n{rows}'.encode())
    assert here.messages()[0] == "first"
    assert told["rows_refused"] >= 1
    assert told["rows_stored"] + told["rows_refused"] == 40_002


@pytest.mark.parametrize("end", [b"\nand on", b"\nand on\n"])
def test_a_quoted_row_that_is_cut_off_is_one_that_is_refused(here: World, end: bytes) -> None:
    body = gzip.compress(b'level,message\ninfo,a\ninfo,"open' + end)
    told = here.drop("x.csv", body[:-8])
    assert (told["state"], told["rows_stored"], told["rows_refused"]) == ("partly", 1, 1)
    assert told["refusals"][0]["index"] == 1
    assert told["refusals"][0]["code"] == "cut_off"
    assert here.messages() == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n  \n",
        gzip.compress(b"", mtime=0),
        b"\xef\xbb\xbf",
        b"[]",
        b'{"Records": []}',
        b"level,message\n",
    ],
)
def test_an_empty_file_is_done_with_no_rows(here: World, body: bytes) -> None:
    told = here.drop("empty", body)
    assert (told["state"], told["rows_stored"], told["error"]["code"]) == ("done", 0, "empty")
    assert here.rows() == []
    assert here.originals() == []


def test_a_file_that_was_deleted_before_it_was_read_is_reported(here: World) -> None:
    body = here.put("gone", b"line\n")
    here.s3.delete_object(Bucket="drop", Key="dropin/v1/tenant=acme/gone")
    assert here.deliver(body) == []
    told = here.status("gone")
    assert (told["state"], told["error"]["code"]) == ("failed", "gone")


def test_a_file_that_was_overwritten_before_it_was_read_is_read_as_the_new_one(here: World) -> None:
    first, second = here.put("x", b"old\n"), here.put("x", b"new\n")
    assert here.deliver(first, second) == []
    states = sorted((each["state"], (each["error"] or {}).get("code")) for each in here.statuses())
    assert states == [("done", None), ("failed", "replaced")]
    assert here.messages() == ["new"]


@pytest.mark.parametrize(
    ("kind", "length"),
    [
        ("lines", 50_000_000),
        ("gzip", 50_000_000),
        *((kind, length) for kind in ("lines", "ndjson", "csv", "array") for length in (2**21, 5_000_001)),
    ],
)
def test_a_line_that_is_too_long_is_rejected_and_the_rest_is_read(
    here: World, kind: str, length: int
) -> None:
    long = b"x" * length
    body = {
        "lines": b"2026-01-01 00:00:00 a\n" + long + b"\n2026-01-01 00:00:01 b\nc",
        "gzip": gzip.compress(b"first line\n" + long + b"\nb\nc", 1),
        "ndjson": b'{"message":"a"}\n{"message":"' + long + b'"}\n{"message":"b"}\n{"message":"c"}\n',
        "csv": b"level,message\ninfo,a\ninfo," + long + b"\ninfo,b\ninfo,c\n",
        "array": b'[{"message":"a"},{"message":"' + long + b'{\\""}, {"message":"b"},{"message":"c"}]',
    }[kind]
    told = here.drop(kind, body)

    assert (told["state"], told["rows_stored"], told["rows_refused"]) == ("partly", 3, 1)
    assert told["refusals"] == [
        {"index": 1, "code": "record_too_long", "reason": "The record is longer than 2 MiB."}
    ]
    assert [message[-1] for message in here.messages()][1:] == ["b", "c"]


def test_bad_records_are_rejected_by_number_and_the_first_hundred_are_listed(here: World) -> None:
    lines = [json.dumps({"message": f"m{number}"}) for number in range(300)]
    kinds = ("{broken", "not json", "17", '{"message": 1}')
    bad = {number: kinds[number // 2 % 4] for number in range(0, 300, 2)}
    told = here.drop("x", "\n".join(bad.get(at, line) for at, line in enumerate(lines)).encode())

    assert (told["state"], told["rows_stored"], told["rows_refused"]) == ("partly", 150, 150)
    assert [each["index"] for each in told["refusals"]] == list(range(0, 200, 2))
    assert {each["code"] for each in told["refusals"]} == {
        "invalid_json", "not_an_object", "message_not_text",
    }  # fmt: skip
    assert here.messages() == [f"m{number}" for number in range(1, 300, 2)]


def test_a_bad_element_of_an_array_harms_no_other(here: World) -> None:
    told = here.drop("x", b'[{"message":"a"},{bad: "x"},{"message":"b"}, 17, "text", {"message":"c"}]')
    assert here.messages() == ["a", "b", "c"]
    assert [each["index"] for each in told["refusals"]] == [1, 3, 4]


def test_an_array_that_breaks_off_gives_what_is_whole(here: World) -> None:
    body = as_array(hadoop(200))
    told = here.drop("x", body[: len(body) // 2])
    assert (told["state"], told["error"]["code"]) == ("partly", "invalid_json")
    assert here.messages() == [line for line, _ in hadoop(200)][: told["rows_stored"]]
    assert told["rows_stored"] >= 95


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda: b"PK\x03\x04" + bytes(100), "unsupported_format"),
        (lambda: b"\xfd7zXZ\x00" + bytes(100), "unsupported_format"),
        (lambda: bytes(range(256)) * 40, "unsupported_format"),
        (lambda: "text".encode("utf-16"), "unsupported_encoding"),
        (lambda: gzip.compress(as_parquet(hadoop(5))), "unsupported_format"),
        (lambda: b"\x1f\x8b\x08", "truncated"),
    ],
    ids=["zip", "xz", "bytes", "UTF-16", "Parquet in gzip", "gzip cut off"],
)
def test_what_cannot_be_read_says_why(here: World, made: Callable[[], bytes], code: str) -> None:
    told = here.drop("x", made())
    assert (told["state"], told["error"]["code"], told["rows_stored"]) == ("failed", code, 0)
    assert here.originals()


@pytest.mark.parametrize(
    ("body", "form", "messages"),
    [
        (b" 0 100, x\r50 100, x\nb, c\nd, e\n", "lines", [" 0 100, x\r50 100, x", "b, c", "d, e"]),
        (b"level,message\ninfo,a\nwarn,10%\r20%\nerror,c\n", "csv", ["a", "10%\r20%", "c"]),
        (b'level,message\ninfo,"a\rb"\nwarn,"c\r\nd"\r\n', "csv", ["a\rb", "c\nd"]),
    ],
)
def test_a_carriage_return_within_a_line_is_part_of_it(
    here: World, body: bytes, form: str, messages: list[str]
) -> None:
    """As programs write that show their progress in place."""
    told = here.drop("progress", body)
    assert (told["state"], told["format"]) == ("done", form)
    assert here.messages() == messages


def test_text_that_is_no_utf8_loses_nothing(here: World) -> None:
    here.drop("latin", "grün\n".encode("latin-1") + "grün\n".encode())
    assert here.messages() == ["grün", "grün"]


def test_a_refused_accounts_file_is_failed_with_the_reason_and_kept(here: World) -> None:
    here.account(GLOBEX, AccountStatus("managed_15", 15, 10**7, accepts_until=1, end_reason="trial_ended"))
    told = here.drop("x", b"line\n", GLOBEX)
    assert (told["state"], told["error"]["code"]) == ("failed", "trial_ended")
    assert "choose a plan" in told["error"]["reason"]
    assert here.rows(GLOBEX) == []
    assert here.originals() == ["dropin/v1/tenant=globex/x"]
    assert here.drop("x", b"line\n")["state"] == "done"


def test_a_byoc_accounts_file_in_our_bucket_is_not_read(here: World) -> None:
    here.account("initech", AccountStatus("byoc", 30, 10**7))
    told = here.drop("x", b"line\n", here.account("initech", AccountStatus("byoc", 30, 10**7)))
    assert (told["state"], told["error"]["code"]) == ("failed", "other_cloud")


@pytest.mark.parametrize("body", ["no json", "{}", '{"Records": [{}]}', '{"Records": 1}'])
def test_a_message_that_is_none_is_left_to_the_dead_letters(here: World, body: str) -> None:
    assert here.deliver(body) == [body]


def test_s3s_own_test_event_is_taken(here: World) -> None:
    assert here.deliver(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == []


def test_a_deletion_notification_by_mistake_is_no_file(here: World) -> None:
    body = s3_says("dropin/v1/tenant=acme/x", 1, "e").replace("ObjectCreated:Put", "ObjectRemoved:Delete")
    assert here.deliver(body) == []
    assert here.statuses() == []


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
    told = here.status("x")
    assert (told["state"], told["rows_stored"]) == ("done", 200)
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


def test_objects_that_are_printed_over_many_lines(here: World) -> None:
    body = "\n".join(
        json.dumps({"message": f"m{number}", "deep": {"n": number}}, indent=4) for number in range(300)
    )
    told = here.drop("x", body.encode())
    assert (told["state"], told["format"]) == ("done", "json")
    assert here.messages() == [f"m{number}" for number in range(300)]


def test_a_zstd_window_that_is_too_large_is_no_damage(here: World) -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 28})
    told = here.drop("x", compressor.compress(b"line\n") + compressor.flush())
    assert (told["state"], told["error"]["code"]) == ("failed", "unsupported_format")
    assert "128 MB" in told["error"]["reason"]


@pytest.mark.parametrize("bit", [b"[", b"[]"])
def test_brackets_without_end_take_no_time(here: World, bit: bytes) -> None:

    def read() -> None:
        shown = here.drop("x", bit * (2_000_000 // len(bit)))
        assert (shown["state"], shown["rows_stored"]) == ("done", 0)

    assert cpu_seconds_of(read, within=10) < 10


@pytest.mark.parametrize("level", ["9" * 5000, "\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT THREE}"])
def test_a_level_that_looks_like_a_number_and_is_none_harms_no_row(here: World, level: str) -> None:
    shown = here.drop("x.csv", f"level,message\n{level},a\nwarn,b\n".encode())
    assert (shown["state"], shown["rows_stored"]) == ("done", 2)
    assert here.messages() == ["a", "b"]


def test_a_name_that_every_row_repeats_is_cut_off(here: World) -> None:
    """20,000 short rows would become gigabytes."""
    here.drop("x.csv", b'level,message,"n\n' + b"n" * 5000 + b'"\ninfo,a,1\n')
    (row,) = here.rows()
    assert [len(name) for name in row["metadata"]] == [200]
    here.drop("x.log", b"#Version: 1.0\n#Fields: date " + b"n" * 5000 + b"\n2026-01-01 1\n", GLOBEX)
    (row,) = here.rows(GLOBEX)
    assert [len(name) for name in row["metadata"]] == [200]


def test_an_allocation_beyond_the_limit_is_the_files_fault_and_the_limit_ends_with_the_call(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)

    def fail(*_arguments: object) -> None:
        raise MemoryError

    body = as_parquet(hadoop(200))
    with monkeypatch.context() as patch:
        patch.setattr("functions.uploads.formats.parquet_file.next", fail, raising=False)
        told = here.drop("x", body)
    assert (told["state"], told["error"]["code"]) == ("failed", "too_much_memory")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert here.drop("y", body)["state"] == "done"


def test_memory_is_limited_while_a_library_runs_and_not_after_it() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(MemoryError), limited(50 * 2**20):
        bytearray(2**30)  # far more: this process may free some while it is limited
    with limited(200 * 2**20):
        bytearray(100 * 2**20)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
