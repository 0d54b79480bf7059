"""Whole bodies: their forms, their sizes, and one bad record among good ones."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest import records, streamed
from functions.ingest.accept import Accepted, accept
from functions.ingest.protocols.contract import LogRequest
from functions.ingest.protocols.table import ProtocolTable
from functions.shared.errors import HttpError
from functions.shared.events.row import ReceiptContext
from functions.shared.events.staged_key import StagedKey
from tests.examples import examples
from tests.integration.http_events import drain_event
from tests.unit.ingest.protocols import InMemoryIngest

NDJSON = "application/x-ndjson"


def pieces(body: bytes, size: int = 1024 * 1024) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def accept_body(body: bytes, receipt: ReceiptContext, content_type: str = "application/json") -> Accepted:
    request = LogRequest(drain_event(b"", {"content-type": content_type}))
    return accept(ProtocolTable().of(request).decode(request, pieces(body)), receipt)


def messages(accepted: Accepted) -> list[str]:
    lines = b"".join(zstd.decompress(frame) for frame in accepted.frames).splitlines()
    return [json.loads(line)["message"] for line in lines]


def refusal(body: bytes, receipt: ReceiptContext, content_type: str = "application/json") -> str:
    with pytest.raises(HttpError) as caught:
        accept_body(body, receipt, content_type)
    assert 400 <= caught.value.status < 500
    return caught.value.code


ONE, TWO = b'{"message":"one"}', b'{"message":"two"}'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"events":[%b,%b]}' % (ONE, TWO), "application/json"),
        (b'{"source":"x","logs":[%b,%b]}' % (ONE, TWO), "application/json"),
        (b'{"events":[%b],"logs":[%b]}' % (ONE, TWO), "application/json"),
        (b" [\n%b ,\n%b ] \n" % (ONE, TWO), "application/json; charset=utf-8"),
        (b"%b\n%b\n" % (ONE, TWO), NDJSON),
        (b"\n%b\r\n\n%b" % (ONE, TWO), "application/x-ndjson; charset=utf-8"),
        (b"%b\n%b" % (ONE, TWO), "application/x-www-form-urlencoded"),
    ],
)
def test_every_form_of_body_is_read(receipt: ReceiptContext, body: bytes, content_type: str) -> None:
    assert messages(accept_body(body, receipt, content_type)) == ["one", "two"]


def test_a_bare_event_is_read(receipt: ReceiptContext) -> None:
    assert messages(accept_body(ONE, receipt)) == ["one"]


def test_a_bad_record_harms_no_other(receipt: ReceiptContext) -> None:
    body = b'{"events":[%b,{"message":5},{"message":"nan","metadata":{"a":NaN}},%b]}' % (ONE, TWO)
    accepted = accept_body(body, receipt)
    assert messages(accepted) == ["one", "two"]
    assert [(each.index, each.cause.code) for each in accepted.result.rejections] == [
        (1, "message_not_text"),
        (2, "invalid_json"),
    ]


def test_a_cut_off_emoji_is_replaced_and_the_event_kept(receipt: ReceiptContext) -> None:
    body = rb'[{"message":"half \ud83d"},{"message":"whole \ud83d\ude00, \\ud83d"}]'
    assert messages(accept_body(body, receipt)) == ["half \ufffd", "whole \U0001f600, \\ud83d"]


def test_two_equal_lines_are_two_rows(receipt: ReceiptContext) -> None:
    assert accept_body(b"[%b,%b]" % (ONE, ONE), receipt).result.rows == 2


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nonsense", b'[{"message":"a"}', b"[1,]", b'[{"message":"a"} 5]', b"\0"]
)
def test_what_is_no_json_is_refused(receipt: ReceiptContext, body: bytes) -> None:
    assert refusal(body, receipt) == "invalid_json"


@pytest.mark.parametrize("body", [b"{}", b'{"event":[]}', b'{"events":5}', b'"text"', b"5"])
def test_a_body_without_events_is_refused(receipt: ReceiptContext, body: bytes) -> None:
    assert refusal(body, receipt) == "no_events"


def test_listed_errors_are_bounded_but_all_are_counted(receipt: ReceiptContext) -> None:
    result = accept_body(b"[" + b"1," * 4999 + ONE + b"]", receipt).result
    assert (result.rows, result.rejected, len(result.rejections)) == (1, 4999, 1000)


def test_too_many_events_are_refused(receipt: ReceiptContext) -> None:
    assert refusal(b"[" + b"1," * 250_000 + b"1]", receipt) == "too_many_events"
    assert refusal(b'{"message":""}\n' * 250_000, receipt, NDJSON) == "too_many_events"


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
some_events = st.lists(
    st.fixed_dictionaries({"message": st.text(max_size=30), "x": values}), min_size=1, max_size=12
)


@examples(300)
@given(
    some_events,
    st.integers(1, 40),
    st.sampled_from(["array", "events", "ndjson"]),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n ", " : ")]),
)
def test_a_streamed_body_is_cut_where_records_end(
    events: list[dict[str, Any]], chunk: int, form: str, separators: tuple[str, str]
) -> None:
    if form == "ndjson":
        body = "\n".join(json.dumps(event, ensure_ascii=False) for event in events).encode()
        cut = streamed.lines
    else:
        text = json.dumps(events, ensure_ascii=False, separators=separators)
        body = (text if form == "array" else f'{{"events": {text} }}').encode()
        cut = streamed.elements
    found: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed, "WINDOW_BYTES", 50)
        for window in cut(chain([body[:20]], pieces(body[20:], chunk))):
            found.extend(json.loads(bytes(record)) for record in records.split(window))
    assert found == events


def test_a_large_body_is_judged_like_a_small_one(receipt: ReceiptContext) -> None:
    events = [{"message": f"line {number}", "metadata": {"pad": "x" * 300}} for number in range(40_000)]
    for form, content_type in (
        (json.dumps({"events": events}), ""),
        ("\n".join(map(json.dumps, events)), NDJSON),
    ):
        accepted = accept_body(form.encode(), receipt, content_type)
        assert accepted.result.rows == 40_000
        assert len(accepted.frames) > 5
        assert messages(accepted) == [event["message"] for event in events]


@pytest.mark.parametrize("opening", [b"[", b'{"logs":['])
@pytest.mark.parametrize("tail", [b"", b", nonsense]", b"]]", b"]}}", b'],"a":}'])
def test_a_large_body_that_breaks_off_is_refused(
    receipt: ReceiptContext, opening: bytes, tail: bytes
) -> None:
    body = opening + b",".join([b'{"message":"%b"}' % (b"x" * 1000)] * 9000) + tail
    assert refusal(body, receipt) == "invalid_json"


def test_a_large_envelope_may_hold_more_than_its_events(receipt: ReceiptContext) -> None:
    body = b'{"logs":[' + b",".join([b'{"message":"%b"}' % (b"x" * 1000)] * 9000) + b'],"source":{"a":1}}'
    assert accept_body(body, receipt).result.rows == 9000


def test_a_huge_record_in_a_large_body_is_refused(receipt: ReceiptContext) -> None:
    long = b'{"message":"%b"}' % (b"x" * 20_000_000)
    assert refusal(b"[%b]" % long, receipt) == "event_too_large"
    assert refusal(long, receipt, NDJSON) == "event_too_large"


def test_lines_that_follow_megabytes_of_white_space_are_not_lost(receipt: ReceiptContext) -> None:
    pause = b"\n".join([b" " * 1000] * 9000)
    assert messages(accept_body(ONE + b"\n" + pause + b"\n" + TWO, receipt, NDJSON)) == ["one", "two"]


def test_many_tiny_elements_are_cut_into_small_windows() -> None:
    body = b"[" + b"1," * 49_999 + b"1]"
    assert [len(list(records.split(window))) for window in streamed.elements(pieces(body))] == [
        20_000,
        20_000,
        10_000,
    ]


def test_rows_are_numbered_over_all_windows_and_rejected_records_have_no_number(
    receipt: ReceiptContext,
) -> None:
    """Of each window that the fast path reads, and of one that is judged record by record."""
    ordinary = b"\n".join(b'{"message":"%d"}' % number for number in range(60_000))
    body = b"\n".join([ordinary, b'{"message":7}', b'{"message":"other","host":"h"}', ordinary])
    accepted = accept_body(body, receipt, NDJSON)
    assert len(accepted.frames) > 2
    rows = [json.loads(line) for frame in accepted.frames for line in zstd.decompress(frame).splitlines()]
    assert [row["position"] for row in rows] == list(range(accepted.result.rows))
    assert {row["object_id"] for row in rows} == {receipt.object_id}
    assert [each.index for each in accepted.result.rejections] == [60_000]


def test_the_rows_of_a_request_have_the_id_of_its_object(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex", "acme"):
        ingest.send(b"info|one\ninfo|two", tenant=tenant)
    seen = []
    for tenant in ("acme", "globex"):
        for key, rows in ingest.objects(tenant):
            assert [row["object_id"] for row in rows] == [StagedKey.parse(key).object_id] * 2
            seen.append(rows[0]["object_id"])
    assert len(set(seen)) == 3


def test_a_retry_with_the_same_key_writes_no_second_object(ingest: InMemoryIngest) -> None:
    for _ in range(2):
        ingest.send(b"info|one", x_spoken_id="same")
    ((_, (row,)),) = ingest.objects("acme")
    assert row["position"] == 0
