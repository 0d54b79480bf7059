"""The seam of protocols: requests are decoded and answered in their own terms; all else is shared."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.ingest.protocols import json as json_protocol
from functions.ingest.protocols import ndjson
from functions.ingest.protocols.contract import IngestProtocol, LogRequest, Window, windows
from functions.ingest.protocols.table import ProtocolTable
from functions.ingest.unmatched import RouteTable
from functions.shared.buckets.contract import BucketUnavailableError
from functions.shared.events import bulk
from functions.shared.events.judge import RejectedEvent
from functions.shared.events.row import ReceiptContext
from infra.build import ROOT
from infra.topology import FUNCTIONS, function
from tests.integration.http_events import drain_event
from tests.unit.ingest.protocols import InMemoryIngest, SpokenProtocol, install

DRAIN = "POST /v1/drain"
NDJSON = "application/x-ndjson"


def of(table: ProtocolTable, route: str, content_type: str = "") -> IngestProtocol:
    return table.of(LogRequest({**drain_event(b"", {"content-type": content_type}), "routeKey": route}))


@pytest.mark.parametrize(
    ("content_type", "protocol"),
    [
        ("application/x-ndjson; charset=utf-8", ndjson.PROTOCOL),
        ("Application/JSONL", ndjson.PROTOCOL),
        ("application/json", json_protocol.PROTOCOL),
        ("", json_protocol.PROTOCOL),
    ],
)
def test_protocols_that_share_a_route_are_distinguished_by_the_request(
    content_type: str, protocol: IngestProtocol
) -> None:
    for table in (ProtocolTable.parse(function("ingest").settings["protocols"]), ProtocolTable()):
        assert of(table, DRAIN, content_type) is protocol


def test_every_protocol_of_the_topology_is_a_module_that_has_one() -> None:
    routes = [route for spec in FUNCTIONS for route in spec.routes if route.protocols]
    assert routes
    assert {spec.name for spec in FUNCTIONS if any(each.protocols for each in spec.routes)} == {"ingest"}
    for route in routes:
        for name in route.protocols:
            table = ProtocolTable({"route": (name,)})
            assert isinstance(of(table, "route"), IngestProtocol), name


def test_every_protocol_has_a_route() -> None:
    """A module of the folder with a PROTOCOL that no route names would never be used."""
    named = {name for route in function("ingest").routes for name in route.protocols}
    folder = ROOT / "functions" / "ingest" / "protocols"
    having = {
        path.relative_to(folder).parts[0].removesuffix(".py")
        for path in folder.rglob("*.py")
        if "\nPROTOCOL = " in path.read_text()
    }
    assert having == named


def test_a_protocol_is_loaded_at_the_first_request_to_one_of_its_routes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = ProtocolTable.parse("POST /v1/drain ndjson json; POST /v1/late late")
    assert of(table, DRAIN) is json_protocol.PROTOCOL
    with pytest.raises(ModuleNotFoundError):
        of(table, "POST /v1/late")
    late = SpokenProtocol()
    install(monkeypatch, "late", late)
    assert of(table, "POST /v1/late") is late


def test_records_of_a_protocol_become_rows_like_all_others(ingest: InMemoryIngest) -> None:
    assert ingest.send(b"ERR|one\nno bar\ninfo|two\n|three") == (207, "ok no_bar ok ok")
    (rows,) = ingest.staged()
    assert [(row["level"], row["message"]) for row in rows] == [
        ("error", "one"),
        ("info", "two"),
        ("info", "three"),
    ]
    assert {row["tenant_id"] for row in rows} == {"acme"}
    assert ingest.staged("globex") == []


def test_a_record_that_judging_rejects_has_its_index_among_those_that_decoding_rejected(
    ingest: InMemoryIngest,
) -> None:
    large = b"info|" + b"x" * (1024 * 1024 + 1)
    assert ingest.send(b"\n".join([b"-", large, b"info|a"])) == (207, "no_bar event_too_large ok")


def test_a_protocol_with_a_result_for_each_record_gets_all_of_them(ingest: InMemoryIngest) -> None:
    status, text = ingest.send(b"info|a\n" + b"-\n" * 5000)
    assert (status, text.split()) == (207, ["ok"] + ["no_bar"] * 5000)


@pytest.mark.parametrize(
    ("verdict", "status", "text"),
    [
        ({"verdict": "unknown_key"}, 401, "unauthorized!"),
        ({"scopes": "read"}, 403, "forbidden_scope!"),
        ({"refusal": "quota_exceeded"}, 402, "quota_exceeded!"),
    ],
)
def test_a_rejection_before_decoding_is_in_the_protocols_form(
    ingest: InMemoryIngest, verdict: dict[str, str], status: int, text: str
) -> None:
    event = {**drain_event(b"info|a"), "routeKey": "POST /v1/spoken"}
    event["requestContext"]["authorizer"]["lambda"].update(verdict)
    assert ingest.answer(event) == (status, text)
    assert ingest.staged() == []


def test_backpressure_and_internal_errors_are_in_the_terms_of_the_client(
    ingest: InMemoryIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This one retries 503 and nothing else; in our own API it would be 429, 500 and 503."""

    def fail(*_: Any) -> Any:
        raise BucketUnavailableError("SlowDown")

    event = {**drain_event(b"info|a"), "routeKey": "POST /v1/spoken"}
    event["requestContext"]["authorizer"]["lambda"]["bytes_per_second"] = "0"
    assert ingest.answer(event) == (503, "backpressure_saturated!")
    with monkeypatch.context() as patch:
        patch.setattr(SpokenProtocol, "decode", lambda *_: 1 / 0)
        assert ingest.send(b"info|a") == (503, "internal_error!")
    monkeypatch.setattr("functions.ingest.staging_writer.put_package", fail)
    assert ingest.send(b"info|a") == (503, "staging_unavailable!")


