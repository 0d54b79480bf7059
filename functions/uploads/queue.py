"""The queue that files are told of on: what must come back, after how long, and what goes on."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.shared import journal
from functions.shared.aws_client import asked, client
from functions.shared.buckets.drops import Dropped
from functions.shared.telling import TellingError
from functions.uploads.notices import Message, notice, read

LONGEST_PAUSE_SECONDS = 900


class DropQueue:
    """One queue.

    Parameters
    ----------
    name: its name. source: who tells, for people who read a message.
    sqs: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, name: str, source: str, sqs: Any = None) -> None:
        self._name = name
        self._source = source
        self._sqs = sqs
        self._url = ""

    def tell(self, file: Dropped) -> None:
        """Tell of `file`.

        Raises
        ------
        TellingError: the queue may have taken it all the same; told of twice is read once.
        """
        body = notice(file, self._source)
        asked(lambda: self._client().send_message(QueueUrl=self._address(), MessageBody=body), _failed)

    def answer_to(self, event: dict[str, Any], work_on: Callable[[Message], int | None]) -> dict[str, Any]:
        """What SQS is answered: the messages that must come back, after as many seconds as `work_on` says."""
        returning = [(each, pause) for each in read(event) if (pause := work_on(each)) is not None]
        self._hide(returning)
        return {"batchItemFailures": [{"itemIdentifier": each.message_id} for each, _ in returning]}

    def _hide(self, pauses: Sequence[tuple[Message, int]]) -> None:
        """Hide each message for so many seconds; if that fails it returns at the queue's own pace."""
        for message, seconds in pauses:
            try:
                self._client().change_message_visibility(
                    QueueUrl=self._address(),
                    ReceiptHandle=message.receipt_handle,
                    VisibilityTimeout=seconds,
                )
            except (BotoCoreError, ClientError, TellingError) as fault:
                journal.write("pause_not_set", error_type=type(fault).__name__, messages=1)

    def _client(self) -> Any:
        self._sqs = self._sqs or client("sqs")
        return self._sqs

    def _address(self) -> str:
        if not self._url:
            answer = asked(lambda: self._client().get_queue_url(QueueName=self._name), _failed)
            self._url = answer["QueueUrl"]
        return self._url


def pause_seconds(receive_count: int) -> int:
    """1, 2, 4 … seconds up to LONGEST_PAUSE_SECONDS, less up to half so that not all return at once."""
    longest = min(2 ** min(receive_count - 1, 30), LONGEST_PAUSE_SECONDS)
    return max(1, round(random.uniform(longest / 2, longest)))  # noqa: S311


def _failed(code: str) -> TellingError:
    return TellingError(f"SQS: {code}")
