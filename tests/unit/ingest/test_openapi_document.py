"""GET /openapi.json: the document of the zip, cached by clients, compressed for those that ask for it."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from functions.ingest import handler as ingesting
from functions.ingest.openapi_document import read_document

CONTENT = json.dumps({"openapi": "3.1.1", "paths": {"/v1/é": {}}}).encode()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_bytes(CONTENT)
    return path


def get(document: Path, **headers: str) -> dict[str, Any]:
    return read_document(str(document)).answer_to(
        {"headers": {name.replace("_", "-"): text for name, text in headers.items()}}
    )


def test_the_document_is_answered_as_it_was_made(document: Path) -> None:
    answer = get(document)

    assert (answer["statusCode"], answer["body"].encode()) == (200, CONTENT)
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["headers"]["cache-control"] == "public, max-age=3600"


def test_a_client_that_reads_gzip_gets_the_same_document_compressed(document: Path) -> None:
    answer = get(document, accept_encoding="br, gzip")

    assert answer["headers"]["content-encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(answer["body"])) == CONTENT
    assert answer["headers"]["etag"] == get(document)["headers"]["etag"]


def test_a_client_that_has_the_document_gets_304_and_one_with_another_gets_it(document: Path) -> None:
    etag = get(document)["headers"]["etag"]

    same = get(document, if_none_match=f'"other", {etag}')
    assert (same["statusCode"], same["body"], same["headers"]["etag"]) == (304, "", etag)
    assert get(document, if_none_match='"other"')["statusCode"] == 200


def test_another_document_has_another_etag(document: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(CONTENT + b" ")

    assert get(other)["headers"]["etag"] != get(document)["headers"]["etag"]


def test_the_route_needs_no_key_and_keeps_its_own_caching(
    document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "load", lambda _settings: type("S", (), {"openapi_path": str(document)}))
    event = {"routeKey": "GET /openapi.json", "headers": {}, "requestContext": {"requestId": "1"}}

    answer = ingesting.handler(event, None)

    assert answer["statusCode"] == 200
    assert answer["headers"]["cache-control"].startswith("public")
    assert answer["headers"]["x-content-type-options"] == "nosniff"


def test_a_zip_without_the_document_is_a_500_in_the_form_of_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = str(tmp_path / "missing.json")
    monkeypatch.setattr(ingesting, "load", lambda _settings: type("S", (), {"openapi_path": missing}))
    event = {"routeKey": "GET /openapi.json", "headers": {}, "requestContext": {"requestId": "1"}}

    answer = ingesting.handler(event, None)

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal_error")
