"""Axiom's ingest API: what its libraries send becomes rows, and they can parse each answer."""

import gzip
import json
from datetime import datetime
from typing import Any

import pytest
from backports import zstd

from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send, shown

pytestmark = pytest.mark.usefixtures("ingest")

PATH = "POST /v1/datasets/shop/ingest"
EDGE = "POST /v1/ingest/shop"
JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
TIME = "2026-11-29T10:00:00.123456789Z"
EVENT = {"_time": TIME, "level": "warn", "message": "disk full", "disk": {"name": "sda"}}


def as_lines(*events: Any) -> bytes:
    """NDJSON as axiom-py sends it, without a line break at the end."""
    return b"\n".join(json.dumps(event).encode() for event in events)


def only_row(ingest: InMemoryIngest, tenant: str = "acme") -> dict[str, Any]:
    ((row,),) = ingest.staged(tenant)
    return row


@pytest.mark.parametrize("url", [PATH, EDGE])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(as_lines(EVENT, EVENT)), {**NDJSON, "content-encoding": "gzip"}),
        (zstd.compress(as_lines(EVENT, EVENT) + b"\n"), {**NDJSON, "content-encoding": "zstd"}),
        (as_lines(EVENT, EVENT), {**NDJSON, "content-encoding": "1"}),
        (as_lines([EVENT, EVENT]), JSON),
        (as_lines(EVENT, EVENT), JSON),
        (as_lines([EVENT, EVENT]), {**JSON, "x-axiom-org-id": "org-1"}),
    ],
)
def test_events_become_rows_in_each_form_that_libraries_send(
    ingest: InMemoryIngest, url: str, body: bytes, headers: dict[str, str]
) -> None:
    for tenant in ("acme", "globex"):
        status, answer = said(send(url, body, headers, tenant=tenant))
        assert (status, answer["ingested"], answer["failed"]) == (200, 2, 0)
        (rows,) = ingest.staged(tenant)
        for row in rows:
            assert shown(row, "tenant_id", "message", "level", "timestamp", "service") == (
                tenant,
                "disk full",
                "warn",
                TIME,
                "shop",
            )
            assert row["metadata"] == {"dataset": "shop", "disk": {"name": "sda"}}


def test_the_answer_has_all_that_libraries_parse() -> None:
    body = as_lines({"a": 1}, {"a": 2, "_time": "never"}, 7) + b"\n{"
    status, answer = said(send(PATH, gzip.compress(body), {**NDJSON, "content-encoding": "gzip"}))
    failures = answer.pop("failures")
    assert (status, answer) == (
        200,
        {"ingested": 1, "failed": 3, "processedBytes": len(body), "blocksCreated": 0, "walLength": 0},
    )
    assert [failure["error"].partition(": ")[0] for failure in failures] == ["event 1", "event 2", "event 3"]
    assert "(invalid_timestamp)" in failures[0]["error"]
    assert all(datetime.fromisoformat(failure["timestamp"]).tzinfo for failure in failures)


def test_no_more_than_1_000_failures_are_described() -> None:
    _, answer = said(send(PATH, b"7\n" * 1200, NDJSON))
    assert (answer["ingested"], answer["failed"], len(answer["failures"])) == (0, 1200, 1000)


def test_a_bad_event_harms_no_other(ingest: InMemoryIngest) -> None:
    status, answer = said(send(PATH, b'{"message":"a"}\n{"message":\n{}\n{"message":"b"}', NDJSON))
    assert (status, answer["ingested"], answer["failed"]) == (200, 2, 2)
    assert [row["message"] for row in ingest.staged()[0]] == ["a", "b"]


@pytest.mark.parametrize(
    ("query", "event", "time", "left"),
    [
        ("", {"_time": TIME, "time": 1}, TIME, {"time": 1}),
        ("", {"_time": TIME, "timestamp": "soon"}, TIME, {"content.timestamp": "soon"}),
        ("", {"_time": 1_795_946_400_123}, "2026-11-29T10:00:00.123000000Z", {}),
        ("", {"ts": TIME}, TIME, {}),
        ("?timestamp-field=at", {"at": TIME, "_time": 1}, TIME, {"_time": 1}),
        ("?timestamp-field=_time&timestamp-format=2006-01-02", {"_time": TIME}, TIME, {}),
        ("?csv-delimiter=%3B", {"_time": TIME}, TIME, {}),
    ],
)
def test_the_time_is_that_of_the_timestamp_field(
    ingest: InMemoryIngest, query: str, event: dict[str, Any], time: str, left: dict[str, Any]
) -> None:
    assert said(send(PATH + query, as_lines(event), NDJSON))[1]["ingested"] == 1
    row = only_row(ingest)
    assert (row["timestamp"], row["metadata"]) == (time, {"dataset": "shop", **left})


@pytest.mark.parametrize("event", [{"message": "a"}, {"message": "a", "_time": None}])
def test_an_event_without_a_time_has_that_of_receipt(ingest: InMemoryIngest, event: dict[str, Any]) -> None:
    send(PATH, as_lines(event), NDJSON)
    row = only_row(ingest)
    assert row["timestamp"] == row["received_at"]


