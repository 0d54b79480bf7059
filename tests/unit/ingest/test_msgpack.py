"""MessagePack on POST /v1/drain, and fluent-bit's JSON forms: every framing gives the same rows."""

import json
from typing import Any

import msgpack
import pytest

from functions.ingest.protocols.msgpack_records import MAX_BYTES, MAX_RECORDS
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

DRAIN = "POST /v1/drain"
MSGPACK = {"content-type": "application/msgpack", "user-agent": "Fluent-Bit"}
AT = "2026-11-29T10:00:00.500000000Z"
FIRST, SECOND = {"log": "one", "level": "error", "k8s": {"pod": "p"}}, {"log": "two"}
EVENT_TIME = msgpack.ExtType(0, (1795946400).to_bytes(4, "big") + (500_000_000).to_bytes(4, "big"))
DATE = 1795946400.5


def packed(*values: Any) -> bytes:
    return b"".join(msgpack.packb(value) for value in values)


@pytest.mark.parametrize(
    "body",
    [
        packed([[DATE, FIRST], [DATE, SECOND]]),
        packed([DATE, FIRST], [DATE, SECOND]),
        packed([[EVENT_TIME, {}], FIRST], [[EVENT_TIME, {}], SECOND]),
        packed([EVENT_TIME, FIRST], [EVENT_TIME, SECOND]),
        packed([[EVENT_TIME, FIRST]], [[EVENT_TIME, SECOND]]),
        packed([{"date": DATE, **FIRST}, {"date": DATE, **SECOND}]),
        packed({"date": DATE, **FIRST}, {"date": DATE, **SECOND}),
        packed([{"date": DATE, **FIRST}], [DATE, SECOND]),
        packed([msgpack.Timestamp(1795946400, 500_000_000), FIRST], [str(DATE), SECOND]),
        packed([EVENT_TIME, {b"log": b"one", "level": b"error", "k8s": {"pod": "p"}}], [DATE, SECOND]),
    ],
)
def test_every_framing_of_records_gives_the_same_rows(ingest: InMemoryIngest, body: bytes) -> None:
    status, answer = said(send(DRAIN, body, MSGPACK))
    assert (status, answer["accepted"], answer["rejected"]) == (202, 2, 0)
    ((first, second),) = ingest.staged()
    assert (first["message"], first["level"], first["timestamp"]) == ("one", "error", AT)
    assert first["metadata"] == {"k8s": {"pod": "p"}}
    assert (second["message"], second["timestamp"]) == ("two", AT)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b'[{"date":1795946400.5,"log":"one"},{"date":1795946400.5,"log":"two"}]'),
        ("application/json", b'{"date":1795946400.5,"log":"one"}{"date":1795946400.5,"log":"two"}'),
        ("application/json", b'{"date":1795946400.5,"log":"one"}\n{"date":1795946400.5,"log":"two"}\n'),
        ("application/x-ndjson", b'{"date":1795946400.5,"log":"one"}\n{"date":1795946400.5,"log":"two"}\n'),
        ("", b'{"date":1795946400.5,"log":"one"} {"date":1795946400.5,"log":"two"}'),
    ],
)
def test_fluent_bits_json_forms_are_read_too(ingest: InMemoryIngest, media_type: str, body: bytes) -> None:
    assert said(send(DRAIN, body, {"content-type": media_type}))[0] == 202
    (rows,) = ingest.staged()
    assert [(row["message"], row["timestamp"]) for row in rows] == [("one", AT), ("two", AT)]


def test_values_that_json_has_not_become_text(ingest: InMemoryIngest) -> None:
    record = {
        "log": "x",
        1: "one",
        "bin": b"\xff",
        "in": {"b": b"a"},
        "nan": float("nan"),
        "time": msgpack.Timestamp(1795946400, 7),
        "ext": msgpack.ExtType(5, b"a"),
        "big": 2**64 - 1,
    }
    send(DRAIN, packed([DATE, record]), MSGPACK)
    (((row),),) = ingest.staged()
    assert row["timestamp"] == "2026-11-29T10:00:00.000000007Z"
    assert row["metadata"] == {
        "1": "one",
        "bin": "/w==",
        "in": {"b": "YQ=="},
        "nan": None,
        "ext": {"ext_type": 5, "data": "YQ=="},
        "big": 2**64 - 1,
        "date": DATE,
    }


