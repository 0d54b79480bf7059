"""Lambda's SQS poller on one machine: gathers a batch, invokes, deletes what succeeded.

A function has one gatherer, so two receives never race for a message (moto delivers it to both), and up to
`local_concurrency` concurrent batches. Failed messages wait for their visibility timeout, as in Lambda.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.topology import Function, QueueSource
from local.execution_environment import InvocationError
from local.invoker import Invoker
from local.naming import CREDENTIALS, REGION, queue_arn, queue_url
from local.queue_event import Message, event_of, succeeded

MESSAGES_A_CALL = 10
LONG_POLL_SECONDS = 1
"""A receive cannot be cancelled, so this is how long stopping takes; polling each second costs nothing."""

PAUSE_SECONDS = 0.2
MAX_EVENT_BYTES = 6 * 1024 * 1024


class Queue:
    """One SQS queue, from asyncio; every method may raise BotoCoreError or ClientError."""

    def __init__(self, name: str, aws_endpoint: str) -> None:
        self.arn = queue_arn(name)
        self._url = queue_url(name, aws_endpoint)
        self._sqs: Any = boto3.client(
            "sqs",
            endpoint_url=aws_endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    async def receive(self, wait_seconds: int, most: int = MESSAGES_A_CALL) -> list[Message]:
        """Up to `most` messages, ten at the most; empty when none comes within `wait_seconds`."""
        answer = await asyncio.to_thread(
            self._sqs.receive_message,
            QueueUrl=self._url,
            MaxNumberOfMessages=min(most, MESSAGES_A_CALL),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", ()))

    async def delete(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), MESSAGES_A_CALL):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages[start : start + MESSAGES_A_CALL])
            ]
            await asyncio.to_thread(self._sqs.delete_message_batch, QueueUrl=self._url, Entries=entries)


async def poll_queues(functions: tuple[Function, ...], invoker: Invoker, aws_endpoint: str) -> None:
    """Run until cancelled."""
    async with asyncio.TaskGroup() as pollers:
        for function in functions:
            if function.source:
                queue = Queue(function.source.queue, aws_endpoint)
                pollers.create_task(_poll(function, function.source, queue, invoker))


async def _poll(function: Function, source: QueueSource, queue: Queue, invoker: Invoker) -> None:
    turn = asyncio.Semaphore(function.local_concurrency)
    async with asyncio.TaskGroup() as batches:
        while True:
            await turn.acquire()
            messages = await _gathered(source, queue)
            if messages:
                batches.create_task(_process(function.name, messages, queue, invoker, turn))
            else:
                turn.release()


async def _gathered(source: QueueSource, queue: Queue) -> list[Message]:
    """A batch: from its first message on, for the window, up to its size; empty if no message came."""
    messages: list[Message] = []
    try:
        messages += await queue.receive(LONG_POLL_SECONDS, source.batch_size)
        closes_at = time.monotonic() + source.window_seconds
        size = _size(messages)
        while messages and time.monotonic() < closes_at and size < MAX_EVENT_BYTES:
            if len(messages) + MESSAGES_A_CALL > source.batch_size:
                break
            more = await queue.receive(0)
            messages += more
            size += _size(more)
            if not more:
                await asyncio.sleep(max(0.0, min(PAUSE_SECONDS, closes_at - time.monotonic())))
    except (BotoCoreError, ClientError):
        # The queues are restarting; received messages stay valid, or are redelivered.
        await asyncio.sleep(PAUSE_SECONDS)
    return messages


def _size(messages: Sequence[Message]) -> int:
    return sum(len(message["Body"]) for message in messages)


async def _process(
    name: str, messages: list[Message], queue: Queue, invoker: Invoker, turn: asyncio.Semaphore
) -> None:
    try:
        answer = await invoker.invoke(name, event_of(messages, queue.arn))
        await queue.delete(succeeded(messages, answer))
    except (InvocationError, BotoCoreError, ClientError) as fault:
        print(f"{name}, {len(messages)} messages: {fault}", flush=True)
    finally:
        turn.release()
