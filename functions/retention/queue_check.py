"""Queue check: warn of messages in dead-letter queues, and of messages that wait too long.

Trigger: the scheduler, every five minutes. Promise: one run measures each dead-letter queue, and the age of
the oldest message of each queue that has a limit (functions.shared.signals). It asks CloudWatch for an age
only if the queue has messages: CloudWatch charges for each request, and an idle installation makes none.
On failure: it raises, which is an alarm; the next run measures again. It changes nothing.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from functions.shared import journal
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.powertools import instrumented
from functions.shared.settings import load

FUNCTION = "queue-check"

WINDOW = timedelta(minutes=10)
"""CloudWatch gets the age of a queue's oldest message every minute, a few minutes late."""

PERIOD_SECONDS = 60

_VISIBLE = "ApproximateNumberOfMessages"
_WAITING = (_VISIBLE, f"{_VISIBLE}NotVisible", f"{_VISIBLE}Delayed")


class QueueUnavailableError(RetryableError):
    """SQS or CloudWatch did not answer, or rejected the call."""


@dataclass(frozen=True, slots=True)
class Settings:
    staged_queue: str
    staged_byoc_queue: str
    mail_feedback_queue: str
    dropped_queue: str
    dropped_byoc_queue: str


@dataclass(frozen=True, slots=True)
class WatchedQueue:
    """A queue and the names of its metrics. `age`: None if its messages may wait."""

    name: str
    dead: str
    age: str | None = None


class QueueMeter:
    """Measures queues. Resolves each queue's dead-letter queue once: it is part of the queue's attributes.

    Parameters
    ----------
    sqs, cloudwatch: boto3 clients.
    """

    def __init__(self, sqs: Any, cloudwatch: Any) -> None:
        self._sqs = sqs
        self._cloudwatch = cloudwatch
        self._urls: dict[str, tuple[str, str]] = {}

    def measure(self, queue: WatchedQueue, now: datetime) -> dict[str, tuple[float, str]]:
        """Metrics by name: messages in the dead-letter queue, and the age in seconds if it has a metric.

        Raises
        ------
        QueueUnavailableError
        """
        url, dead_url = self._resolved(queue.name)
        dead = int(self._attributes(dead_url, _VISIBLE)[_VISIBLE])
        measured: dict[str, tuple[float, str]] = {queue.dead: (dead, "Count")}
        if queue.age:
            waiting = any(int(each) for each in self._attributes(url, *_WAITING).values())
            age = self._age_seconds(queue.name, now) if waiting else 0
            measured[queue.age] = (age, "Seconds")
        return measured

    def _resolved(self, name: str) -> tuple[str, str]:
        if name not in self._urls:
            url = self._url(name)
            redrive = json.loads(self._attributes(url, "RedrivePolicy")["RedrivePolicy"])
            self._urls[name] = url, self._url(redrive["deadLetterTargetArn"].rpartition(":")[2])
        return self._urls[name]

    def _url(self, name: str) -> str:
        answer = asked(lambda: self._sqs.get_queue_url(QueueName=name), _unavailable)
        return str(answer["QueueUrl"])

    def _attributes(self, url: str, *names: str) -> dict[str, str]:
        answer = asked(
            lambda: self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names)), _unavailable
        )
        attributes: dict[str, str] = answer["Attributes"]
        return attributes

    def _age_seconds(self, name: str, now: datetime) -> float:
        """The last age of the oldest message; 0 if CloudWatch has none yet."""
        metric = {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateAgeOfOldestMessage",
            "Dimensions": [{"Name": "QueueName", "Value": name}],
        }
        query = {"Id": "age", "MetricStat": {"Metric": metric, "Period": PERIOD_SECONDS, "Stat": "Maximum"}}
        answer = asked(
            lambda: self._cloudwatch.get_metric_data(
                MetricDataQueries=[query],
                StartTime=now - WINDOW,
                EndTime=now,
                ScanBy="TimestampDescending",
            ),
            _unavailable,
        )
        values: list[float] = answer["MetricDataResults"][0]["Values"]
        return values[0] if values else 0


def _unavailable(code: str) -> QueueUnavailableError:
    return QueueUnavailableError(f"SQS or CloudWatch: {code}")


@cache
def _meter() -> tuple[QueueMeter, tuple[WatchedQueue, ...]]:
    settings = load(Settings)
    queues = (
        WatchedQueue(settings.staged_queue, "StagedDead", "StagedAgeSeconds"),
        WatchedQueue(settings.staged_byoc_queue, "StagedByocDead"),
        WatchedQueue(settings.mail_feedback_queue, "MailFeedbackDead", "MailFeedbackAgeSeconds"),
        WatchedQueue(settings.dropped_queue, "DroppedDead", "DroppedAgeSeconds"),
        WatchedQueue(settings.dropped_byoc_queue, "DroppedByocDead"),
    )
    return QueueMeter(client("sqs"), client("cloudwatch")), queues


@instrumented
def handler(_event: dict[str, Any], _context: Any) -> dict[str, float]:
    meter, queues = _meter()
    now = datetime.now(UTC)
    measured = {name: value for queue in queues for name, value in meter.measure(queue, now).items()}
    journal.measure(FUNCTION, measured)
    return {name: value for name, (value, _) in measured.items()}
