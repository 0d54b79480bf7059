"""moto's queues with our quicker parts: the same results, without a count of the queue for each message."""

from collections.abc import Iterator
from functools import partial
from threading import Thread
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from local import queues
from local.naming import REGION

MESSAGES = 30
ACCOUNT = "123456789012"


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    for owner, name in (
        (Message, "visible"),
        (Message, "delayed"),
        (Queue, "delete_message"),
        (Queue, "pending_message_groups"),
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


def test_of_two_messages_that_are_deleted_at_once_none_stays(
    queue: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto replaces the list of messages by what is left of it: another delete meanwhile was undone."""
    sqs, url = queue
    first, second, *_ = received(sqs, url)
    others: list[Thread] = []
    had = Message.had_receipt_handle

    def delete_another(self: Message, handle: str) -> bool:
        if not others and self.body == str(MESSAGES - 1):
            delete = partial(sqs.delete_message, QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
            others.append(Thread(target=delete))
            others[0].start()
            others[0].join(0.3)
        return had(self, handle)

    monkeypatch.setattr(Message, "had_receipt_handle", delete_another)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    others[0].join()
    assert len(sqs_backends[ACCOUNT][REGION].get_queue("files")._messages) == MESSAGES - 2


def test_messages_are_received_while_others_are_deleted(
    queue: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto looks at each received message for groups, which only FIFO queues have, and fails if one goes."""
    sqs, url = queue
    assert len(received(sqs, url)) == 10

    class Going(set[Any]):
        def __iter__(self) -> Any:
            raise RuntimeError("Set changed size during iteration")

    files = sqs_backends[ACCOUNT][REGION].get_queue("files")
    monkeypatch.setattr(files, "_pending_messages", Going(files._pending_messages))
    assert len(received(sqs, url)) == 10
