"""Requests in, answers out, and one form for everything that goes wrong."""

import base64
import json
from typing import Any

import pytest

from functions.shared import journal
from functions.shared.errors import AstralogError, HttpError, PermanentError, RetryableError
from functions.shared.http import MAX_BODY_BYTES, Answer, Event, Request, answer, answering, request


def event(body: str = "", encoded: bool = False) -> Event:
    return {
        "routeKey": "POST /x",
        "rawPath": "/x",
        "headers": {"a": "b"},
        "requestContext": {"requestId": "r-1", "http": {"method": "POST", "path": "/x"}},
        "body": body,
        "isBase64Encoded": encoded,
    }


@pytest.mark.parametrize("data", [b"", b"text", bytes(range(256)), "ünï".encode()])
def test_a_body_arrives_whole(data: bytes) -> None:
    assert request(event(base64.b64encode(data).decode(), encoded=True)).body == data


def test_a_text_body_is_utf8() -> None:
    assert request(event("ünï \ud800")).body == "ünï ".encode() + b"\xed\xa0\x80"


def test_a_body_that_is_not_the_base64_it_claims_is_400() -> None:
    with pytest.raises(HttpError) as caught:
        request(event("!!!", encoded=True))
    assert caught.value.status == 400


def test_a_refusal_is_answered_in_the_one_form() -> None:
    @answering
    def route(_event: Event) -> Answer:
        raise HttpError(429, "slow_down", "Wait a moment.", retry_after_seconds=1)

    response = route(event(), None)
    assert response["statusCode"] == 429
    assert response["headers"]["retry-after"] == "1"
    assert json.loads(response["body"]) == {
        "error": "Wait a moment.",
        "code": "slow_down",
        "request_id": "r-1",
    }


def test_the_unexpected_is_500_and_neither_answer_nor_log_has_the_data(capsys: Any) -> None:
    @answering
    def route(_event: Event) -> Answer:
        raise ValueError("canary-9a")

    response = route(event(), None)
    logged = capsys.readouterr().out
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (500, "internal_error")
    assert "canary-9a" not in response["body"] + logged
    first, counted = map(json.loads, logged.splitlines())
    assert first["error_type"] == "ValueError"
    assert (counted["ServerErrors"], counted["code"]) == (1, "internal_error")


def test_a_retryable_error_is_503_with_a_log_line_that_names_its_type(capsys: Any) -> None:
    class StoreError(RetryableError):
        pass

    @answering
    def route(_event: Event) -> Answer:
        raise StoreError("canary-9a")

    response = route(event(), None)
    logged = capsys.readouterr().out
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (503, "try_again")
    assert response["headers"]["retry-after"] == "2"
    assert "canary-9a" not in response["body"] + logged
    first, counted = map(json.loads, logged.splitlines())
    assert first["error_type"] == "StoreError"
    assert (counted["ServerErrors"], counted["code"]) == (1, "try_again")


def test_a_permanent_error_is_500_and_no_handler_of_it_catches_a_response() -> None:
    @answering
    def route(_event: Event) -> Answer:
        raise PermanentError("canary-9a")

    assert route(event(), None)["statusCode"] == 500
    assert not issubclass(HttpError, PermanentError | RetryableError)
    assert issubclass(HttpError, AstralogError)


@pytest.mark.parametrize("encoded", [True, False])
def test_a_body_over_the_limit_is_413_and_names_both_sizes(encoded: bool) -> None:
    def request_of(size_bytes: int) -> Event:
        text = "x" * size_bytes
        return event(base64.b64encode(text.encode()).decode() if encoded else text, encoded=encoded)

    assert len(request(request_of(MAX_BODY_BYTES)).body) == MAX_BODY_BYTES
    with pytest.raises(HttpError) as caught:
        request(request_of(MAX_BODY_BYTES + 1))
    assert (caught.value.status, caught.value.code) == (413, "payload_too_large")
    assert "1,048,577 bytes, more than the limit of this route, 1,048,576 bytes" in caught.value.message
    assert len(request(request_of(MAX_BODY_BYTES + 1), 2 * MAX_BODY_BYTES).body) == MAX_BODY_BYTES + 1


def test_405_carries_the_methods_of_the_path() -> None:
    @answering
    def route(_event: Event) -> Answer:
        raise HttpError(405, "method_not_allowed", "Use GET.", allow=("GET", "PUT"))

    assert route(event(), None)["headers"]["allow"] == "GET, PUT"


@pytest.mark.parametrize(
    ("status", "counted"), [(400, False), (402, False), (429, False), (500, True), (503, True)]
)
def test_answers_of_our_own_fault_are_counted_by_folder(status: int, counted: bool, capsys: Any) -> None:
    def route(_event: Event) -> Answer:
        raise HttpError(status, "some_code", "Something is so.")

    route.__module__ = "functions.query.handler"
    answering(route)(event(), None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["Function"], line["ServerErrors"]) for line in lines] == [("query", 1)] * counted


def test_answers_are_json_with_named_headers() -> None:
    answered = answer(200, {"a": 1}, retry_after="2")
    assert answered == {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "retry-after": "2"},
        "body": '{"a": 1}',
    }


def test_a_field_that_may_not_be_logged_raises() -> None:
    with pytest.raises(ValueError, match="message"):
        journal.write("x", message="secret")
    with pytest.raises(ValueError, match="password"):
        journal.measure("ingest", {}, password="secret")


def test_a_request_is_shown_without_headers_query_and_body() -> None:
    shown = repr(Request("POST", "/v1/x", {"authorization": "s3cret"}, {"key": "s3cret"}, b"s3cret", "r1"))

    assert shown == "Request(POST /v1/x, r1)"
