"""Redelivery of unsettled messages with our own backoff, instead of the queue's visibility timeout."""

import math
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.shared import journal
from functions.shared.aws_client import client
from functions.sync.notifications import QueueMessage

LONGEST_PAUSE_SECONDS = 60
"""Loading a backlog resumes within a minute after an outage."""

_ENTRIES_A_CALL = 10
_CALLS_AT_ONCE = 8
_LAST_CALL_SECONDS = 1


def backoff_seconds(receive_count: int, longest_seconds: int = LONGEST_PAUSE_SECONDS) -> int:
    """1, 2, 4 … seconds up to `longest_seconds`, less up to half as jitter."""
    longest = min(2 ** min(receive_count - 1, 30), longest_seconds)
    return max(1, round(random.uniform(longest / 2, longest)))  # noqa: S311


class VisibilityTimeouts:
    """Those of the queue `name`. boto3 is loaded for the first one to set: most invocations set none."""

    def __init__(self, name: str) -> None:
        self._name = name

    def set(self, pauses: Sequence[tuple[QueueMessage, int]]) -> None:
        """Set each message's visibility timeout; on failure the queue's own one applies."""
        if not pauses:
            return
        try:
            queue, queue_url = self._queue
        except (BotoCoreError, ClientError) as fault:
            journal.write("pause_not_set", error_type=type(fault).__name__, messages=len(pauses))
        else:
            set_visibility_timeouts(queue, queue_url, pauses)

    @cached_property
    def _queue(self) -> tuple[Any, str]:
        """The client and the queue's URL."""
        sqs = client("sqs")
        return sqs, sqs.get_queue_url(QueueName=self._name)["QueueUrl"]


def set_visibility_timeouts(
    queue: Any,
    queue_url: str,
    pauses: Sequence[tuple[QueueMessage, int]],
    seconds_left: Callable[[], float] = lambda: math.inf,
) -> None:
    """Set each message's visibility timeout; on failure or lack of time the queue's own one applies."""

    def hide(start: int) -> None:
        if seconds_left() < _LAST_CALL_SECONDS:
            return
        entries = [
            {"Id": str(position), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": seconds}
            for position, (message, seconds) in enumerate(pauses[start : start + _ENTRIES_A_CALL])
        ]
        try:
            queue.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
        except (BotoCoreError, ClientError) as fault:
            journal.write("pause_not_set", error_type=type(fault).__name__, messages=len(entries))

    # Ten thousand messages are a thousand calls.
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        list(pool.map(hide, range(0, len(pauses), _ENTRIES_A_CALL)))
