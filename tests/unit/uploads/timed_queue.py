"""A queue in virtual time: delays, visibility timeouts, receive counts; and invocations that it starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

VISIBILITY_SECONDS = 1800
BATCH = 10


@dataclass
class Message:
    body: str
    visible_at: float
    receives: int = 0


class TimedQueue:
    """A boto3 client for one queue. `clock`: Unix seconds. `sent`: how many messages were ever sent."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._numbers = count()
        self.messages: dict[str, Message] = {}
        self.sent = 0

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.send_message("", body)

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": QueueName}

    def send_message(self, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> None:  # noqa: ARG002, N803
        assert 0 <= DelaySeconds <= 900
        self.sent += 1
        self.messages[f"m{next(self._numbers)}"] = Message(MessageBody, self._clock() + DelaySeconds)

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: N803
        for each in Entries:
            self.change_message_visibility(QueueUrl=QueueUrl, **each)

    def change_message_visibility(self, **asked: Any) -> None:
        self.messages[asked["ReceiptHandle"]].visible_at = self._clock() + asked["VisibilityTimeout"]

    def visible(self) -> list[str]:
        """The ids of the messages that can be received, the oldest first."""
        return [name for name, each in self.messages.items() if each.visible_at <= self._clock()]

    def next_at(self) -> float:
        """When a message can be received: the past if one can be now."""
        return min(each.visible_at for each in self.messages.values())

    def receive(self, most: int = BATCH) -> dict[str, Any]:
        """An event of Lambda with up to `most` messages."""
        names = self.visible()[:most]
        for name in names:
            self.messages[name].receives += 1
            self.messages[name].visible_at = self._clock() + VISIBILITY_SECONDS
        return {"Records": [self._record(name) for name in names]}

    def settle(self, event: dict[str, Any], answer: dict[str, Any]) -> None:
        """Delete the messages of `event` that `answer` does not name."""
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        self.delete([each["messageId"] for each in event["Records"] if each["messageId"] not in failed])

    def delete(self, names: Sequence[str]) -> None:
        for each in names:
            del self.messages[each]

    def _record(self, name: str) -> dict[str, Any]:
        message = self.messages[name]
        attributes = {"ApproximateReceiveCount": str(message.receives)}
        return {"messageId": name, "receiptHandle": name, "body": message.body, "attributes": attributes}
