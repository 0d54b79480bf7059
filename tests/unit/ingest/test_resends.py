"""A request that is sent again byte for byte is one batch, if its records have times of a fine clock."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.ingest import handler as ingesting
from functions.ingest.protocols.contract import Window
from functions.ingest.resends import WINDOW_MS, Resends
from functions.shared.events.judge import RejectedEvent
from functions.shared.events.staged_key import ID_CHARACTERS, time_ordered_id
from tests.unit.ingest.loki_bodies import compressed, entry, stream
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send

LOKI, OTLP = "POST /loki/api/v1/push", "POST /v1/logs"
JSON, PROTOBUF = {"content-type": "application/json"}, {"content-type": "application/x-protobuf"}
FINE, COARSE = 1_795_946_400_123_456_789, 1_795_946_400_123_000_000
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def loki(nanoseconds: int, line: str = "a") -> bytes:
    return compressed(stream("{}", entry(nanoseconds, line.encode())))


def otlp(nanoseconds: int, line: str = "a") -> bytes:
    record = {"timeUnixNano": str(nanoseconds), "body": {"stringValue": line}}
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()


SENDERS = {"loki": (LOKI, PROTOBUF, loki), "otlp": (OTLP, JSON, otlp)}


@pytest.mark.parametrize("name", SENDERS)
def test_the_same_bytes_are_stored_once_for_each_tenant(ingest: InMemoryIngest, name: str) -> None:
    url, headers, body = SENDERS[name]
    for tenant in ("acme", "globex", "acme", "globex", "acme"):
        assert send(url, body(FINE), headers, tenant=tenant)["statusCode"] in (200, 204)
    assert [len(ingest.staged(tenant)) for tenant in ("acme", "globex")] == [1, 1]


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize(
    "other",
    [
        {"line": "b"},
        {"nanoseconds": FINE + 1},
        {"url": "?a=b"},
        {"verdict": {"project_id": "other"}},
        {"headers": {"idempotency-key": "k"}},
    ],
)
def test_a_request_that_differs_in_what_decides_about_its_rows_is_another(
    ingest: InMemoryIngest, name: str, other: dict[str, Any]
) -> None:
    url, headers, body = SENDERS[name]
    send(url, body(FINE), headers)
    again = body(other.get("nanoseconds", FINE), other.get("line", "a"))
    send(url + other.get("url", ""), again, headers | other.get("headers", {}), **other.get("verdict", {}))
    assert len(ingest.staged()) == 2


@pytest.mark.parametrize("name", SENDERS)
def test_equal_requests_with_times_of_a_coarse_clock_are_two(ingest: InMemoryIngest, name: str) -> None:
    url, headers, body = SENDERS[name]
    for _ in range(2):
        send(url, body(COARSE), headers)
    assert len(ingest.staged()) == 2


def test_records_without_a_time_and_protocols_without_one_are_never_recognised(
    ingest: InMemoryIngest,
) -> None:
    for _ in range(2):
        send(OTLP, otlp(0), JSON)
        send("POST /v1/drain", b'{"message":"a","timestamp":"2026-11-29T10:00:00.123456789Z"}')
    assert len(ingest.staged()) == 4


def test_a_text_that_looks_like_a_fine_time_is_none(ingest: InMemoryIngest) -> None:
    for _ in range(2):
        send(LOKI, loki(COARSE, '"timestamp":"2026-11-29T10:00:00.123456789Z"'), PROTOBUF)
    assert len(ingest.staged()) == 2


def test_a_request_that_stored_nothing_is_judged_anew(
    ingest: InMemoryIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(ingesting, "_put", lambda *_given: (_ for _ in ()).throw(ValueError("a bug")))
        assert send(LOKI, loki(FINE), PROTOBUF)["statusCode"] == 503
    assert ingest.staged() == []
    assert send(LOKI, loki(FINE), PROTOBUF)["statusCode"] == 204
    assert len(ingest.staged()) == 1


def read_request(body: bytes = b"body", time: str = "2026-11-29T10:00:00.123456789Z") -> Resends:
    """A request with one record, read and decoded."""
    digest = Resends(["path"])
    assert list(digest.reading(iter((body,)))) == [body]
    parts = [RejectedEvent("code", "reason"), Window(b'{"timestamp":"%b"}\n' % time.encode(), ndjson=True)]
    assert list(digest.decoding(parts)) == parts
    return digest


def test_an_id_lasts_for_a_quarter_of_an_hour_and_sorts_among_others() -> None:
    window = timedelta(milliseconds=WINDOW_MS)
    first = read_request().object_id(NOON)
    assert first is not None
    assert len(first) == ID_CHARACTERS
    assert read_request().object_id(NOON + window - timedelta(milliseconds=1)) == first
    later = read_request().object_id(NOON + window)
    assert later is not None
    assert first < later
    before, after = (int((NOON + way * window).timestamp() * 1000) for way in (-1, 2))
    assert time_ordered_id(before) < first < later < time_ordered_id(after)


@pytest.mark.parametrize("time", ["2026-11-29T10:00:00.123000000Z", "2026-11-29T10:00:00Z", ""])
def test_a_time_without_digits_below_a_millisecond_gives_no_id(time: str) -> None:
    assert read_request(time=time).object_id(NOON) is None