def test_a_format_that_is_not_read_fails_the_event_instead_of_guessing(ingest: InMemoryIngest) -> None:
    url = f"{PATH}?timestamp-field=at&timestamp-format=02/01/2006"
    _, answer = said(send(url, as_lines({"at": "03/04/2026", "message": "a"}), NDJSON))
    assert (answer["ingested"], answer["failed"]) == (0, 1)
    assert ingest.staged() == []


def test_a_log_record_of_the_handler_has_its_own_time(ingest: InMemoryIngest) -> None:
    record = {
        "name": "shop.cart",
        "msg": "disk full",
        "levelname": "WARNING",
        "levelno": 30,
        "created": 1795946400.1234567,
        "msecs": 123.0,
    }
    send(PATH, as_lines(record), NDJSON)
    row = only_row(ingest)
    assert shown(row, "message", "level") == ("disk full", "warn")
    assert row["timestamp"].startswith("2026-11-29T10:00:00.1234567")
    assert row["metadata"] == {"dataset": "shop", "name": "shop.cart", "levelno": 30, "msecs": 123.0}


def test_a_field_called_created_alone_is_no_time(ingest: InMemoryIngest) -> None:
    send(PATH, as_lines({"message": "a", "created": 1795946400}), NDJSON)
    row = only_row(ingest)
    assert (row["timestamp"], row["metadata"]["created"]) == (row["received_at"], 1795946400)


@pytest.mark.parametrize(
    ("event", "service", "dataset"),
    [
        ({"n": 1}, "shop", "shop"),
        ({"n": 1, "service": None}, "shop", "shop"),
        ({"n": 1, "service.name": "cart"}, "cart", "shop"),
        ({"n": 1, "app": "cart", "dataset": "mine"}, "cart", "mine"),
    ],
)
def test_the_dataset_is_the_service_of_an_event_that_has_none(
    ingest: InMemoryIngest, event: dict[str, Any], service: str, dataset: str
) -> None:
    send(PATH, as_lines(event), NDJSON)
    row = only_row(ingest)
    assert (row["service"], row["message"], row["metadata"]) == (service, "", {"dataset": dataset, "n": 1})


def test_a_dataset_that_is_too_long_for_a_service_is_kept_as_a_field(ingest: InMemoryIngest) -> None:
    for length, service in ((200, "d" * 200), (201, "")):
        send(f"POST /v1/ingest/{'d' * length}", as_lines({"n": 1}), NDJSON)
        row = next(rows[0] for rows in ingest.staged() if rows[0]["service"] == service)
        assert row["metadata"]["dataset"] == "d" * length


def test_labels_of_axiom_go_are_fields_of_each_event(ingest: InMemoryIngest) -> None:
    labels = {"x-axiom-event-labels": '{"env":"prod","service":"cart","dataset":"x"}'}
    send(PATH, as_lines({"message": "a"}, {"message": "b", "env": "test"}), {**NDJSON, **labels})
    rows = ingest.staged()[0]
    assert [(row["service"], row["metadata"]) for row in rows] == [
        ("cart", {"dataset": "x", "env": "prod"}),
        ("cart", {"dataset": "x", "env": "test"}),
    ]


@pytest.mark.parametrize("labels", ["7", "{", "[" * 9000])
def test_labels_that_are_no_object_reject_the_request(ingest: InMemoryIngest, labels: str) -> None:
    status, answer = said(send(PATH, as_lines(EVENT), {**NDJSON, "x-axiom-event-labels": labels}))
    assert (status, answer["code"]) == (400, "invalid_body")
    assert "X-Axiom-Event-Labels" in answer["message"]
    assert ingest.staged() == []


def test_csv_is_rejected_and_the_message_says_what_to_send(ingest: InMemoryIngest) -> None:
    status, answer = said(send(PATH, b"_time,message\n", {"content-type": "text/csv; charset=utf-8"}))
    assert status == 400
    assert "NDJSON" in answer["message"]
    assert answer.keys() == {"message", "code", "request_id"}
    assert ingest.staged() == []


@pytest.mark.parametrize(
    ("verdict", "status", "wait"),
    [
        ({"bytes_per_second": "0"}, 503, True),
        ({"refusal": "quota_exceeded"}, 429, False),
        ({"refusal": "account_closing"}, 403, False),
        ({"verdict": "unknown_key"}, 401, False),
    ],
)
def test_a_client_sleeps_for_seconds_at_most(verdict: dict[str, str], status: int, wait: bool) -> None:
    """axiom-py sleeps for a `Retry-After` of 429 and 503, in the thread that logs."""
    answer = send(PATH, as_lines(EVENT), NDJSON, **verdict)
    assert (answer["statusCode"], "retry-after" in answer["headers"]) == (status, wait)
    assert int(answer["headers"].get("retry-after", "0")) <= 10
    assert json.loads(answer["body"])["message"]


def test_a_retry_with_an_idempotency_key_is_stored_once(ingest: InMemoryIngest) -> None:
    for _ in range(2):
        _, answer = said(send(PATH, as_lines(EVENT), {**NDJSON, "idempotency-key": "batch-7"}))
        assert answer["ingested"] == 1
    assert len(ingest.staged()) == 1


def test_an_axiom_request_of_another_tenant_is_stored_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        send(PATH, as_lines({"message": f"of {tenant}"}), NDJSON, tenant=tenant)
    for tenant in ("acme", "globex"):
        assert shown(only_row(ingest, tenant), "message", "tenant_id") == (f"of {tenant}", tenant)
