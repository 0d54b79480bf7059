"""Real programs' lines, compressed and turned into other forms: each a row, with its own time."""

import json
from collections import Counter

import pytest

from tests.unit.uploads.samples import COMPRESSIONS, FORMS, LAYOUTS
from tests.unit.uploads.world import ACME, GLOBEX, World

CASES = [
    (layout, form, compression)
    for layout in LAYOUTS
    for form in FORMS
    for compression in COMPRESSIONS
    if (form == "lines" and compression in ("none", "gzip", "zstd"))
    or (layout == "hadoop" and form != "parquet")
    or compression == "none"
]


@pytest.mark.parametrize(("layout", "form", "compression"), CASES)
def test_each_line_becomes_one_row_with_its_own_time(
    here: World, layout: str, form: str, compression: str
) -> None:
    lines = LAYOUTS[layout](200)
    body = COMPRESSIONS[compression](FORMS[form](lines))
    shown = here.drop("whatever", body)

    assert (shown["state"], shown["rows_stored"], shown["rows_refused"]) == ("done", 200, 0)
    assert [(row["message"], row["timestamp"]) for row in here.rows()] == lines
    assert shown["compression"] == compression.split()[0]
    assert here.rows(GLOBEX) == []
    if form not in ("lines", "parquet"):
        assert [row["metadata"]["number"] for row in here.rows()] == list(range(200))


@pytest.mark.parametrize(
    ("layout", "service", "levels"),
    [
        ("apache", {"apache"}, {"info": 67, "error": 133}),
        ("hadoop", {""}, {"info": 67, "warn": 67, "error": 66}),
        ("linux", {"sshd", "ftpd", "kernel"}, {"info": 200}),
        ("openssh", {"sshd"}, {"info": 133, "error": 67}),
        ("openstack", {"nova-api", "nova-compute"}, {"info": 100, "warn": 100}),
    ],
)
def test_lines_say_their_service_and_level(
    here: World, layout: str, service: set[str], levels: dict[str, int]
) -> None:
    here.drop("lines", FORMS["lines"](LAYOUTS[layout](200)))

    assert {row["service"] for row in here.rows()} == service
    assert Counter(row["level"] for row in here.rows()) == levels


def test_what_a_line_says_besides_is_in_its_metadata_with_its_type(here: World) -> None:
    here.drop("a", FORMS["lines"](LAYOUTS["openstack"](1)))
    here.drop("b", FORMS["lines"](LAYOUTS["linux"](1)))
    openstack, linux = sorted((row["metadata"] for row in here.rows()), key=len, reverse=True)

    assert openstack == {
        "file": "nova-api.log.1.2017-05-16_13:53:08",
        "pid": 25746,
        "logger": "nova.osapi_compute.wsgi.server",
        "request_id": "req-38101a0b-2096-447d-96ea-a69216241500",
    }
    assert linux == {"host": "combo", "module": "pam_unix", "pid": 0}


def test_a_line_without_a_time_takes_that_of_the_line_before(here: World) -> None:
    lines = "first of all\n2026-01-02 03:04:05,678 ERROR boom\n\tat a.b.C\n\n2026-01-02 03:04:06 INFO on\n"
    here.drop("trace", lines.encode())
    times = [row["timestamp"] for row in here.rows()]

    assert times[0] == here.rows()[0]["received_at"]
    assert times[1:] == ["2026-01-02T03:04:05.678000000Z"] * 2 + ["2026-01-02T03:04:06.000000000Z"]
    assert [row["message"] for row in here.rows()][2] == "\tat a.b.C"


def test_a_time_is_written_in_ascii_digits_or_is_none(here: World) -> None:
    """A row whose time ClickHouse cannot read would be refused, and with it whatever lies in its batch."""
    lines = ["2026-01-02 03:04:05.٣ a", "2026-01-02 03:04:05.1٣ b", "٢٠٢٦-01-02 03:04:06 c"]
    here.drop("x", "\n".join(lines).encode())
    assert [row["timestamp"] for row in here.rows()] == [
        "2026-01-02T03:04:05.000000000Z",
        "2026-01-02T03:04:05.000000000Z",
        "2026-01-02T03:04:06.000000000Z",
    ]
    assert here.messages() == lines


