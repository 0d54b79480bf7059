"""What the emulator's policies see of a request, beside what ministack shows them."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.policy_context import (
    authorize_batches,
    authorize_inserts,
    authorize_log_streams,
    show_external_ids,
    show_object_creation,
)

CREATES, IF_NONE_MATCH = "s3:ObjectCreationOperation", "s3:if-none-match"


def context(query: dict[str, Any], headers: dict[str, str], action: str = "s3:PutObject") -> dict[str, Any]:
    iam_actions = SimpleNamespace(_s3_object_context=lambda *_: {"s3:x-amz-acl": "private"})
    show_object_creation(iam_actions)
    found: dict[str, Any] = iam_actions._s3_object_context(action, query, "/bucket/key", headers)
    return found


def test_a_put_creates_an_object_and_shows_its_condition() -> None:
    known = {"s3:x-amz-acl": "private", CREATES: "true"}

    assert context({}, {"if-none-match": "*"}) == {**known, IF_NONE_MATCH: "*"}
    assert context({}, {}) == known


@pytest.mark.parametrize(
    "query", [{"uploads": ""}, {"partNumber": "1", "uploadId": "u"}], ids=["begin", "part"]
)
def test_a_multipart_upload_creates_nothing_before_its_end(query: dict[str, Any]) -> None:
    assert context(query, {})[CREATES] == "false"
    assert context({"uploadId": "u"}, {})[CREATES] == "true"


def test_a_read_creates_nothing() -> None:
    assert CREATES not in context({}, {}, action="s3:GetObject")


def keys_of(action: str, body: bytes) -> dict[str, Any]:
    iam_actions = SimpleNamespace(request_tag_context=lambda *_: {"aws:TagKeys": []})
    show_external_ids(iam_actions)
    found: dict[str, Any] = iam_actions.request_tag_context(action.partition(":")[0], action, body, {})
    return found


def test_an_external_id_is_shown_if_there_is_one_and_for_a_role_only() -> None:
    known = {"aws:TagKeys": []}

    assert keys_of("sts:AssumeRole", b"Action=AssumeRole&ExternalId=a%2Bb") == {
        **known,
        "sts:ExternalId": "a+b",
    }
    assert keys_of("sts:AssumeRole", b"Action=AssumeRole") == known
    assert keys_of("sqs:SendMessage", b"ExternalId=x") == known


def arn(service: str, target: str, body: bytes) -> str:
    iam_actions = SimpleNamespace(extract_resource_arn=lambda *_: "arn:aws:logs:r:0:log-group:g")
    authorize_log_streams(iam_actions)
    found: str = iam_actions.extract_resource_arn(
        service, "POST", "/", {"x-amz-target": f"Logs.{target}"}, body, {}, "r", "0"
    )
    return found


def test_writing_logs_is_authorized_on_the_stream_and_all_else_as_before() -> None:
    stream = "arn:aws:logs:r:0:log-group:g:log-stream:s"

    assert arn("logs", "CreateLogStream", b'{"logStreamName": "s"}') == stream
    assert arn("logs", "PutLogEvents", b'{"logStreamName": "s"}') == stream
    assert arn("logs", "DeleteLogGroup", b"{}") == "arn:aws:logs:r:0:log-group:g"
    assert arn("sqs", "PutLogEvents", b"{}") == "arn:aws:logs:r:0:log-group:g"


@pytest.mark.parametrize(
    ("service", "action", "authorized"),
    [
        ("sqs", "sqs:ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility"),
        ("sqs", "sqs:SendMessage", "sqs:SendMessage"),
        ("dynamodb", "dynamodb:SomethingBatch", "dynamodb:SomethingBatch"),
        ("sqs", None, None),
    ],
)
def test_a_batch_of_a_queue_needs_the_action_of_one_message(
    service: str, action: str | None, authorized: str | None
) -> None:
    iam_actions = SimpleNamespace(extract_iam_action=lambda *_: action)
    authorize_batches(iam_actions)

    assert iam_actions.extract_iam_action(service, "POST", "/", {}, b"", {}) == authorized


def checks_of(action: str, *statements: str) -> list[tuple[str, str]]:
    known = [("dynamodb:PutItem", "a transaction's table")]
    iam_actions = SimpleNamespace(dynamodb_transaction_checks=lambda *_: known)
    authorize_inserts(iam_actions)
    body = json.dumps({"Statements": [{"Statement": each} for each in statements]}).encode()
    found: list[tuple[str, str]] = iam_actions.dynamodb_transaction_checks(action, body, "us-east-1", "1")
    return found


def test_a_batch_of_inserts_is_authorized_as_an_insert_into_each_table() -> None:
    batch, insert = "dynamodb:BatchExecuteStatement", "INSERT INTO \"{}\" VALUE {{'entry': ?}}"
    table = "arn:aws:dynamodb:us-east-1:1:table"

    assert checks_of(batch, insert.format("a"), insert.format("b"), insert.format("a")) == [
        ("dynamodb:PartiQLInsert", f"{table}/a"),
        ("dynamodb:PartiQLInsert", f"{table}/b"),
    ]
    assert checks_of(batch, insert.format("a"), 'DELETE FROM "a" WHERE entry = ?') == []
    assert checks_of("dynamodb:TransactWriteItems") == [("dynamodb:PutItem", "a transaction's table")]
