import base64
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from local.http_event import Call, GarbledAnswerError, authorizer_event_of, event_of, response_of


def call(**changes: Any) -> Call:
    given: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/drain",
        "raw_query": "",
        "query": [],
        "headers": [("Host", "h:1"), ("Content-Type", "application/json")],
        "body": b"{}",
        "source_ip": "127.0.0.1",
        "request_id": "r-1",
    }
    return Call(**{**given, **changes})


def test_names_are_lower_case_and_repeated_headers_are_joined_by_a_comma() -> None:
    event = event_of(call(headers=[("X-A", "1"), ("x-a", "2"), ("Host", "h")]), "POST /v1/drain", {})
    assert event["headers"] == {"x-a": "1,2", "host": "h"}


def test_cookies_have_a_list_of_their_own() -> None:
    event = event_of(call(headers=[("Cookie", "a=1; b=2")]), "k", {})
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]


def test_a_repeated_query_parameter_is_joined_and_the_raw_query_is_kept() -> None:
    event = event_of(call(raw_query="a=1&a=%20", query=[("a", "1"), ("a", " ")]), "k", {})
    assert event["queryStringParameters"] == {"a": "1, "}
    assert event["rawQueryString"] == "a=1&a=%20"


def test_json_comes_as_text() -> None:
    event = event_of(call(body='{"a": "é"}'.encode()), "k", {})
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": "é"}', False)


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
        [("Content-Type", "application/x-protobuf")],
        [],
    ],
)
def test_compressed_binary_and_unnamed_bodies_come_as_base64(headers: list[tuple[str, str]]) -> None:
    event = event_of(call(headers=headers, body=b"\x1f\x8b\xff"), "k", {})
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\x1f\x8b\xff"


def test_text_that_is_no_utf_8_stays_whole() -> None:
    event = event_of(call(body=b"\xff"), "k", {})
    assert base64.b64decode(event["body"]) == b"\xff"


def test_no_body_means_no_body_field() -> None:
    event = event_of(call(method="GET", body=b""), "k", {})
    assert "body" not in event
    assert event["isBase64Encoded"] is False


def test_the_context_says_who_asked_what() -> None:
    context = event_of(call(), "POST /v1/drain", {})["requestContext"]
    assert context["requestId"] == "r-1"
    assert context["http"]["method"] == "POST"
    assert context["http"]["sourceIp"] == "127.0.0.1"
    assert (context["stage"], context["routeKey"]) == ("$default", "POST /v1/drain")


def test_an_authorizer_sees_the_headers_and_not_the_body() -> None:
    authorizer_event = authorizer_event_of(event_of(call(), "POST /v1/drain", {}))
    assert authorizer_event["headers"]["host"] == "h:1"
    assert authorizer_event["type"] == "REQUEST"
    assert "body" not in authorizer_event


def test_an_answer_keeps_status_headers_cookies_and_bytes() -> None:
    response = response_of(
        {
            "statusCode": 202,
            "headers": {"Retry-After": 1},
            "cookies": ["a=1", "b=2"],
            "body": base64.b64encode(b"\x00").decode(),
            "isBase64Encoded": True,
        }
    )
    assert (response.status, response.headers["retry-after"]) == (202, "1")
    assert (list(response.cookies), response.body) == (["a=1", "b=2"], b"\x00")


def test_an_answer_without_a_status_is_the_body_of_a_200() -> None:
    response = response_of({"a": 1})
    assert (response.status, response.body) == (200, b'{"a": 1}')


@pytest.mark.parametrize("answer", [{"statusCode": "x"}, {"statusCode": 200, "body": {"a": 1}}])
def test_a_garbled_answer_is_an_error(answer: Any) -> None:
    with pytest.raises(GarbledAnswerError):
        response_of(answer)


TYPES = ("application/json; charset=utf-8", "application/json", "text/plain", "application/octet-stream", "")


@given(st.binary() | st.text().map(str.encode), st.sampled_from(TYPES))
@example('{\r\n "name": "Zoë 株式会社 😀"}\n'.encode(), TYPES[0])
@example(b"\xef\xbb\xbf{}", TYPES[0])
def test_the_bytes_that_came_are_the_bytes_a_function_can_verify_a_signature_over(
    body: bytes, kind: str
) -> None:
    event = json.loads(json.dumps(event_of(call(headers=[("Content-Type", kind)], body=body), "k", {})))
    text = event.get("body", "")
    assert (base64.b64decode(text) if event["isBase64Encoded"] else text.encode()) == body
