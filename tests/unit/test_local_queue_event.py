from typing import Any

import pytest

from local.queue_event import event_of, succeeded

MESSAGES = [
    {
        "MessageId": name,
        "ReceiptHandle": f"r-{name}",
        "Body": "{}",
        "MD5OfBody": "m",
        "Attributes": {"ApproximateReceiveCount": "2"},
        "MessageAttributes": {"a": {"StringValue": "v", "DataType": "String"}},
    }
    for name in ("one", "two")
]


def ids(answer: Any) -> list[str]:
    return [message["MessageId"] for message in succeeded(MESSAGES, answer)]


def test_a_record_has_what_lambda_gives() -> None:
    record = event_of(MESSAGES, "arn:q")["Records"][0]
    assert record["messageId"] == "one"
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert record["messageAttributes"] == {"a": {"stringValue": "v", "dataType": "String"}}
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", "arn:q")


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_no_failures_named_means_all_succeeded(answer: Any) -> None:
    assert ids(answer) == ["one", "two"]


def test_a_parsed_message_has_the_named_fields() -> None:
    assert ids({"batchItemFailures": [{"itemIdentifier": "one"}]}) == ["two"]


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": "three"}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"id": "one"}]},
        {"other": 1},
        "done",
    ],
)
def test_a_garbled_answer_fails_the_whole_batch(answer: Any) -> None:
    assert ids(answer) == []