def test_errors_of_other_routes_stay_in_the_one_form(
    ingest: InMemoryIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.ingest.handler._route_table", lambda: RouteTable({}))
    for route, body, code in (("$default", b"", "not_found"), (DRAIN, b"-", "invalid_json")):
        status, text = ingest.send(body, route)
        assert (status, json.loads(text)["code"]) == (404 if code == "not_found" else 400, code)


def test_a_handshake_needs_a_key_only_where_the_protocol_asks_for_one(ingest: InMemoryIngest) -> None:
    event = drain_event(b"")
    event["requestContext"].pop("authorizer")
    assert ingest.answer({**event, "routeKey": "GET /v1/spoken"}) == (200, "ready")
    assert ingest.answer({**event, "routeKey": "HEAD /v1/spoken"}) == (401, "unauthorized!")
    assert ingest.send(b"", "HEAD /v1/spoken") == (200, "ready")


def test_a_request_id_of_the_protocol_makes_a_retry_the_same_batch(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        for _ in range(2):
            assert ingest.send(b"info|a", tenant=tenant, x_spoken_id="7") == (207, "ok")
        assert len(ingest.staged(tenant)) == 1
    assert ingest.send(b"info|b", x_spoken_id="7") == (409, "idempotency_key_reused!")
    assert ingest.send(b"info|b", x_spoken_id="8") == (207, "ok")


def test_the_fingerprint_covers_what_a_protocol_leaves_unread(
    ingest: InMemoryIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a batch that differs at its end would count as a retry, and lost."""

    def in_lines(_: Any, request: LogRequest) -> Iterator[bytes]:
        return iter(request.body.splitlines(keepends=True))

    monkeypatch.setattr(SpokenProtocol, "unpack", in_lines)
    assert ingest.send(b"info|a\ninfo|b", x_spoken_id="7") == (207, "ok")
    assert ingest.send(b"info|a\ninfo|c", x_spoken_id="7") == (409, "idempotency_key_reused!")


def rejected_lines(output: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in output.splitlines()]
    return [{**line, "at_ms": 0} for line in lines if line.get("event") == "request_rejected"]


@pytest.mark.parametrize(
    ("body", "headers", "verdict", "line"),
    [
        (b"canary", {}, {}, ("invalid_json", 0, 0, 6)),
        (b"[]", {}, {}, ("no_events", 0, 0, 2)),
        (b'[1,{"canary":"canary","message":1}]', {}, {}, ("all_rejected", 0, 2, 35)),
        (b'{"message":"canary"}', {"content-encoding": "br"}, {}, ("unsupported_encoding", 0, 0, 0)),
        (b'{"message":"canary"}', {"idempotency-key": "k" * 256}, {}, ("invalid_idempotency_key", 0, 0, 0)),
        (b'{"message":"canary"}', {}, {"refusal": "trial_ended"}, ("trial_ended", 0, 0, 0)),
        (b'{"message":"canary"}', {}, {"scopes": "read"}, ("forbidden_scope", 0, 0, 0)),
        (b'{"message":"canary"}', {}, {"bytes_per_second": "0"}, ("backpressure_saturated", 0, 0, 0)),
        (b"1\n" * 250_000, {"content-type": NDJSON}, {}, ("too_many_events", 0, 200_000, 500_000)),
    ],
)
@pytest.mark.parametrize("tenant", ["acme", "globex"])
def test_a_rejected_request_leaves_one_line_with_tenant_code_and_counts_and_nothing_of_the_events(
    ingest: InMemoryIngest,
    capsys: pytest.CaptureFixture[str],
    tenant: str,
    body: bytes,
    headers: dict[str, str],
    verdict: dict[str, str],
    line: tuple[str, int, int, int],
) -> None:
    event = drain_event(body, headers, tenant)
    event["requestContext"]["authorizer"]["lambda"].update(verdict)
    assert ingest.answer(event)[0] >= 400
    output = capsys.readouterr().out
    code, rows, rejected, size = line
    expected = {"event": "request_rejected", "at_ms": 0, "tenant_id": tenant, "code": code}
    assert rejected_lines(output) == [{**expected, "rows": rows, "rejected": rejected, "bytes": size}]
    assert "canary" not in output


def test_a_batch_that_s3_does_not_take_leaves_a_line_with_its_rows(
    ingest: InMemoryIngest, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise BucketUnavailableError("SlowDown")

    monkeypatch.setattr("functions.ingest.staging_writer.put_package", fail)
    assert ingest.send(b'[{"message":"a"},{"message":"b"},{}]', DRAIN)[0] == 503
    (line,) = rejected_lines(capsys.readouterr().out)
    assert (line["code"], line["rows"], line["rejected"]) == ("staging_unavailable", 2, 1)


def test_a_body_without_a_good_record_leaves_a_line_whatever_the_protocol_answers(
    ingest: InMemoryIngest, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest.send(b"-\n-") == (207, "no_bar no_bar")
    (line,) = rejected_lines(capsys.readouterr().out)
    assert (line["code"], line["rejected"]) == ("all_rejected", 2)


def test_an_internal_error_leaves_a_line_with_the_tenant(
    ingest: InMemoryIngest, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SpokenProtocol, "decode", lambda *_: 1 / 0)
    ingest.send(b"info|a", tenant="globex")
    (line,) = rejected_lines(capsys.readouterr().out)
    assert (line["tenant_id"], line["code"]) == ("globex", "internal_error")


def test_accepted_requests_and_requests_without_a_key_leave_no_such_line(
    ingest: InMemoryIngest, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest.send(b'[{"message":"a"},{}]', DRAIN)[0] == 202
    event = drain_event(b"[]")
    event["requestContext"].pop("authorizer")
    assert ingest.answer(event)[0] == 401
    assert rejected_lines(capsys.readouterr().out) == []


def test_records_are_judged_in_windows_of_about_a_megabyte_by_the_fast_path(receipt: ReceiptContext) -> None:
    """And a record that decoding rejects keeps its place between them."""
    rejected = RejectedEvent("no_bar", "The line has no '|'.")
    events = [{"message": "x" * 1000}] * 2500
    parts = list(windows([rejected, *events, rejected, {"message": "y"}]))
    assert [isinstance(part, Window) for part in parts] == [False, True, True, True, False, True]
    some = [part for part in parts if isinstance(part, Window)]
    assert all(1024 * 1024 <= len(part.body) < 1.01 * 1024 * 1024 for part in some[:2])
    rows = [bulk.rows_of(part.body, part.ndjson, receipt) for part in some]
    assert sum(len(each) for each in filter(None, rows)) == 2501
