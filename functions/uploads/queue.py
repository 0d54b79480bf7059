"""The queue of files to read: publish a file or a wake-up, release or hide messages."""

import random
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.shared import journal
from functions.shared.aws_client import asked, client
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.notifications import NotificationError
from functions.shared.tenancy import TenantId
from functions.uploads.notifications import DropInMessage, notification_body, wake_up_body

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

    def publish(self, file: DroppedFile, delay_seconds: int = 0, receives: int = 0) -> None:
        """Publish `file`, after a delay of at most LONGEST_PAUSE_SECONDS.

        `receives`: the receive count of the messages that this one replaces.

        Raises
        ------
        NotificationError: the message may be on the queue anyway; a file published twice is read once.
        """
        self._send(notification_body(file, self._source, receives), delay_seconds)

    def wake(self, tenant: TenantId, delay_seconds: int = 0) -> None:
        """Publish a wake-up for the backlog of `tenant`. Raises NotificationError."""
        self._send(wake_up_body(tenant, self._source), delay_seconds)

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

    def _send(self, body: str, delay_seconds: int) -> None:
        asks = {"QueueUrl": self._address(), "MessageBody": body}
        delay = {"DelaySeconds": delay_seconds} if delay_seconds else {}
        asked(lambda: self._client().send_message(**asks, **delay), _failed)

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
