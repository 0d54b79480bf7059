"""Faults of a file are listed, its good records are stored, and nothing stays in the queue."""

import bz2
import gzip
import json
from collections.abc import Callable

import pytest
from backports import zstd

from functions.shared.accounts.account_status import AccountStatus
from tests.measured import cpu_seconds_of
from tests.unit.uploads.samples import DISTINCT_LINES, as_array, as_parquet, hadoop
from tests.unit.uploads.world import GLOBEX, World, s3_says

TEXT = "\n".join(DISTINCT_LINES).encode() + b"\n"


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
    shown = here.drop("cut", whole[: len(whole) // 2])
    stored = shown["rows_stored"]

    assert (shown["state"], shown["compression"], shown["error"]["code"]) == ("partly", name, "truncated")
    assert here.messages() == DISTINCT_LINES[:stored]
    assert stored > len(DISTINCT_LINES) // 3
    assert here.originals(), "what is not stored whole is kept"


@pytest.mark.parametrize("compress", [gzip.compress, zstd_with_checksum, bzip2])
def test_a_file_that_is_damaged_halfway_gives_the_lines_before(here: World, compress: object) -> None:
    whole = bytearray(compress(TEXT))  # type: ignore[operator]
    middle = len(whole) // 2
    whole[middle : middle + 400] = b"\xff" * 400
    shown = here.drop("damaged", bytes(whole))

    assert shown["state"] in ("partly", "failed")
    assert shown["error"]["code"] in ("corrupt", "checksum")
    assert here.messages()[: len(DISTINCT_LINES) // 3] == DISTINCT_LINES[: len(DISTINCT_LINES) // 3]
    assert shown["rows_stored"] == len(here.rows())


def test_gzip_that_ends_in_something_else_gives_all_of_its_lines(here: World) -> None:
    shown = here.drop("tail", gzip.compress(TEXT) + b"tail")
    assert (shown["state"], shown["error"]["code"]) == ("partly", "trailing_data")
    assert here.messages() == DISTINCT_LINES
    assert here.drop("zeros", gzip.compress(b"a\n") + b"\0" * 5000, GLOBEX)["state"] == "done"


def test_a_ragged_row_is_refused_and_its_neighbours_are_stored(here: World) -> None:
    shown = here.drop("x.csv", b"level,message\ninfo,a\ninfo\nwarn,b,too many\nerror,c\n")
    assert (shown["state"], shown["rows_stored"], shown["rows_refused"]) == ("partly", 2, 2)
    assert here.messages() == ["a", "c"]
    assert shown["refusals"] == [
        {"index": 1, "code": "ragged_row", "reason": "The row has 1 cells where the header names 2."},
        {"index": 2, "code": "ragged_row", "reason": "The row has 3 cells where the header names 2."},
    ]


def test_a_quote_that_is_never_closed_costs_one_row(here: World) -> None:
    rows = "".join(f"info,row {number} {'x' * 80}\n" for number in range(40_000))
    shown = here.drop("x.csv", f'level,message\ninfo,first\ninfo,"open\n{rows}'.encode())
    assert here.messages()[0] == "first"
    assert shown["rows_refused"] >= 1
    assert shown["rows_stored"] + shown["rows_refused"] == 40_002


@pytest.mark.parametrize("end", [b"\nand on", b"\nand on\n"])
def test_a_quoted_row_that_is_cut_off_is_one_that_is_refused(here: World, end: bytes) -> None:
    body = gzip.compress(b'level,message\ninfo,a\ninfo,"open' + end)
    shown = here.drop("x.csv", body[:-8])
    assert (shown["state"], shown["rows_stored"], shown["rows_refused"]) == ("partly", 1, 1)
    assert shown["refusals"][0]["index"] == 1
    assert shown["refusals"][0]["code"] == "cut_off"
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
    shown = here.drop("empty", body)
    assert (shown["state"], shown["rows_stored"], shown["error"]["code"]) == ("done", 0, "empty")
    assert here.rows() == []
    assert here.originals() == []


def test_a_file_that_was_deleted_before_it_was_read_is_reported(here: World) -> None:
    body = here.put("gone", b"line\n")
    here.s3.delete_object(Bucket="drop", Key="dropin/v1/tenant=acme/gone")
    assert here.deliver(body) == []
    shown = here.status("gone")
    assert (shown["state"], shown["error"]["code"]) == ("failed", "gone")


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
    shown = here.drop(kind, body)

    assert (shown["state"], shown["rows_stored"], shown["rows_refused"]) == ("partly", 3, 1)
    assert shown["refusals"] == [
        {"index": 1, "code": "record_too_long", "reason": "The record is longer than 2 MiB."}
    ]
    assert [message[-1] for message in here.messages()][1:] == ["b", "c"]


def test_bad_records_are_rejected_by_number_and_the_first_hundred_are_listed(here: World) -> None:
    lines = [json.dumps({"message": f"m{number}"}) for number in range(300)]
    kinds = ("{broken", "not json", "17", '{"message": 1}')
    bad = {number: kinds[number // 2 % 4] for number in range(0, 300, 2)}
    shown = here.drop("x", "\n".join(bad.get(at, line) for at, line in enumerate(lines)).encode())

    assert (shown["state"], shown["rows_stored"], shown["rows_refused"]) == ("partly", 150, 150)
    assert [each["index"] for each in shown["refusals"]] == list(range(0, 200, 2))
    assert {each["code"] for each in shown["refusals"]} == {
        "invalid_json", "not_an_object", "message_not_text",
    }  # fmt: skip
    assert here.messages() == [f"m{number}" for number in range(1, 300, 2)]


def test_a_bad_element_of_an_array_harms_no_other(here: World) -> None:
    shown = here.drop("x", b'[{"message":"a"},{bad: "x"},{"message":"b"}, 17, "text", {"message":"c"}]')
    assert here.messages() == ["a", "b", "c"]
    assert [each["index"] for each in shown["refusals"]] == [1, 3, 4]


def test_an_array_that_breaks_off_gives_what_is_whole(here: World) -> None:
    body = as_array(hadoop(200))
    shown = here.drop("x", body[: len(body) // 2])
    assert (shown["state"], shown["error"]["code"]) == ("partly", "invalid_json")
    assert here.messages() == [line for line, _ in hadoop(200)][: shown["rows_stored"]]
    assert shown["rows_stored"] >= 95


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
    shown = here.drop("x", made())
    assert (shown["state"], shown["error"]["code"], shown["rows_stored"]) == ("failed", code, 0)
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
    shown = here.drop("progress", body)
    assert (shown["state"], shown["format"]) == ("done", form)
    assert here.messages() == messages


def test_text_that_is_no_utf8_loses_nothing(here: World) -> None:
    here.drop("latin", "grün\n".encode("latin-1") + "grün\n".encode())
    assert here.messages() == ["grün", "grün"]


def test_a_refused_accounts_file_is_failed_with_the_reason_and_kept(here: World) -> None:
    here.account(GLOBEX, AccountStatus("managed_15", 15, 10**7, accepts_until=1, end_reason="trial_ended"))
    shown = here.drop("x", b"line\n", GLOBEX)
    assert (shown["state"], shown["error"]["code"]) == ("failed", "trial_ended")
    assert "choose a plan" in shown["error"]["reason"]
    assert here.rows(GLOBEX) == []
    assert here.originals() == ["dropin/v1/tenant=globex/x"]
    assert here.drop("x", b"line\n")["state"] == "done"


def test_a_byoc_accounts_file_in_our_bucket_is_not_read(here: World) -> None:
    here.account("initech", AccountStatus("byoc", 30, 10**7))
    shown = here.drop("x", b"line\n", here.account("initech", AccountStatus("byoc", 30, 10**7)))
    assert (shown["state"], shown["error"]["code"]) == ("failed", "other_cloud")


@pytest.mark.parametrize("body", ["no json", "{}", '{"Records": [{}]}', '{"Records": 1}'])
def test_a_message_that_is_none_is_left_to_the_dead_letters(here: World, body: str) -> None:
    assert here.deliver(body) == [body]


def test_s3s_own_test_event_is_taken(here: World) -> None:
    assert here.deliver(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == []


def test_a_deletion_notification_by_mistake_is_no_file(here: World) -> None:
    body = s3_says("dropin/v1/tenant=acme/x", 1, "e").replace("ObjectCreated:Put", "ObjectRemoved:Delete")
    assert here.deliver(body) == []
    assert here.statuses() == []


def test_objects_that_are_printed_over_many_lines(here: World) -> None:
    body = "\n".join(
        json.dumps({"message": f"m{number}", "deep": {"n": number}}, indent=4) for number in range(300)
    )
    shown = here.drop("x", body.encode())
    assert (shown["state"], shown["format"]) == ("done", "json")
    assert here.messages() == [f"m{number}" for number in range(300)]


def test_a_zstd_window_that_is_too_large_is_no_damage(here: World) -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 28})
    shown = here.drop("x", compressor.compress(b"line\n") + compressor.flush())
    assert (shown["state"], shown["error"]["code"]) == ("failed", "unsupported_format")
    assert "128 MB" in shown["error"]["reason"]


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
