"""Loki's push: both encodings give the same rows, and answers by which its agents keep or drop a batch."""

import gzip
import json
from typing import Any

import cramjam
import pytest

from functions.ingest import handler as ingesting
from functions.ingest.protocols.loki import labels, protobuf
from functions.ingest.protocols.loki.json_form import MAX_BYTES
from functions.ingest.unmatched import RouteTable
from functions.shared.errors import HttpError, RetryableError
from tests.integration.http_events import drain_event
from tests.measured import cost_of
from tests.unit.ingest.loki_bodies import JSON, PROTOBUF, compressed, entry, field, stream, varint
from tests.unit.ingest.protocols import InMemoryIngest

ROUTE = "POST /loki/api/v1/push"
NOW = 1_795_946_400_123_456_789
PROTO = "application/x-protobuf"

pytestmark = pytest.mark.usefixtures("ingest")

LABELS = '{service_name="shop", env="prod", level="warning", job="j"}'
PUSH = stream(
    LABELS,
    entry(NOW, b"first"),
    entry(NOW + 1, "zwölf".encode(), trace_id="t1", spanId="s1", detected_level="error", env="mine", job="k"),
)
PUSH_IN_JSON = {
    "streams": [
        {
            "stream": {"service_name": "shop", "env": "prod", "level": "warning", "job": "j"},
            "values": [
                [str(NOW), "first"],
                [
                    str(NOW + 1),
                    "zwölf",
                    {"trace_id": "t1", "spanId": "s1", "detected_level": "error", "env": "mine", "job": "k"},
                ],
            ],
        }
    ]
}


def post(body: bytes | dict[str, Any], media_type: str = PROTO, **more: Any) -> dict[str, Any]:
    """The answer to a push: bytes are protobuf and compressed here, an object is sent as JSON."""
    is_json = isinstance(body, dict)
    encoded = json.dumps(body).encode() if is_json else compressed(body)
    headers = {"content-type": "application/json" if is_json else media_type, **more.pop("headers", {})}
    event = drain_event(more.pop("raw", encoded), headers, more.pop("tenant", "acme"))
    event["routeKey"] = more.pop("route", ROUTE)
    event["requestContext"]["authorizer"]["lambda"] |= more
    return ingesting.handler(event, None)


def values(*entries: Any) -> dict[str, Any]:
    return {"streams": [{"stream": {"app": "shop"}, "values": list(entries)}]}


@pytest.mark.parametrize("body", [PUSH, PUSH_IN_JSON], ids=["protobuf", "json"])
def test_both_encodings_give_the_same_rows(ingest: InMemoryIngest, body: bytes | dict[str, Any]) -> None:
    answer = post(body)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    ((first, second),) = ingest.staged()
    shared = {"tenant_id": "acme", "project_id": "default", "service": "shop"}
    assert (
        first.items()
        >= {
            **shared,
            "timestamp": "2026-11-29T10:00:00.123456789Z",
            "level": "warn",
            "message": "first",
            "trace_id": "",
        }.items()
    )
    assert first["metadata"] == {"env": "prod", "level": "warning", "job": "j"}
    assert (
        second.items()
        >= {
            **shared,
            "timestamp": "2026-11-29T10:00:00.123456790Z",
            "level": "error",
            "message": "zwölf",
            "trace_id": "t1",
            "span_id": "s1",
        }.items()
    )
    assert second["metadata"] == {
        "stream.level": "warn",
        "stream.env": "prod",
        "level": "warning",
        "stream.job": "j",
        "env": "mine",
        "job": "k",
    }


@pytest.mark.parametrize("encoding", ["", "snappy"])
def test_a_block_of_snappy_may_be_named_as_an_encoding(ingest: InMemoryIngest, encoding: str) -> None:
    assert post(PUSH, headers={"content-encoding": encoding})["statusCode"] == 204
    assert len(ingest.staged()[0]) == 2


