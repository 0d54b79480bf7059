"""The shortcut for ordinary bodies must say what judging one by one says, or nothing at all."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from functions.shared.events import bulk
from functions.shared.events.encoding import encode_rows
from functions.shared.events.judge import judge
from functions.shared.events.levels import BY_NAME
from functions.shared.events.row import ReceiptContext, Row
from functions.shared.events.timestamps import from_text
from functions.shared.tenancy import TenantId
from tests.examples import examples

texts = st.text(st.characters(codec="utf-8"), max_size=20)
times = st.sampled_from(
    [
        "2026-11-23T10:00:00Z", "2026-11-23T10:00:00.123456Z", "2026-11-23T10:00:00.1234567Z",
        "2026-11-23 10:00:00", "2026-11-23T10:00:00+05:30", "20261123T100000.1234567Z",
        "2026-11-23T100000.1234567Z", "2026-11-23T10:00:00.123456789Z", "2026-11-23T10:00:00,123456789Z",
        "2026-11-23t10:00:00.123456789Z", "2026-11-23T10:00:60.123456789Z", "2026-11-23T10:00:00.1234567891",
        "2026-11-23T10:00:00.1234567+01", "1999-12-31T23:59:59.999999999Z", "2026-13-23T10:00:00.123456789Z",
        "2026-W48-1T10:00:00Z", "1999-01-01T00:00:00Z", "2030-01-01T00:00:00Z",
        "", "junk", 1_764_000_000, 1_764_000_000_123.5, None, True,
    ]
)  # fmt: skip
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
metadata = st.dictionaries(
    texts | st.sampled_from(["trace_id", "span_id", "metadata"]), json_values, max_size=4
)
odd = st.one_of(json_values, st.none())
events = st.fixed_dictionaries(
    {"message": texts},
    optional={
        "timestamp": times,
        "level": st.sampled_from([*BY_NAME, "weird", None, 30]),
        "service": texts | odd,
        "project_id": texts | odd,
        "trace_id": texts | odd,
        "span_id": texts | odd,
        "metadata": metadata | odd,
        "host": json_values,
        "tenant_id": texts,
        "received_at": texts,
        "expires_on": texts,
    },
)


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "timestamp": from_text(row["timestamp"])}


@examples(600)
@given(st.lists(events, min_size=1, max_size=4), st.sampled_from(["events", "logs", "array", "ndjson"]))
@example([{"message": "a", "metadata": {"trace_id": "t"}}, {"message": "b", "trace_id": "t"}], "array")
@example([{"message": "a", "metadata": [{"a": 1, "metadata": {}}]}], "array")
@example([{"message": "a", "trace_id": "", "metadata": {"trace_id": "t"}}], "events")
def test_the_shortcut_agrees_with_the_reference(receipt_events: list[dict[str, Any]], form: str) -> None:
    texts = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in receipt_events]
    body = {
        "events": '{{"events":[{}]}}'.format(",".join(texts)),
        "logs": '{{"logs":[{}]}}'.format(",".join(texts)),
        "array": "[{}]".format(",".join(texts)),
        "ndjson": "\n".join(texts),
    }[form].encode()
    _assert_agrees(body, form == "ndjson", texts)


ROW_FORMS = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S.%f000Z",
    "%Y-%m-%dT%H:%M:%S.123Z",
)
days = st.sampled_from(
    [datetime(1999, 12, 31), datetime(2000, 1, 1), *(datetime(2026, 11, d) for d in (23, 24, 25))]
)
moments = st.builds(
    lambda day, micros: day + timedelta(microseconds=micros), days, st.integers(0, 86_400 * 10**6 - 1)
)


@examples(600)
@given(
    st.lists(moments, min_size=1, max_size=4),
    st.sampled_from(ROW_FORMS),
    st.none() | st.tuples(st.integers(0, 3), st.integers(0, 29), st.sampled_from("0123456789:-TtZ+., \n")),
)
def test_times_in_the_form_of_rows_agree_with_the_reference(
    received: list[datetime], form: str, change: tuple[int, int, str] | None
) -> None:
    times = [f"{moment:{form}}" for moment in received]
    if change:
        index, place, character = change[0] % len(times), change[1] % len(times[0]), change[2]
        times[index] = times[index][:place] + character + times[index][place + 1 :]
    texts = [json.dumps({"message": "m", "timestamp": time}, separators=(",", ":")) for time in times]
    _assert_agrees(f"[{','.join(texts)}]".encode(), False, texts)


@pytest.mark.parametrize("form", ROW_FORMS)
def test_times_in_the_form_of_rows_are_staged_as_sent(receipt: ReceiptContext, form: str) -> None:
    times = [f"{receipt.received_at + timedelta(seconds=second):{form}}" for second in (2, 0, 1)]
    rows = bulk.rows_of(
        json.dumps([{"message": "m", "timestamp": time} for time in times]).encode(), False, receipt
    )
    assert rows is not None
    assert [line["timestamp"] for line in _lines(rows)] == times


@pytest.mark.parametrize(
    "wrong",
    [
        "2026-11-23T10:61:00.123456Z", "2026-11-23T10:00:60.123456Z", "2026-11-23T24:00:00.123456Z",
        "2026-02-30T10:00:00.123456Z", "2026-11-23T10:00:00.123456z", "2026-11-23T10:00:00.12345６Z",
        "0000-11-23T10:00:00.123456Z",
    ],
)  # fmt: skip
def test_a_time_that_only_looks_like_one_is_left_to_the_reference(
    receipt: ReceiptContext, wrong: str
) -> None:
    times = ["2026-11-23T09:00:00.000000Z", wrong, "2026-11-23T11:00:00.000000Z"]
    body = json.dumps([{"message": "m", "timestamp": time} for time in times]).encode()
    assert bulk.rows_of(body, False, receipt) is None


def test_no_such_day_between_two_real_ones_is_left_to_the_reference(receipt: ReceiptContext) -> None:
    times = [f"2026-{day}T10:00:00.123456Z" for day in ("02-01", "02-30", "03-01")]
    body = json.dumps([{"message": "m", "timestamp": time} for time in times]).encode()
    assert bulk.rows_of(body, False, receipt) is None


def test_two_texts_that_only_together_look_like_times_are_left_to_the_reference(
    receipt: ReceiptContext,
) -> None:
    first, second = "2026-11-23T10:00:00.123456", "Z\n2026-11-23T10:00:00.123456Z"
    body = json.dumps([{"message": "m", "timestamp": time} for time in (first, second)]).encode()
    assert bulk.rows_of(body, False, receipt) is None


def _assert_agrees(body: bytes, ndjson: bool, texts: list[str]) -> None:
    """What the shortcut makes of `body`, if anything, is what the reference makes of its records `texts`."""
    receipt = fixed_receipt()
    shortcut = bulk.rows_of(body, ndjson, receipt)
    if shortcut is None:
        return
    judged = [judge(text.encode(), receipt) for text in texts]
    assert all(isinstance(row, Row) for row in judged), judged
    expected = _lines(judged)
    found = _lines(shortcut)
    assert len(found) == len(expected)
    assert list(map(comparable, found)) == list(map(comparable, expected))


def _lines(rows: list[Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in encode_rows(rows, "object", 7).lines.splitlines()]


def fixed_receipt() -> ReceiptContext:
    return ReceiptContext(
        TenantId("acme"), "default", datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC), 30
    )


def ordinary(count: int = 3) -> list[dict[str, Any]]:
    return [
        {
            "timestamp": f"2026-11-23T10:00:00.{number:06d}Z",
            "level": "INFO",
            "service": "api",
            "message": f"line {number}",
            "trace_id": "ab" * 16,
            "metadata": {"user": number, "nested": {"ok": True}},
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("wrap", [lambda e: {"events": e}, lambda e: {"logs": e}, lambda e: e])
def test_ordinary_bodies_take_the_shortcut(receipt: ReceiptContext, wrap: Any) -> None:
    shortcut = bulk.rows_of(json.dumps(wrap(ordinary())).encode(), False, receipt)
    assert shortcut is not None
    assert len(shortcut) == 3


def test_ordinary_lines_take_the_shortcut(receipt: ReceiptContext) -> None:
    body = "\n".join(map(json.dumps, ordinary())).encode()
    assert bulk.rows_of(body, True, receipt) is not None


@pytest.mark.parametrize(
    "column", ["tenant_id", "received_at", "expires_on", "batch_id", "object_id", "position"]
)
def test_a_sender_cannot_set_our_own_columns(receipt: ReceiptContext, column: str) -> None:
    for name in (column, f"\\u{ord(column[0]):04x}{column[1:]}"):
        body = b'[{"message":"x","%b":"evil"}]' % name.encode()
        assert bulk.rows_of(body, False, receipt) is None


@pytest.mark.parametrize("name", ["trace_id", "span_id", "trace\\u005fid", "sp\\u0061n_id"])
def test_an_id_that_only_the_metadata_has_is_left_to_the_reference(
    receipt: ReceiptContext, name: str
) -> None:
    body = b'[{"message":"x","metadata":{"%b":"t"}}]' % name.encode()
    assert bulk.rows_of(body, False, receipt) is None


@pytest.mark.parametrize("metadata", ["[]", '"{}"', "null", "1", "true", '[{"a":{}}]'])
def test_metadata_that_is_no_object_is_left_to_the_reference(receipt: ReceiptContext, metadata: str) -> None:
    body = b'[{"message":"x","metadata":%b}]' % metadata.encode()
    assert bulk.rows_of(body, False, receipt) is None


@pytest.mark.parametrize("text", ["20261123T100000.1234567Z", "2026-11-23T100000.1234567Z"])
def test_a_short_form_with_more_than_microseconds_is_left_to_the_reference(
    receipt: ReceiptContext, text: str
) -> None:
    assert bulk.rows_of(json.dumps([{"message": "m", "timestamp": text}]).encode(), False, receipt) is None


def test_rows_of_two_tenants_never_mix(receipt: ReceiptContext) -> None:
    other = structs.replace(receipt, tenant=TenantId("globex"))
    body = json.dumps(ordinary()).encode()
    for mine in (receipt, other, receipt):
        rows = bulk.rows_of(body, False, mine)
        assert rows is not None
        assert {line["tenant_id"] for line in _lines(rows)} == {str(mine.tenant)}
