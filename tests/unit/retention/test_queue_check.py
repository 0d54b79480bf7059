"""Queue check: dead letters and the age of waiting messages, on moto's SQS and a recorded CloudWatch."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.retention.queue_check import QueueMeter, QueueUnavailableError, WatchedQueue
from tests.aws_environment import set_aws_environment

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
STAGED = WatchedQueue("stack-staged", "StagedDead", "StagedAgeSeconds")
BYOC = WatchedQueue("stack-staged-byoc", "StagedByocDead")


class RecordedCloudWatch:
    """Answers with the ages given by queue, newest first; remembers the questions."""

    def __init__(self, ages: dict[str, list[float]]) -> None:
        self.ages = ages
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, **question: Any) -> dict[str, Any]:
        self.asked.append(question)
        metric = question["MetricDataQueries"][0]["MetricStat"]["Metric"]
        (dimension,) = metric["Dimensions"]
        return {"MetricDataResults": [{"Id": "age", "Values": self.ages.get(dimension["Value"], [])}]}


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    set_aws_environment(monkeypatch)
    with mock_aws():
        client = boto3.client("sqs", region_name="us-east-1")
        for queue in (STAGED, BYOC):
            dead = client.create_queue(QueueName=f"{queue.name}-dead-1x2y")["QueueUrl"]
            arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
                "QueueArn"
            ]
            redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
            client.create_queue(QueueName=queue.name, Attributes={"RedrivePolicy": redrive})
        yield client


def send(sqs: Any, name: str, *tenants: str) -> None:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    for tenant in tenants:
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"tenant": tenant}))


def test_idle_queues_measure_zero_and_cloudwatch_is_not_asked(sqs: Any) -> None:
    cloudwatch = RecordedCloudWatch({STAGED.name: [900]})
    meter = QueueMeter(sqs, cloudwatch)

    assert meter.measure(STAGED, NOW) == {"StagedDead": (0, "Count"), "StagedAgeSeconds": (0, "Seconds")}
    assert meter.measure(BYOC, NOW) == {"StagedByocDead": (0, "Count")}
    assert cloudwatch.asked == []


def test_dead_letters_are_counted_in_their_own_queue_only(sqs: Any) -> None:
    send(sqs, f"{BYOC.name}-dead-1x2y", "acme", "globex")
    meter = QueueMeter(sqs, RecordedCloudWatch({}))

    assert meter.measure(BYOC, NOW) == {"StagedByocDead": (2, "Count")}
    assert meter.measure(STAGED, NOW)["StagedDead"] == (0, "Count")


def test_a_waiting_message_has_the_newest_age_that_cloudwatch_knows(sqs: Any) -> None:
    send(sqs, STAGED.name, "acme", "globex")
    cloudwatch = RecordedCloudWatch({STAGED.name: [420, 360, 300]})

    assert QueueMeter(sqs, cloudwatch).measure(STAGED, NOW)["StagedAgeSeconds"] == (420, "Seconds")
    (question,) = cloudwatch.asked
    assert question["ScanBy"] == "TimestampDescending"
    assert (question["StartTime"], question["EndTime"]) == (NOW - timedelta(minutes=10), NOW)


def test_a_message_in_flight_is_waiting_too(sqs: Any) -> None:
    """A batch that fails again and again is in flight most of the time."""
    send(sqs, STAGED.name, "acme")
    url = sqs.get_queue_url(QueueName=STAGED.name)["QueueUrl"]
    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]

    measured = QueueMeter(sqs, RecordedCloudWatch({STAGED.name: [301]})).measure(STAGED, NOW)

    assert measured["StagedAgeSeconds"] == (301, "Seconds")


def test_an_age_that_cloudwatch_does_not_have_yet_is_zero(sqs: Any) -> None:
    send(sqs, STAGED.name, "globex")

    assert QueueMeter(sqs, RecordedCloudWatch({})).measure(STAGED, NOW)["StagedAgeSeconds"] == (0, "Seconds")


def test_a_queue_that_does_not_answer_raises_instead_of_measuring_zero(sqs: Any) -> None:
    missing = WatchedQueue("stack-dropped", "DroppedDead", "DroppedAgeSeconds")

    with pytest.raises(QueueUnavailableError, match="SQS or CloudWatch"):
        QueueMeter(sqs, RecordedCloudWatch({})).measure(missing, NOW)
