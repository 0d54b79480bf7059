"""What a log record becomes, whatever an application logs."""

import enum
import json
import logging
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astralog._event import MAX_EVENT_BYTES, EventEncoder
from astralog._plain import MAX_DEPTH, MAX_NODES, MAX_REPR
from functions.shared.events import timestamps
from tests.examples import examples
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send

BYTES_OF_A_LINE = 1_000_000


def record_of(message: object = "m", *args: object, level: int = 20, **attributes: Any) -> logging.LogRecord:
    record = logging.LogRecord("shop.cart", level, "cart.py", 7, message, args, None, "put")
    vars(record).update(attributes)
    return record


def encoded(
    record: logging.LogRecord, metadata: Mapping[str, object] | None = None, max_message: int = 1000
) -> dict[str, Any]:
    encoder = EventEncoder("shop", "web", dict(metadata or {}), max_message)
    line = encoder.encode(record, logging.LogRecord.getMessage)
    assert b"\n" not in line
    assert len(line) <= BYTES_OF_A_LINE
    event: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
    return event


class Broken:
    """An object of an application whose methods fail."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


class Color(enum.IntEnum):
    RED = 1


def test_a_record_becomes_an_event_with_its_fields() -> None:
    record = record_of("order %d", 42, level=30, created=1795946400.123456, order=42, tags=["a", {"b": None}])
    assert encoded(record, {"region": "eu"}) == {
        "timestamp": "2026-11-29T10:00:00.123456+00:00",
        "level": "warn",
        "service": "shop",
        "project_id": "web",
        "message": "order 42",
        "metadata": {"region": "eu", "logger": "shop.cart", "order": 42, "tags": ["a", {"b": None}]},
    }


@pytest.mark.parametrize("microsecond", [0, 1, 499_999, 999_999])
def test_the_microsecond_of_a_record_is_kept(microsecond: int) -> None:
    moment = datetime(2026, 11, 29, 10, 0, 0, microsecond, UTC)
    sent = encoded(record_of(created=moment.timestamp()))["timestamp"]
    assert datetime.fromisoformat(sent) == moment
    assert timestamps.from_text(sent) is not None


def test_a_record_with_an_impossible_time_has_the_time_of_receipt() -> None:
    assert "timestamp" not in encoded(record_of(created=float("inf")))


@pytest.mark.parametrize(
    ("number", "level"),
    [(1, "trace"), (10, "debug"), (20, "info"), (25, "info"), (30, "warn"), (40, "error"), (50, "fatal")],
)
def test_the_number_of_a_level_decides(number: int, level: str) -> None:
    event = encoded(record_of(level=number))
    assert event["level"] == level
    assert ("level_name" in event["metadata"]) == (number % 10 != 0)


def test_an_exception_is_its_traceback_and_its_type() -> None:
    try:
        int("out of stock")
    except ValueError:
        fields = encoded(record_of(exc_info=sys.exc_info(), stack_info="Stack: here"))["metadata"]
    assert fields["exception"].startswith("Traceback (most recent call last)")
    assert fields["exception"].endswith("with base 10: 'out of stock'")
    assert (fields["exception_type"], fields["stack"]) == ("ValueError", "Stack: here")
    assert "exception" not in encoded(record_of(exc_info=(None, None, None)))["metadata"]


def test_an_exception_that_cannot_be_shown_costs_nothing_else() -> None:
    class UnreadableError(Exception):
        @property
        def __cause__(self) -> Any:  # type: ignore[override]
            raise RuntimeError("no")

    error = UnreadableError()
    fields = encoded(record_of(exc_info=(UnreadableError, error, None)))["metadata"]
    assert fields["exception_type"] == "UnreadableError"
    assert "UnreadableError" in fields["exception"]


def test_the_end_of_a_long_traceback_is_kept() -> None:
    fields = encoded(record_of(exc_text="x" * 2000 + "ValueError: the end"), max_message=100)["metadata"]
    assert fields["exception"].endswith("ValueError: the end")
    assert len(fields["exception"]) == 101


def test_a_mistake_in_a_log_call_does_not_cost_the_record() -> None:
    event = encoded(record_of("order %d", "forty", order=1))
    assert event["message"] == "order %d"
    assert "TypeError" in event["metadata"]["logging_error"]
    assert event["metadata"]["logging_args"] == "('forty',)"
    assert event["metadata"]["order"] == 1
    assert encoded(record_of(Broken()))["message"] == "<Broken: RuntimeError>"


def test_a_long_message_is_cut() -> None:
    assert encoded(record_of("x" * 5000), max_message=100)["message"] == "x" * 100 + "…"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (datetime(2026, 11, 29, 10, tzinfo=UTC), "2026-11-29T10:00:00+00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.10"), "1.10"),
        (Path("/a/b"), "/a/b"),
        (float("nan"), "nan"),
        (Color.RED, 1),
        (True, True),
        (b"\xff", "b'\\xff'"),
        ({1: {2}}, {"1": [2]}),
        ((1, "a"), [1, "a"]),
        (Broken(), "<Broken: RuntimeError>"),
        ([Broken()], ["<Broken: RuntimeError>"]),
    ],
    ids=range(12),
)
def test_an_extra_is_a_json_value_or_text(value: object, sent: object) -> None:
    assert encoded(record_of(value=value))["metadata"]["value"] == sent


def test_what_json_does_not_have_is_bounded() -> None:
    class Large:
        def __repr__(self) -> str:
            return "x" * 100_000

    endless: list[Any] = []
    endless.append(endless)
    fields = encoded(
        record_of(
            large=Large(), endless=endless, wide=list(range(MAX_NODES * 2)), text="x" * 5000, huge=10**10_000
        )
    )["metadata"]
    assert len(fields["large"]) == MAX_REPR + 1
    assert len(fields["wide"]) < MAX_NODES
    assert len(fields["text"]) == 1001
    assert isinstance(fields["huge"], str)
    assert json.dumps(fields["endless"], ensure_ascii=False) == "[" * MAX_DEPTH + '"…"' + "]" * MAX_DEPTH


def test_an_event_that_is_too_large_keeps_its_message() -> None:
    fields = {f"field{number}": "x" * 100_000 for number in range(20)}
    event = encoded(record_of("the message", **fields), max_message=200_000)
    assert event["message"] == "the message"
    assert event["metadata"] == {"logger": "shop.cart", "metadata_cut": True}
    assert MAX_EVENT_BYTES == BYTES_OF_A_LINE


def test_halves_of_surrogate_pairs_are_sent() -> None:
    assert encoded(record_of("a\ud800b"))["message"] == "a\ud800b"


def test_ids_of_opentelemetry_are_those_of_the_event() -> None:
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    event = encoded(record_of(otelTraceID=trace, otelSpanID=span))
    assert (event["trace_id"], event["span_id"]) == (trace, span)
    assert "trace_id" not in encoded(record_of(otelTraceID="0", otelSpanID="0"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(Broken),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


@examples(100)
@given(message=st.text(), extra=st.dictionaries(st.text(min_size=1).map("x{}".format), VALUES))
def test_whatever_is_logged_is_one_line_of_json(message: str, extra: dict[str, Any]) -> None:
    event = encoded(record_of(message, **extra))
    assert event["message"].startswith(message[:1000])
    assert event["metadata"].keys() == extra.keys() | {"logger"}


def test_the_service_stores_a_record_for_each_account_as_it_was_logged(ingest: InMemoryIngest) -> None:
    encoder = EventEncoder("shop", "web", {}, 1000)
    record = record_of("disk full", level=40, created=1795946400.5, order=42, trace_id="4bf92f3577b34da6")
    line = encoder.encode(record, logging.LogRecord.getMessage)
    for tenant in ("acme", "globex"):
        answer = send("POST /v1/drain", line, {"content-type": "application/x-ndjson"}, tenant=tenant)
        assert answer["statusCode"] == 202
        ((row,),) = ingest.staged(tenant)
        assert (row["tenant_id"], row["level"], row["service"]) == (tenant, "error", "shop")
        assert (row["message"], row["project_id"], row["trace_id"]) == (
            "disk full",
            "web",
            "4bf92f3577b34da6",
        )
        assert row["metadata"]["order"] == 42