def test_json_may_be_compressed_and_come_to_the_old_path_in_the_old_form(ingest: InMemoryIngest) -> None:
    old = {
        "streams": [
            {"labels": LABELS, "entries": [{"ts": "2026-11-29T10:00:00.5+01:00", "line": "old"}]},
            {"labels": "{}", "entries": [{"ts": "nonsense", "line": "bad"}, {"line": "bad"}]},
        ]
    }
    raw = gzip.compress(json.dumps(old).encode())
    answer = post(old, raw=raw, headers={"content-encoding": "gzip"}, route="POST /api/prom/push")
    assert answer["statusCode"] == 400
    assert answer["body"].startswith("2 of 3 entries were rejected, and the others are stored. Entry 1: ")
    ((row,),) = ingest.staged()
    assert (row["timestamp"], row["service"]) == ("2026-11-29T09:00:00.500000000Z", "shop")


@pytest.mark.parametrize(
    ("sent", "service"),
    [
        ({"job": "j", "container": "c", "app": "a"}, "a"),
        ({"service_name": "s", "app": "a"}, "s"),
        ({"App-Name": "a"}, "a"),
        ({"compose_service": "web"}, "web"),
        ({"pod": "p"}, ""),
        ({"app": 7, "job": "j"}, "j"),
        ({"app": "x" * 201, "job": "j"}, "j"),
    ],
)
def test_the_service_is_the_label_that_loki_itself_would_take(
    ingest: InMemoryIngest, sent: dict[str, Any], service: str
) -> None:
    post({"streams": [{"stream": sent, "values": [[str(NOW), "a"]]}]})
    ((row,),) = ingest.staged()
    assert row["service"] == service
    assert {**row["metadata"], **({} if not service else {"": service})}.items() >= {
        name: value for name, value in sent.items() if value != service
    }.items()


@pytest.mark.parametrize(
    ("sent", "level", "kept"),
    [
        ({"level": "ERROR"}, "error", {}),
        ({"level": "critical"}, "fatal", {"level": "critical"}),
        ({"level": "unknown", "detected_level": "debug"}, "debug", {"level": "unknown"}),
        ({"level": "50"}, "error", {"level": "50"}),
        ({"level": 50}, "error", {"level": 50}),
        ({"severity_number": "17"}, "error", {"severity_number": "17"}),
        ({"severity_number": "99"}, "info", {"severity_number": "99"}),
        ({"level": ["error"]}, "info", {"level": ["error"]}),
        ({}, "info", {}),
    ],
)
def test_the_level_is_a_labels_and_never_guessed_from_the_line(
    ingest: InMemoryIngest, sent: dict[str, Any], level: str, kept: dict[str, Any]
) -> None:
    post({"streams": [{"stream": sent, "values": [[str(NOW), "level=fatal FATAL"]]}]})
    ((row,),) = ingest.staged()
    assert (row["level"], row["metadata"]) == (level, kept)


def test_a_line_that_is_no_utf8_is_kept_as_far_as_it_is_text(ingest: InMemoryIngest) -> None:
    assert post(stream("{}", entry(NOW, b"caf\xe9")))["statusCode"] == 204
    ((row,),) = ingest.staged()
    assert row["message"] == "caf\N{REPLACEMENT CHARACTER}"


