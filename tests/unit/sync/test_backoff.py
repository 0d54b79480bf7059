"""Visibility timeouts of sync's queue: its client is made for the first one to set."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.sync import backoff
from functions.sync.backoff import VisibilityTimeouts
from functions.sync.notifications import QueueMessage


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("sqs")


def received(sqs: Any, url: str) -> list[QueueMessage]:
    """The messages that the queue shows, hidden from now on."""
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)
    return [
        QueueMessage(each["MessageId"], each["ReceiptHandle"], 1, ()) for each in found.get("Messages", ())
    ]


def test_messages_of_two_tenants_return_when_their_own_timeouts_end(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="staged")["QueueUrl"]
    for tenant in ("acme", "globex"):
        sqs.send_message(QueueUrl=url, MessageBody=tenant)
    messages = received(sqs, url)
    assert len(messages) == 2
    first, second = messages

    VisibilityTimeouts("staged").set([(first, 0), (second, 600)])

    assert [each.message_id for each in received(sqs, url)] == [first.message_id]


def test_without_messages_no_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "client", None)
    VisibilityTimeouts("staged").set([])


def test_a_queue_that_cannot_be_reached_leaves_its_own_timeout_and_is_asked_again(
    sqs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    timeouts = VisibilityTimeouts("staged")
    message = QueueMessage("m", "handle", 1, ())
    timeouts.set([(message, 5)])

    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["messages"]) == ("pause_not_set", 1)
    url = sqs.create_queue(QueueName="staged")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="acme")
    (message,) = received(sqs, url)
    timeouts.set([(message, 0)])
    assert [each.message_id for each in received(sqs, url)] == [message.message_id]
