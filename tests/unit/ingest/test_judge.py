"""Each rule of what is accepted, one record at a time."""

import json
from typing import Any

import msgspec
import pytest

from functions.shared.events.judge import MAX_METADATA_DEPTH, RejectedEvent, judge
from functions.shared.events.row import ReceiptContext, Row


def accepted(receipt: ReceiptContext, record: Any) -> Row:
    row = judge(record if isinstance(record, bytes) else json.dumps(record).encode(), receipt)
    assert isinstance(row, Row), row
    return row


def refused(receipt: ReceiptContext, record: Any) -> str:
    verdict = judge(record if isinstance(record, bytes) else json.dumps(record).encode(), receipt)
    assert isinstance(verdict, RejectedEvent), verdict
    return verdict.code


def metadata(row: Row) -> Any:
    return msgspec.json.decode(row.metadata)


def test_a_message_alone_is_an_event(receipt: ReceiptContext) -> None:
    row = accepted(receipt, {"message": "hello"})
    assert (row.message, row.level, row.service, row.project_id) == ("hello", "info", "", "default")
    assert row.timestamp == row.received_at == "2026-11-23T12:30:15.123456Z"
    assert bytes(row.metadata) == b"{}"


@pytest.mark.parametrize("record", [b"1", b'"text"', b"null", b"[]", b"[[]]", b"true"])
def test_what_is_no_object_is_refused(receipt: ReceiptContext, record: bytes) -> None:
    assert refused(receipt, record) == "not_an_object"


@pytest.mark.parametrize("record", [{}, {"message": None}, {"msg": "x"}])
def test_an_event_without_a_message_is_refused(receipt: ReceiptContext, record: Any) -> None:
    assert refused(receipt, record) == "message_missing"


@pytest.mark.parametrize("message", [1, 1.5, True, [], {"a": 1}])
def test_a_message_that_is_no_text_is_refused(receipt: ReceiptContext, message: Any) -> None:
    assert refused(receipt, {"message": message}) == "message_not_text"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("INFO", "info"),
        ("Warning", "warn"),
        ("ERR", "error"),
        ("crit", "fatal"),
        ("  debug ", "debug"),
        (3, "error"),
        (7, "debug"),
        (30, "info"),
        (60, "fatal"),
        ("NOTICE", "info"),
        (None, "info"),
    ],
)
def test_a_level_is_known_by_any_of_its_names(receipt: ReceiptContext, sent: Any, stored: str) -> None:
    row = accepted(receipt, {"message": "x", "level": sent})
    assert row.level == stored
    assert bytes(row.metadata) == b"{}"


@pytest.mark.parametrize("level", ["purple", 99, 1.5, True, {"a": 1}])
def test_an_unknown_level_is_info_and_kept_in_the_metadata(receipt: ReceiptContext, level: Any) -> None:
    row = accepted(receipt, {"message": "x", "level": level})
    assert row.level == "info"
    assert metadata(row) == {"level": level}


@pytest.mark.parametrize("timestamp", ["soon", True, {}, [1], "9" * 50])
def test_a_time_that_is_none_is_refused(receipt: ReceiptContext, timestamp: Any) -> None:
    assert refused(receipt, {"message": "x", "timestamp": timestamp}) == "invalid_timestamp"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("0001-01-01T00:00:00Z", "2000-01-01T00:00:00.000000000Z"),
        (0, "2000-01-01T00:00:00.000000000Z"),
        ("9999-12-31T23:59:59Z", "2026-11-24T12:30:15.123456000Z"),
    ],
)
def test_a_time_out_of_range_is_moved_and_the_original_kept(
    receipt: ReceiptContext, sent: Any, stored: str
) -> None:
    row = accepted(receipt, {"message": "x", "timestamp": sent})
    assert row.timestamp == stored
    assert metadata(row) == {"original_timestamp": sent}


def test_nanoseconds_are_kept(receipt: ReceiptContext) -> None:
    row = accepted(receipt, {"message": "x", "timestamp": "2026-11-23T10:00:00.123456789Z"})
    assert row.timestamp == "2026-11-23T10:00:00.123456789Z"


def test_unknown_root_keys_are_kept_in_the_metadata(receipt: ReceiptContext) -> None:
    row = accepted(receipt, {"message": "x", "host": "h1", "metadata": {"a": 1}, "tenant_id": "evil"})
    assert metadata(row) == {"a": 1, "host": "h1", "tenant_id": "evil"}
    assert row.tenant_id == "acme"


