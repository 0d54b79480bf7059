"""Makes moto's queues quick: it takes all attributes of a queue to judge the age of each message it delivers.

With 450 messages in a queue one receive takes 0.3 to 1 s of the server's only processor, so a backlog delays
each further message for a reason that SQS does not have. The results stay the same.

Its deletes replace the list of messages without a lock, so that of two at once one is undone. A receive fails
if a message is deleted while moto looks at all received ones for groups, which our queues do not have.
"""

import time
from collections.abc import Callable

from moto.sqs.models import Message, Queue, SQSBackend


def install() -> None:
    """Replace the slow parts in this process; the server is not started yet."""
    Message.visible = property(_is_visible)
    Message.delayed = property(_is_delayed)
    SQSBackend.is_message_valid_based_on_retention_period = _is_retained
    Queue.delete_message = _deleting(Queue.delete_message)
    Queue.pending_message_groups = property(lambda _queue: set())


def _deleting(delete: Callable[[Queue, str], None]) -> Callable[[Queue, str], None]:
    """`delete`, one at a time, and not while a message is added."""

    def delete_message(queue: Queue, receipt_handle: str) -> None:
        with queue._messages_lock:  # noqa: SLF001 - the lock with which moto adds a message
            delete(queue, receipt_handle)

    return delete_message


def _is_visible(message: Message) -> bool:
    return bool(_now_ms() > message.visible_at)


def _is_delayed(message: Message) -> bool:
    return bool(_now_ms() < message.delayed_until)


def _is_retained(backend: SQSBackend, queue_name: str, message: Message) -> bool:
    retention_ms = backend.get_queue(queue_name).message_retention_period * 1000
    return bool(message.sent_timestamp + retention_ms > _now_ms())


def _now_ms() -> float:
    return time.time() * 1000
