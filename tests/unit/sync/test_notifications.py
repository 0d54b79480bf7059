"""S3's messages on the queue, spelled as S3 spells them."""

import json
from typing import Any

from functions.sync.notifications import StagedObject, read_messages, redeliver


def message(body: Any, count: int = 1) -> dict[str, Any]:
    return {
        "messageId": "m1",
        "receiptHandle": "r1",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(count)},
    }


def created(key: str) -> dict[str, Any]:
    return {"s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 7, "eTag": "abc"}}}


def test_keys_are_url_decoded() -> None:
    body = {"Records": [created("staged%2Fv1/tenant%3Dacme/a+b%2Bc.ndjson.zst"), created("x")]}
    (received,) = read_messages({"Records": [message(body, count=3)]}, "b")
    assert received.objects == (
        StagedObject("staged/v1/tenant=acme/a b+c.ndjson.zst", "abc", 7),
        StagedObject("x", "abc", 7),
    )
    assert received.receive_count == 3


def test_what_names_another_bucket_than_ours_is_ignored() -> None:
    """S3 names the bucket in each event; our own messages name none."""
    ours = {"s3": {"object": {"key": "y", "size": 7, "eTag": "abc"}}}
    body = {"Records": [created("x"), ours]}
    assert [each.objects for each in read_messages({"Records": [message(body)]}, "b")] == [
        (StagedObject("x", "abc", 7), StagedObject("y", "abc", 7))
    ]
    for bucket in ("c", ""):
        (received,) = read_messages({"Records": [message(body)]}, bucket)
        assert received.objects == (StagedObject("y", "abc", 7),)


def test_the_test_event_that_s3_sends_first_is_settled_at_once() -> None:
    (received,) = read_messages({"Records": [message({"Service": "Amazon S3", "Event": "s3:TestEvent"})]})
    assert received.objects == ()


def test_an_unreadable_message_is_recognised() -> None:
    for body in ("not json", "[]", '{"Records": 5}', '{"Records": [{}]}', "null", '"x"'):
        (received,) = read_messages({"Records": [message(body)]})
        assert received.objects is None, body


def test_the_response_names_the_unsettled_messages_and_no_other() -> None:
    records = [{**message({"Records": [created(name)]}), "messageId": name} for name in "abc"]
    first, _, third = read_messages({"Records": records}, "b")

    assert redeliver([first, third]) == {
        "batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "c"}]
    }
    assert redeliver([]) == {"batchItemFailures": []}
