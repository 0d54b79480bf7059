"""Splunk's HTTP Event Collector: what its clients send becomes rows, and the codes are Splunk's."""

import gzip
import json
import re
from typing import Any

import pytest

from functions.ingest import handler as ingesting
from functions.shared.errors import RetryableError
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

EVENT = "POST /services/collector/event"
RAW = "POST /services/collector/raw"
AT = "2026-11-29T10:00:00.123000000Z"


def event(content: Any, **envelope: Any) -> bytes:
    return json.dumps({"event": content, "time": 1795946400.123, **envelope}).encode()


@pytest.mark.parametrize("path", ["", "/", "/event", "/event/1.0"])
@pytest.mark.parametrize("separator", [b"", b"\n", b" \r\n\t "])
def test_events_follow_each_other_with_or_without_white_space(
    ingest: InMemoryIngest, path: str, separator: bytes
) -> None:
    body = separator.join([event("one }{ two"), event({"message": "three"}, time="1795946400.123")])
    assert said(send(f"POST /services/collector{path}", body)) == (200, {"text": "Success", "code": 0})
    ((first, second),) = ingest.staged()
    assert (first["message"], first["timestamp"]) == ("one }{ two", AT)
    assert (second["message"], second["timestamp"]) == ("three", AT)


@pytest.mark.parametrize(
    ("sent", "row", "metadata"),
    [
        (
            {"event": "a line", "host": "h1", "source": "/var/log/x", "sourcetype": "app", "index": "main"},
            {"message": "a line", "level": "info"},
            {"host": "h1", "source": "/var/log/x", "sourcetype": "app", "index": "main"},
        ),
        (
            {"event": {"msg": "hi", "severity": "error", "n": 12345678901234567}, "fields": {"app": "shop"}},
            {"message": "hi", "level": "error", "service": "shop"},
            {"n": 12345678901234567},
        ),
        (
            {"event": {"message": {"message": "inner", "level": "warn"}, "severity": "info"}},
            {"message": "inner", "level": "warn"},
            {"severity": "info"},
        ),
        (
            {"event": {"line": "docker says", "source": "stdout", "tag": "t"}, "source": "docker"},
            {"message": "docker says"},
            {"source": "docker", "content.source": "stdout", "tag": "t"},
        ),
        (
            {"event": {"message": [1, 2]}, "time": "1795946400"},
            {"message": "[1, 2]", "timestamp": "2026-11-29T10:00:00.000000000Z"},
            {"content": [1, 2]},
        ),
        ({"event": 7}, {"message": "7"}, {"content": 7}),
        (
            {"event": {"timestamp": "2026-11-29T11:00:00Z", "x": 1}},
            {"message": "", "timestamp": AT},
            {"content.timestamp": "2026-11-29T11:00:00Z", "x": 1},
        ),
        ({"event": {"message": None, "x": 1}}, {"message": ""}, {"x": 1}),
        ({"event": "metric", "fields": "none"}, {"message": "metric"}, {"fields": "none"}),
    ],
)
def test_an_envelope_becomes_a_row(
    ingest: InMemoryIngest, sent: dict[str, Any], row: dict[str, Any], metadata: dict[str, Any]
) -> None:
    assert said(send(EVENT, json.dumps({"time": 1795946400.123, **sent}).encode()))[0] == 200
    ((found,),) = ingest.staged()
    assert {name: found[name] for name in row} == row
    assert found["metadata"] == metadata


def test_raw_lines_are_events_and_the_query_is_their_envelope(ingest: InMemoryIngest) -> None:
    body = b'one\n\n  {"msg":"two","level":"warn"}\n{broken\n\xff'
    assert said(send(f"{RAW}/1.0?host=h&sourcetype=s&channel=c", body))[0] == 200
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["one", "two", "{broken", "\ufffd"]
    assert {row["metadata"]["host"] for row in rows} == {"h"}
    assert rows[1]["level"] == "warn"


def test_an_acknowledgement_is_given_for_a_channel_only_and_is_true_at_once() -> None:
    assert "ackId" not in said(send(EVENT, event("a")))[1]
    for url, headers in ((EVENT, {"x-splunk-request-channel": "c-1"}), (f"{EVENT}?channel=c-1", {})):
        status, answer = said(send(url, event("a"), headers))
        assert (status, type(answer["ackId"])) == (200, int)
        acks = json.dumps({"acks": [answer["ackId"], 1]}).encode()
        assert said(send("POST /services/collector/ack?channel=c-1", acks)) == (
            200,
            {"acks": {str(answer["ackId"]): True, "1": True}},
        )
    assert said(send("POST /services/collector/ack", b"{}")) == (
        400,
        {"text": "Invalid data format: The body has no 'acks', a list of ids.", "code": 6},
    )
    assert said(send("POST /services/collector/ack", b'{"acks":[1]}', verdict="missing_key"))[0] == 401