def test_an_entry_without_a_time_has_the_one_when_it_arrived(ingest: InMemoryIngest) -> None:
    post(stream("{}", field(2, field(2, b"a"))))
    ((row,),) = ingest.staged()
    assert row["timestamp"] == row["received_at"]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ('{a="b",c="d"}', {"a": "b", "c": "d"}),
        (' { a = "b" , c="d" , } ', {"a": "b", "c": "d"}),
        ("{}", {}),
        ('{a="x\\"y\\\\z\\n\\t"}', {"a": 'x"y\\z\n\t'}),
        ('{a="\\u00e9\\xe9\\U0001f600\\101"}', {"a": "éé\N{GRINNING FACE}A"}),
        ('{a="\\ud800\\UFFFFFFFF"}', {"a": "\N{REPLACEMENT CHARACTER}" * 2}),
        ("{a=`raw\\n`}", {"a": "raw\\n"}),
        ('{a.b="c"}', {"a.b": "c"}),
        ('{a="b" c="d"}', None),
        ("{a=b}", None),
        ('{a="b}', None),
        ('a="b"', None),
        ("", None),
        ('{a="' + "x" * 70_000 + '"}', None),
    ],
)
def test_labels_are_read_as_go_writes_them(text: str, parsed: dict[str, str] | None) -> None:
    assert labels.parse(text) == parsed


def test_bad_labels_reject_the_entries_of_their_stream_alone(ingest: InMemoryIngest) -> None:
    body = stream("{a=b}", entry(NOW, b"1"), entry(NOW, b"2")) + stream('{a="b"}', entry(NOW, b"3"))
    answer = post(body)
    assert answer["statusCode"] == 400
    assert "2 of 3 entries were rejected, and the others are stored. Entry 0: " in answer["body"]
    ((row,),) = ingest.staged()
    assert row["message"] == "3"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (["soon", "a"], "invalid_timestamp"),
        (["1.5e3", "a"], "invalid_timestamp"),
        (["-1", "a"], "invalid_timestamp"),
        (["9" * 30, "a"], "invalid_timestamp"),
        ([str(NOW)], "invalid_record"),
        ([str(NOW), 7], "invalid_record"),
        ([str(NOW), "a", "b"], "invalid_record"),
        ("text", "invalid_record"),
        ([str(NOW), "x" * (1024 * 1024)], "event_too_large"),
    ],
)
def test_a_bad_entry_harms_no_other(ingest: InMemoryIngest, bad: Any, code: str) -> None:
    answer = post(values([str(NOW), "first"], bad, [str(NOW), "last"]))
    assert answer["statusCode"] == 400
    assert answer["headers"]["content-type"].startswith("text/plain")
    assert answer["body"].startswith("1 of 3 entries were rejected, and the others are stored. Entry 1: ")
    assert code in answer["body"]
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["first", "last"]


def test_a_bad_entry_in_protobuf_harms_no_other(ingest: InMemoryIngest) -> None:
    large, broken = entry(NOW, b"x" * (1024 * 1024 + 1)), field(2, b"\x12\x05ab")
    many = field(2, field(3, b"") * 10_001)
    answer = post(stream("{}", entry(NOW, b"first"), large, broken, many, entry(NOW, b"last")))
    assert (answer["statusCode"], answer["body"][:6]) == (400, "3 of 5")
    (rows,) = ingest.staged()
    assert [row["message"] for row in rows] == ["first", "last"]


@pytest.mark.parametrize("body", [b"", {}, {"streams": []}, {"streams": None}, stream("{}")])
def test_a_push_of_nothing_is_a_success(ingest: InMemoryIngest, body: bytes | dict[str, Any]) -> None:
    assert post(body)["statusCode"] == 204
    assert ingest.staged() == []


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ({"verdict": "unknown_key"}, 401),
        ({"scopes": "read"}, 403),
        ({"refusal": "quota_exceeded"}, 429),
        ({"refusal": "payment_overdue"}, 429),
        ({"refusal": "subscription_ended"}, 403),
        ({"refusal": "account_closing"}, 403),
        ({"bytes_per_second": "0"}, 429),
    ],
)
def test_an_agent_sends_again_what_a_wait_would_save_and_nothing_else(
    ingest: InMemoryIngest, verdict: dict[str, str], status: int
) -> None:
    answer = post(PUSH, **verdict)
    assert answer["statusCode"] == status
    assert answer["headers"]["content-type"].startswith("text/plain")
    assert ingest.staged() == []


