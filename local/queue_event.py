"""SQS messages as values: the event Lambda passes for a batch, and the meaning of the answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.naming import REGION

Message = Mapping[str, Any]


def event_of(messages: Sequence[Message], queue_arn: str) -> dict[str, Any]:
    """The event for messages as boto3's `receive_message` returns them."""
    return {"Records": [_record(message, queue_arn) for message in messages]}


def succeeded(messages: Sequence[Message], answer: Any) -> list[Message]:
    """The messages to delete, by the rules of ReportBatchItemFailures.

    No answer or no failures in it: all. An answer with an id that is not in the batch, or of another form:
    none, because Lambda treats that as a complete failure.
    """
    if answer is None or answer == {}:
        return list(messages)
    try:
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"] or ()}
    except (KeyError, TypeError):
        return []
    if failed - {message["MessageId"] for message in messages}:
        return []
    return [message for message in messages if message["MessageId"] not in failed]


def _record(message: Message, queue_arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: content for name, content in value.items() if name != "BinaryValue"}
