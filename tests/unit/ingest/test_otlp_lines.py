"""The lines that are written from the wire are those of the reference, byte for byte."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as SentRecord

from functions.ingest.protocols.otlp import events, log_messages
from functions.ingest.protocols.otlp.attributes import MAX_KEPT_BYTES, AttributeCache
from functions.ingest.protocols.otlp.events import origin_of
from functions.ingest.protocols.otlp.lines import _RESERVED, OriginLines
from functions.ingest.protocols.otlp.values import value_of, values_of
from tests.examples import examples

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=MAX_KEPT_BYTES + 20)
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 40_000)
NAMES = st.sampled_from([*sorted(_RESERVED), "a", "b", "service.name", "scope.name", ""]) | TEXTS

VALUES = st.recursive(
    st.builds(AnyValue)
    | st.builds(AnyValue, string_value=TEXTS)
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=WHOLE)
    | st.builds(AnyValue, double_value=st.floats())
    | st.builds(AnyValue, bytes_value=st.binary(max_size=9)),
    lambda inner: (
        st.builds(AnyValue, array_value=st.builds(ArrayValue, values=st.lists(inner, max_size=3)))
        | st.builds(
            AnyValue,
            kvlist_value=st.builds(
                KeyValueList, values=st.lists(st.builds(KeyValue, key=NAMES, value=inner), max_size=3)
            ),
        )
    ),
    max_leaves=4,
)
PAIRS = st.lists(st.builds(KeyValue, key=NAMES, value=VALUES), max_size=5)
TIMES = st.just(0) | st.integers(1_795_946_400 * 10**9, 1_795_946_402 * 10**9) | st.integers(0, 2**64 - 1)
RECORDS = st.builds(
    SentRecord,
    time_unix_nano=TIMES,
    observed_time_unix_nano=TIMES,
    severity_number=st.integers(0, 24),
    severity_text=st.sampled_from(["", "INFO", "warn", "Notice", "x" * 50]) | TEXTS,
    body=st.none() | VALUES,
    attributes=PAIRS,
    dropped_attributes_count=st.sampled_from([0, 0, 7]),
    flags=st.sampled_from([0, 1, 2**32 - 1]),
    trace_id=st.sampled_from([b"", bytes(range(16))]),
    span_id=st.sampled_from([b"", bytes(range(8))]),
    event_name=st.sampled_from(["", "cart.opened"]),
)


def reference(sent: SentRecord, origin: events.RecordOrigin) -> bytes:
    """The event of a record by the published classes."""
    record = events.LogRecord(
        sent.time_unix_nano,
        sent.observed_time_unix_nano,
        sent.severity_number,
        sent.severity_text,
        value_of(sent.body),
        values_of(sent.attributes),
        sent.trace_id.hex(),
        sent.span_id.hex(),
        sent.flags,
        sent.event_name,
        sent.dropped_attributes_count,
    )
    return msgspec.json.encode(events.event_of(record, origin))


@examples(1000)
@given(st.lists(RECORDS, min_size=1, max_size=3), PAIRS, PAIRS, st.sampled_from(["", "shop.cart"]))
def test_a_line_is_the_event_of_the_reference(
    records: list[Any], resource: list[KeyValue], scope: list[KeyValue], name: str
) -> None:
    origin = origin_of(values_of(resource), values_of(scope), name, "")
    lines = OriginLines(origin, AttributeCache())
    for sent in records:
        read = log_messages.LogRecord.FromString(sent.SerializeToString())
        assert lines.line(read) == reference(sent, origin)


@pytest.mark.parametrize("status", [0, 1, 127, 128, 200, 16_383, 16_384, -1])
def test_whole_numbers_of_every_length_are_read(status: int) -> None:
    sent = KeyValue(key="http.status", value=AnyValue(int_value=status)).SerializeToString()
    assert AttributeCache().pairs([sent]) == [("http.status", b'"http.status":%d' % status)]


@pytest.mark.parametrize(
    "attribute",
    [
        b"",
        b"\x0a",
        b"\x0a\x01a",
        b"\x0a\x01a\x12",
        b"\x0a\x01a\x12\x00",
        b"\x0a\x01a\x12\x02\x0a\x00",
        b"\x12\x00\x0a\x01a",
        b"\x0a\x01a\x12\x02\x18\x05\x12\x02\x18\x06",
        b"\x0a\x01a\x12\x04\x18\x05\x18\x06",
    ],
)
def test_an_attribute_in_an_odd_form_is_what_the_parser_makes_of_it(attribute: bytes) -> None:
    parsed = KeyValue.FromString(attribute) if len(attribute) not in (1, 4) else None
    if parsed is None:
        with pytest.raises(Exception, match="Error parsing message"):
            AttributeCache().pairs([attribute])
        return
    encoded = msgspec.json.encode({parsed.key: value_of(parsed.value)})[1:-1]
    assert AttributeCache().pairs([attribute]) == [(parsed.key, encoded)]
