import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from infra.topology import Function, QueueSource
from local import poller
from local.execution_environment import FunctionCrashedError

SOURCE = QueueSource("q", batch_size=25, window_seconds=1, max_concurrency=2)
FUNCTION = Function("sync", "m.f", 128, 3, source=SOURCE)

MOST_SECONDS, MORE_SECONDS = 20, 0.2


class Queue:
    """Hands out what it was given, ten at a time, and remembers what was deleted."""

    arn = "arn:q"

    def __init__(self, count: int) -> None:
        self.waiting = [
            {"MessageId": str(number), "ReceiptHandle": str(number), "Body": "b"} for number in range(count)
        ]
        self.deleted: list[str] = []

    async def receive(self, _wait_seconds: int, most: int = 10) -> list[Any]:
        await asyncio.sleep(0.01)
        count = min(most, 10)
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    async def delete(self, messages: Sequence[Any]) -> None:
        self.deleted += [message["MessageId"] for message in messages]


class Invoker:
    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.sizes: list[int] = []

    async def invoke(self, _name: str, event: dict[str, Any]) -> Any:
        self.sizes.append(len(event["Records"]))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def polled(queue: Queue, invoker: Invoker, source: QueueSource = SOURCE) -> None:
    """Poll until all messages were handed to the function, and a little longer."""
    count = len(queue.waiting)

    async def scenario() -> None:
        task = asyncio.create_task(poller._poll(FUNCTION, source, queue, invoker))  # type: ignore[arg-type]
        async with asyncio.timeout(MOST_SECONDS):
            while sum(invoker.sizes) < count:
                await asyncio.sleep(0.01)
        await asyncio.sleep(MORE_SECONDS)
        task.cancel()

    asyncio.run(scenario())


def test_a_batch_gathers_over_the_window_and_never_exceeds_its_size() -> None:
    queue, invoker = Queue(45), Invoker(None)
    polled(queue, invoker)
    assert sum(invoker.sizes) == 45
    assert max(invoker.sizes) <= SOURCE.batch_size
    assert len(invoker.sizes) <= 3
    assert len(queue.deleted) == 45


def test_a_batch_is_handed_over_when_its_window_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after the pause between two receives, which was up to 0.2 s later."""
    monkeypatch.setattr(poller, "PAUSE_SECONDS", 10 * SOURCE.window_seconds)
    began = time.monotonic()
    polled(Queue(1), Invoker(None))
    assert SOURCE.window_seconds <= time.monotonic() - began < 5 * SOURCE.window_seconds


def test_a_function_that_takes_one_message_gets_one() -> None:
    queue, invoker = Queue(12), Invoker(None)
    polled(queue, invoker, QueueSource("q", batch_size=1, window_seconds=0, max_concurrency=2))
    assert invoker.sizes == [1] * 12


def test_only_what_succeeded_is_deleted() -> None:
    queue = Queue(3)
    polled(queue, Invoker({"batchItemFailures": [{"itemIdentifier": "1"}]}))
    assert queue.deleted == ["0", "2"]


def test_a_crash_deletes_nothing_and_polling_continues() -> None:
    queue, invoker = Queue(25), Invoker(FunctionCrashedError("x"))
    polled(queue, invoker)
    assert queue.deleted == []
    assert sum(invoker.sizes) == 25
