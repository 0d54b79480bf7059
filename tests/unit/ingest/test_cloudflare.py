"""Cloudflare Logpush: datasets become rows, whatever the content type says, and its test is no log."""

import gzip
import json

import pytest

from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

URL = "POST /v1/cloudflare"
HTTP = {
    "ClientRequestMethod": "GET",
    "ClientRequestHost": "example.com",
    "ClientRequestURI": "/a",
    "EdgeResponseStatus": 200,
    "EdgeStartTimestamp": 1795946400123456789,
    "RayID": "3c2c",
}


def ndjson(*records: object) -> bytes:
    return gzip.compress("\n".join(map(json.dumps, records)).encode() + b"\n")


@pytest.mark.parametrize("media_type", ["text/plain", "application/octet-stream", "x/y; z", ""])
@pytest.mark.parametrize("encoding", [{"content-encoding": "gzip"}, {}, {"content-encoding": "x-unknown"}])
def test_records_become_rows_under_any_content_type(
    ingest: InMemoryIngest, media_type: str, encoding: dict[str, str]
) -> None:
    answer = send(URL, ndjson(HTTP, HTTP), {"content-type": media_type, **encoding})
    assert said(answer)[0] == 200
    row = ingest.staged()[0][1]
    assert (row["message"], row["timestamp"]) == (
        "GET example.com/a 200",
        "2026-11-29T10:00:00.123456789Z",
    )
    assert row["metadata"] == {name: value for name, value in HTTP.items() if name != "EdgeStartTimestamp"}


def test_other_datasets_keep_all_that_they_have(ingest: InMemoryIngest) -> None:
    worker = {"ScriptName": "api", "EventTimestampMs": 1795946400123, "Outcome": "ok", "Logs": []}
    audit = {"When": "2026-11-29T10:00:00Z", "ActionType": "login", "ID": "x"}
    plain = gzip.decompress(ndjson(worker, audit))
    assert said(send(URL, plain, {"content-encoding": "gzip"}))[0] == 200
    ((first, second),) = ingest.staged()
    assert (first["service"], first["timestamp"]) == ("api", "2026-11-29T10:00:00.123000000Z")
    assert first["metadata"] == {"ScriptName": "api", "Outcome": "ok", "Logs": []}
    assert (second["timestamp"], second["metadata"]["ActionType"]) == (
        "2026-11-29T10:00:00.000000000Z",
        "login",
    )


@pytest.mark.parametrize("body", [gzip.compress(b'{"content":"tests"}'), b'{"content": "tests"}\n', b""])
def test_the_test_upload_is_a_success_and_no_log(ingest: InMemoryIngest, body: bytes) -> None:
    assert said(send(URL, body, {"content-type": "application/gzip"}))[0] == 200
    assert ingest.staged() == []


def test_a_bad_record_harms_no_other() -> None:
    status, answer = said(send(URL, ndjson(HTTP, {"EdgeStartTimestamp": "x"}, HTTP)))
    assert (status, answer["accepted"], answer["errors"][0]["code"]) == (200, 2, "invalid_timestamp")


def test_two_tenants_keep_their_records_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        send(URL, ndjson({**HTTP, "RayID": tenant}), tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [(row["metadata"]["RayID"], row["tenant_id"]) for row in ingest.staged(tenant)[0]] == [
            (tenant, tenant)
        ]