def test_a_fault_on_our_side_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    for fault in (ValueError("a bug"), RetryableError("S3")):
        monkeypatch.setattr(ingesting, "_put", lambda *_given, fault=fault: (_ for _ in ()).throw(fault))
        assert post(PUSH)["statusCode"] == 503


@pytest.mark.parametrize(
    ("raw", "media_type", "status"),
    [
        (b"no snappy", PROTO, 400),
        (b"\xff" * 11, PROTO, 400),
        (compressed(b"\x0a\x05ab"), PROTO, 400),
        (compressed(b"\x0b"), PROTO, 400),
        (PUSH, PROTO, 400),
        (b"not json", "application/json", 400),
        (b'{"streams":{}}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":"' + b"x" * (4 * 1024 * 1024) + b'"}', "application/json", 413),
        (b"x" * (4 * 1024 * 1024 + 1), PROTO, 413),
        (compressed(bytes(70 * 1024 * 1024)), PROTO, 413),
    ],
)
def test_a_body_that_is_no_push_is_refused_whole(
    ingest: InMemoryIngest, raw: bytes, media_type: str, status: int
) -> None:
    assert post(b"", media_type, raw=raw)["statusCode"] == status
    assert ingest.staged() == []


def test_a_body_in_json_is_limited_after_it_was_decompressed(ingest: InMemoryIngest) -> None:
    raw = gzip.compress(b'{"a":"' + b"x" * MAX_BYTES + b'"}')
    answer = post(b"", "application/json", raw=raw, headers={"content-encoding": "gzip"})
    assert answer["statusCode"] == 413
    assert ingest.staged() == []


@pytest.mark.parametrize("claimed", [2**32 - 1, 64 * 1024 * 1024, 1000])
def test_a_block_that_claims_to_be_large_gets_no_memory(
    claimed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cramjam.snappy, "decompress_raw", lambda *_: pytest.fail("decompressed"))
    with pytest.raises(HttpError) as refused:
        protobuf.decompress(varint(claimed) + b"\x00" * 20)
    assert (refused.value.status, refused.value.code) == (400, "invalid_encoding")


def test_labels_cannot_multiply_a_body_without_bound(ingest: InMemoryIngest) -> None:
    labels_of_all = '{a="' + "x" * 60_000 + '"}'
    assert post(stream(labels_of_all, *[entry(NOW, b"a")] * 2_000))["statusCode"] == 413
    assert ingest.staged() == []


def test_vector_finds_it_ready_and_other_paths_say_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "_route_table", lambda: RouteTable({}))
    found = {}
    for path in ("/ready", "/loki/api/v1/query", "/api/prom/label", "/metrics"):
        event = {**drain_event(b""), "routeKey": "$default", "rawPath": path}
        event["requestContext"]["http"]["method"] = "GET"
        answer = ingesting.handler(event, None)
        found[path] = (answer["statusCode"], "/loki/api/v1/push" in answer["body"])
    assert found == {
        "/ready": (200, False),
        "/loki/api/v1/query": (404, True),
        "/api/prom/label": (404, True),
        "/metrics": (404, False),
    }


def test_two_tenants_sharing_an_environment_keep_their_rows_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        post(stream('{app="a"}', entry(NOW, f"of {tenant}".encode())), tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [[row["message"], row["tenant_id"]] for row in ingest.staged(tenant)[0]] == [
            [f"of {tenant}", tenant]
        ]


@pytest.mark.measured
@pytest.mark.parametrize("name", [*PROTOBUF, *JSON])
def test_a_hostile_body_stays_within_5_cpu_seconds_and_a_quarter_of_the_memory(name: str) -> None:
    cost = cost_of("tests.unit.ingest.loki_bodies:send", {"name": name}, memory_mb=1024, within_cpu_seconds=5)
    assert cost.result in (204, 400, 413)
    assert cost.cpu_seconds <= 5, cost
    assert cost.peak_mb <= 256, cost
