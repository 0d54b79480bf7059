"""moto's queues with our quicker parts: the same results, without a count of the queue for each message."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.sqs.models import Message, SQSBackend

from local import queues
from local.naming import REGION

MESSAGES = 30


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    for owner, name in (
        (Message, "visible"),
        (Message, "delayed"),
        (SQSBackend, "is_message_valid_based_on_retention_period"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # restored at the end
    queues.install()
    with mock_aws():
        sqs = boto3.client("sqs", region_name=REGION)
        url = sqs.create_queue(QueueName="files", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
        for number in range(MESSAGES):
            sqs.send_message(QueueUrl=url, MessageBody=str(number))
        yield sqs, url


def received(sqs: Any, url: str) -> list[Any]:
    return list(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()))


def test_each_message_is_received_once_until_it_is_released(queue: tuple[Any, str]) -> None:
    sqs, url = queue
    messages = [message for _ in range(4) for message in received(sqs, url)]
    assert sorted(int(each["Body"]) for each in messages) == list(range(MESSAGES))
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=messages[7]["ReceiptHandle"], VisibilityTimeout=0
    )
    assert [each["Body"] for each in received(sqs, url)] == [messages[7]["Body"]]


def test_a_delayed_message_is_not_received(queue: tuple[Any, str]) -> None:
    sqs, url = queue
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=60)
    assert received(sqs, url) == []


def test_a_message_past_its_retention_is_not_received(
    queue: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs, url = queue
    now_ms = queues._now_ms()
    monkeypatch.setattr(queues, "_now_ms", lambda: now_ms + 5 * 86_400_000)
    assert received(sqs, url) == []


def test_a_receive_does_not_count_the_queue_for_each_message(
    queue: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs, url = queue

    def count(*_arguments: Any) -> Any:
        raise AssertionError("the attributes of the queue were read")

    monkeypatch.setattr(SQSBackend, "get_queue_attributes", count)
    assert len(received(sqs, url)) == 10