def test_a_time_of_rfc_5424_that_is_none_is_none(here: World) -> None:
    lines = ["2026-01-02 03:04:05 INFO a", "<34>1 2026-13-41T10:00:00Z host app 1 ID - b"]
    here.drop("x", "\n".join(lines).encode())
    assert {row["timestamp"] for row in here.rows()} == {"2026-01-02T03:04:05.000000000Z"}


def test_ndjson_under_other_names_finds_its_columns(here: World) -> None:
    records = [
        {"@timestamp": "2026-01-01T00:00:00Z", "msg": "a", "severity": "WARN", "app": "shop", "n": 1.50},
        {"ts": 1767225600, "log": "b", "lvl": "fatal", "service": {"name": "pay", "version": "1"}},
        {"what": "no message at all", "ok": False, "deep": {"a": [1, None]}},
    ]
    shown = here.drop("other.log", "\n".join(map(json.dumps, records)).encode())
    rows = here.rows()

    assert shown["rows_stored"] == 3
    assert [row["message"] for row in rows] == ["a", "b", "what=no message at all ok=false"]
    assert [row["level"] for row in rows] == ["warn", "fatal", "info"]
    assert [row["service"] for row in rows] == ["shop", "pay", ""]
    assert {row["timestamp"] for row in rows[:2]} == {"2026-01-01T00:00:00.000000000Z"}
    assert [row["metadata"] for row in rows] == [
        {"n": 1.5},
        {"service.object": {"name": "pay", "version": "1"}},
        records[2],
    ]


def test_csv_cells_have_types_and_columns_their_names(here: World) -> None:
    body = (
        'Date,Time,Level,Content,code,big,"quoted, name",empty\r\n'
        '2015-10-18,"18:01:47,978",WARN,"said ""hi""\r\nand left",007,12345678901234567890,1.50,\r\n'
        "2015-10-18,18:01:48,odd,plain,42,-0.5,true,x\r\n"
    )
    shown = here.drop("table", body.encode())
    first, second = here.rows()

    assert (shown["format"], shown["rows_stored"]) == ("csv", 2)
    assert (first["timestamp"], first["level"]) == ("2015-10-18T18:01:47.978000000Z", "warn")
    assert first["message"] == 'said "hi"\nand left'
    assert first["metadata"] == {"code": "007", "big": "12345678901234567890", "quoted, name": 1.5}
    assert second["metadata"] == {
        "Level": "odd", "code": 42, "big": -0.5, "quoted, name": True, "empty": "x"
    }  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv_is_detected_with_any_delimiter(here: World, delimiter: str) -> None:
    lines = [["time", "level", "msg"], ["2026-01-01T00:00:00Z", "error", "a"], ["1767225601", "", "b"]]
    shown = here.drop("x", "\n".join(delimiter.join(line) for line in lines).encode())

    assert shown["format"] == "csv"
    assert [(row["level"], row["message"]) for row in here.rows()] == [("error", "a"), ("info", "b")]


def test_csv_is_detected_in_any_script(here: World) -> None:
    """Some letters of UTF-8 hold bytes that are ends of lines in other encodings."""
    rows = "".join(f"安全{number},全部完全\n" for number in range(60))
    shown = here.drop("x", f"name,remark\n{rows}".encode())
    assert (shown["state"], shown["format"], shown["rows_stored"]) == ("done", "csv", 60)
    assert here.rows()[0]["metadata"] == {"name": "安全0", "remark": "全部完全"}


def test_two_equal_lines_are_two_rows_and_two_tenants_equal_files_are_two_files(here: World) -> None:
    for tenant in (ACME, GLOBEX):
        assert here.drop("same", b"again\nagain\n", tenant)["rows_stored"] == 2
    assert [here.messages(tenant) for tenant in (ACME, GLOBEX)] == [["again", "again"]] * 2