def test_health_and_options_need_no_key() -> None:
    for path in ("health", "health/1.0"):
        assert said(send(f"GET /services/collector/{path}", verdict="missing_key")) == (
            200,
            {"text": "HEC is healthy", "code": 17},
        )
    answer = send("OPTIONS /services/collector/event/1.0", verdict="missing_key")
    assert (answer["statusCode"], answer["headers"]["allow"]) == (200, "GET, POST, OPTIONS")


@pytest.mark.parametrize("url", ["POST /services/other", "POST /services/collector/x"])
def test_a_path_that_splunk_does_not_have_is_its_404(ingest: InMemoryIngest, url: str) -> None:
    assert said(send(url, event("a")))[0] == 404
    assert ingest.staged() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 5),
        (b"  \n ", 5),
        (b"[]", 5),
        (b"{", 6),
        (b"text", 6),
        (b'{"event":"a"} rest', 6),
        (b"[[1]]", 6),
        (b'{"time":1}', 12),
        (b'{"event":null}', 13),
        (b'{"event":""}', 13),
        (b'{"event":"a","time":"soon"}', 6),
        (b"{}", 12),
    ],
)
def test_a_body_without_events_has_splunks_code(ingest: InMemoryIngest, body: bytes, code: int) -> None:
    status, answer = said(send(EVENT, body))
    assert (status, answer["code"]) == (400, code)
    assert ingest.staged() == []


def test_a_bad_event_harms_no_other_and_is_named_in_the_success(ingest: InMemoryIngest) -> None:
    status, answer = said(send(EVENT, event("a") + b'{"time":1}' + event("c")))
    assert (status, answer["code"], answer["invalid-event-number"]) == (200, 0, 1)
    assert (answer["accepted"], answer["errors"]) == (
        2,
        [{"index": 1, "code": "message_missing", "reason": "The event has no 'event'."}],
    )
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["a", "c"]


def test_the_key_that_was_sent_decides_between_the_codes_of_401() -> None:
    sent = {"authorization": "Splunk ast_sk_live_x"}
    assert said(send(EVENT, event("a"), verdict="missing_key")) == (
        401,
        {"text": "Token is required", "code": 2},
    )
    assert said(send(EVENT, event("a"), sent, verdict="unknown_key")) == (
        401,
        {"text": "Invalid token", "code": 4},
    )


def test_what_a_wait_would_save_is_busy_and_a_closed_account_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for verdict in ({"bytes_per_second": "0"}, {"refusal": "quota_exceeded"}):
        answer = send(EVENT, event("a"), **verdict)
        assert said(answer) == (503, {"text": "Server is busy", "code": 9})
        assert int(answer["headers"]["retry-after"]) >= 1
    closed = send(EVENT, event("a"), refusal="account_closing")
    assert (closed["statusCode"], "retry-after" in closed["headers"]) == (403, False)
    for fault, status, code in ((ValueError("a bug"), 500, 8), (RetryableError("S3"), 503, 9)):
        monkeypatch.setattr(ingesting, "_put", lambda *_given, fault=fault: (_ for _ in ()).throw(fault))
        answered = said(send(EVENT, event("a")))
        assert (answered[0], answered[1]["code"]) == (status, code)


def test_two_tenants_keep_their_events_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        send(EVENT, gzip.compress(event(f"of {tenant}")), {"content-encoding": "gzip"}, tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [(row["message"], row["tenant_id"]) for row in ingest.staged(tenant)[0]] == [
            (f"of {tenant}", tenant)
        ]


def test_dockers_driver_sends_options_first_and_no_content_type(ingest: InMemoryIngest) -> None:
    """A request of Docker's splunk driver, as its source writes it."""
    assert send("OPTIONS /services/collector/event/1.0", verdict="missing_key")["statusCode"] == 200
    body = (
        b'{"event":{"line":"hello","source":"stdout","tag":"8e4a"},"time":"1795946400.123456","host":"d1"}'
        b'{"event":{"line":{"level":"error","msg":"json"},"source":"stdout","tag":"8e4a"},'
        b'"time":"1795946401.000000","host":"d1"}'
    )
    assert said(send("POST /services/collector/event/1.0", body)) == (200, {"text": "Success", "code": 0})
    ((first, second),) = ingest.staged()
    assert (first["message"], first["timestamp"]) == ("hello", "2026-11-29T10:00:00.123456000Z")
    assert (second["message"], second["level"]) == ("json", "error")
    assert second["metadata"] == {"source": "stdout", "tag": "8e4a", "host": "d1"}
    assert re.fullmatch(r".*10:00:01\.0{9}Z", second["timestamp"])
