"""The queue of files to read: publish a file, defer, release or hide its message."""

import random
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.shared import journal
from functions.shared.aws_client import asked, client
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.notifications import NotificationError
from functions.uploads.notifications import DropInMessage, notification_body

LONGEST_PAUSE_SECONDS = 900
"""The longest delay of a message in SQS."""

_ENTRIES = 10


class DropQueue:
    """One queue.

    Parameters
    ----------
    name: its name. source: the publishing function, for people who read a message.
    sqs: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, name: str, source: str, sqs: Any = None) -> None:
        self._name = name
        self._source = source
        self._sqs = sqs
        self._url = ""

    def publish(self, file: DroppedFile, delay_seconds: int = 0) -> None:
        """Publish `file`, after a delay of at most LONGEST_PAUSE_SECONDS.

        Raises
        ------
        NotificationError: the message may be on the queue anyway; a file published twice is read once.
        """
        asks = {"QueueUrl": self._address(), "MessageBody": notification_body(file, self._source)}
        delay = {"DelaySeconds": delay_seconds} if delay_seconds else {}
        asked(lambda: self._client().send_message(**asks, **delay), _failed)

    def defer(self, messages: Sequence[tuple[DropInMessage, int]]) -> list[tuple[DropInMessage, int]]:
        """Send each message anew with its delay in seconds; return those for which that failed.

        A delayed message is not in flight, of which a queue has at most 120,000, and counts as never
        received.
        """
        failed: list[tuple[DropInMessage, int]] = []
        for start in range(0, len(messages), _ENTRIES):
            failed += self._send_anew(messages[start : start + _ENTRIES])
        return failed

    def release(self, messages: Sequence[DropInMessage]) -> None:
        """Release each message to another invocation at once.

        If that fails, the queue redelivers it after its own visibility timeout.
        """
        for start in range(0, len(messages), _ENTRIES):
            entries = [
                {"Id": str(number), "ReceiptHandle": each.receipt_handle, "VisibilityTimeout": 0}
                for number, each in enumerate(messages[start : start + _ENTRIES])
            ]
            try:
                self._client().change_message_visibility_batch(QueueUrl=self._address(), Entries=entries)
            except (BotoCoreError, ClientError, NotificationError) as fault:
                journal.write("pause_not_set", error_type=type(fault).__name__, messages=len(entries))

    def hide(self, pauses: Sequence[tuple[DropInMessage, int]]) -> None:
        """Set the visibility timeout of each message; if that fails, the queue's own applies."""
        for message, seconds in pauses:
            try:
                self._client().change_message_visibility(
                    QueueUrl=self._address(),
                    ReceiptHandle=message.receipt_handle,
                    VisibilityTimeout=seconds,
                )
            except (BotoCoreError, ClientError, NotificationError) as fault:
                journal.write("pause_not_set", error_type=type(fault).__name__, messages=1)

    def _send_anew(self, messages: Sequence[tuple[DropInMessage, int]]) -> list[tuple[DropInMessage, int]]:
        entries = [
            {
                "Id": str(number),
                "MessageBody": notification_body(
                    file, self._source, each.deferrals + 1, each.receive_count - 1
                ),
                "DelaySeconds": seconds,
            }
            for number, (each, seconds) in enumerate(messages)
            for file in each.files or ()
        ]
        try:
            asks = {"QueueUrl": self._address(), "Entries": entries}
            answer = asked(lambda: self._client().send_message_batch(**asks), _failed)
        except NotificationError:
            return list(messages)
        return [messages[int(each["Id"])] for each in answer.get("Failed", ())]

    def _client(self) -> Any:
        self._sqs = self._sqs or client("sqs")
        return self._sqs

    def _address(self) -> str:
        if not self._url:
            answer = asked(lambda: self._client().get_queue_url(QueueName=self._name), _failed)
            self._url = answer["QueueUrl"]
        return self._url


def pause_seconds(receive_count: int) -> int:
    """Exponential backoff: 1, 2, 4 … seconds up to LONGEST_PAUSE_SECONDS, less up to half as jitter."""
    longest = min(2 ** min(receive_count - 1, 30), LONGEST_PAUSE_SECONDS)
    return max(1, round(random.uniform(longest / 2, longest)))  # noqa: S311


def _failed(code: str) -> NotificationError:
    return NotificationError(f"SQS: {code}")