def test_a_root_key_that_the_metadata_has_too_is_kept_beside_it(receipt: ReceiptContext) -> None:
    row = accepted(receipt, {"message": "x", "host": "root", "metadata": {"host": "inner"}})
    assert metadata(row) == {"host": "inner", "_root.host": "root"}


def test_ids_are_taken_from_the_root_or_promoted_from_the_metadata(receipt: ReceiptContext) -> None:
    row = accepted(
        receipt, {"message": "x", "span_id": "s1", "metadata": {"trace_id": "t1", "span_id": "s2"}}
    )
    assert (row.trace_id, row.span_id) == ("t1", "s1")
    assert metadata(row) == {"trace_id": "t1", "span_id": "s2"}


def test_an_id_that_is_no_text_is_kept_in_the_metadata(receipt: ReceiptContext) -> None:
    row = accepted(receipt, {"message": "x", "trace_id": 17})
    assert row.trace_id == ""
    assert metadata(row) == {"trace_id": 17}


def test_metadata_stays_as_it_came_to_the_byte(receipt: ReceiptContext) -> None:
    sent = b'{"a":1.50, "b":1e400,"c":{"d":[ ]},"a":false,"n":' + b"7" * 5000 + b"}"
    row = accepted(receipt, b'{"message":"x","metadata":' + sent + b"}")
    assert bytes(row.metadata) == sent


def test_metadata_over_several_lines_is_put_on_one(receipt: ReceiptContext) -> None:
    row = accepted(receipt, b'{"message":"x","metadata":{\n  "a": 1.50,\r\n  "b": "l\\nine"\n}}')
    assert bytes(row.metadata) == b'{"a":1.50,"b":"l\\nine"}'


@pytest.mark.parametrize("value", [[1], "text", 5, True])
def test_metadata_that_is_no_object_is_refused(receipt: ReceiptContext, value: Any) -> None:
    assert refused(receipt, {"message": "x", "metadata": value}) == "metadata_not_an_object"


@pytest.mark.parametrize("place", ["metadata", "elsewhere"])
def test_nesting_is_bounded(receipt: ReceiptContext, place: str) -> None:
    def nested(depth: int) -> bytes:
        inner = b'{"a":' * depth + b"1" + b"}" * depth
        return b'{"message":"x","%b":%b,"pad":"%b"}' % (place.encode(), inner, b"[" * 500)

    accepted(receipt, nested(MAX_METADATA_DEPTH))
    assert refused(receipt, nested(MAX_METADATA_DEPTH + 1)) == "too_deep"
    assert refused(receipt, nested(100_000)) == "too_deep"


@pytest.mark.parametrize("field", ["service", "project_id"])
@pytest.mark.parametrize("value", [5, ["a"], "x" * 201])
def test_a_name_must_be_a_short_text(receipt: ReceiptContext, field: str, value: Any) -> None:
    assert refused(receipt, {"message": "x", field: value}) == f"invalid_{field}"


@pytest.mark.parametrize(
    "record",
    [
        b'{"message":NaN}',
        b'{"message":"x","metadata":{"a":Infinity}}',
        b'{"message":"\xff"}',
        b'{"message":"x"',
        b'{"message":"x","metadata":{"\xed\xa0\x80":1}}',
        b"{]",
        b"",
        b'{"message":"\x01"}',
        b'{"message":01}',
    ],
)
def test_what_is_no_json_or_no_unicode_is_refused(receipt: ReceiptContext, record: bytes) -> None:
    assert refused(receipt, record) == "invalid_json"


def test_a_huge_event_is_refused(receipt: ReceiptContext) -> None:
    assert refused(receipt, {"message": "x" * (1024 * 1024 + 1)}) == "event_too_large"


def test_very_many_fields_are_refused_before_they_cost_memory(receipt: ReceiptContext) -> None:
    fields = b",".join(b'"%d":1' % number for number in range(160_000))
    assert refused(receipt, b'{"message":"x",%b}' % fields) == "too_many_fields"


def test_no_reason_quotes_the_record(receipt: ReceiptContext) -> None:
    canary = "canary-5c1f"
    for record in (
        {"message": 5, "x": canary},
        {"message": "x", "timestamp": canary},
        {"message": "x", "metadata": canary},
    ):
        verdict = judge(json.dumps(record).encode(), receipt)
        assert isinstance(verdict, RejectedEvent)
        assert canary not in verdict.reason