def test_the_metadata_of_a_fluent_record_is_kept(ingest: InMemoryIngest) -> None:
    send(DRAIN, packed([[EVENT_TIME, {"source": "s"}], {"log": "x"}]), MSGPACK)
    ((row,),) = ingest.staged()
    assert row["metadata"] == {"fluent_metadata": {"source": "s"}}


def test_a_bad_record_harms_no_other(ingest: InMemoryIngest) -> None:
    body = packed([{"log": "a"}, 7, {"log": "x" * 2**20}, [1], {"log": "b"}, [{}, 5], [DATE, {"log": "c"}]])
    status, answer = said(send(DRAIN, body, MSGPACK))
    assert (status, answer["accepted"]) == (202, 3)
    assert [(each["index"], each["code"]) for each in answer["errors"]] == [
        (1, "not_an_object"),
        (2, "event_too_large"),
        (3, "not_an_object"),
        (5, "not_an_object"),
    ]
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "no_events"),
        (b"\x90", 400, "no_events"),
        (b"\xc1", 400, "invalid_body"),
        (b"\xdd\xff\xff\xff\xff", 400, "invalid_body"),
        (b"\xdf\xff\xff\xff\xff\xa1a", 400, "invalid_body"),
        (b"\xdb\xff\xff\xff\xff" + b"x" * 100, 400, "invalid_body"),
        (b"\x91" * 100_000, 400, "invalid_body"),
        (packed({"log": "a"}) + b"\x81", 400, "invalid_body"),
        (b"\x92" + packed({"log": "a"}), 400, "invalid_body"),
        (b"\x80" * (MAX_RECORDS + 1), 413, "too_many_events"),
        (b"\x90" * (MAX_RECORDS + 1), 413, "too_many_events"),
        (b"\xc6\x00\xff\xff\xff" + b"x" * MAX_BYTES, 413, "payload_too_large"),
        (packed(7), 400, "all_rejected"),
        (packed({"a": {("x",): 1}}), 400, "all_rejected"),
    ],
)
def test_a_body_that_is_no_messagepack_is_refused_whole(
    ingest: InMemoryIngest, body: bytes, status: int, code: str
) -> None:
    import gzip

    answer = send(DRAIN, gzip.compress(body, 1), {**MSGPACK, "content-encoding": "gzip"})
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (status, code)
    assert ingest.staged() == []


@pytest.mark.parametrize(
    "agent",
    ["Fluent-Bit", "Vector/0.41.1 (x86_64)", "Logstash/8.15", "Manticore 0.9.1", "Ruby", "fluentd/1.17"],
)
def test_over_quota_is_429_with_a_long_wait_to_agents_that_drop_at_any_other_4xx(agent: str) -> None:
    for reason in ("quota_exceeded", "trial_quota_exceeded", "payment_overdue"):
        answer = send(DRAIN, packed(FIRST), {**MSGPACK, "user-agent": agent}, refusal=reason)
        assert (answer["statusCode"], answer["headers"]["retry-after"]) == (429, "600")
        assert json.loads(answer["body"])["code"] == reason
    for reason in ("subscription_ended", "account_closing", "trial_ended"):
        answer = send(DRAIN, packed(FIRST), {**MSGPACK, "user-agent": agent}, refusal=reason)
        assert (answer["statusCode"], "retry-after" in answer["headers"]) == (402, False)
    assert send(DRAIN, b"[]", {"user-agent": "curl/8"}, refusal="quota_exceeded")["statusCode"] == 402


def test_two_tenants_keep_their_records_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        send(DRAIN, packed([DATE, {"log": f"of {tenant}"}]), MSGPACK, tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [(row["message"], row["tenant_id"]) for row in ingest.staged(tenant)[0]] == [
            (f"of {tenant}", tenant)
        ]
