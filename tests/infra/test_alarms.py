"""Alarms: failing and throttled functions, queues that stall, dead letters, 5xx."""

from collections import Counter
from pathlib import Path

import pytest

from infra.topology import FUNCTIONS, QUEUES, SIGNALS, Function, Queue, Signal, StageNames, function
from tests.infra.synthesized import Properties, Templates


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_one_error_or_throttle_of_a_function_alarms(
    templates: Templates, spec: Function, metric: str
) -> None:
    functions = templates.resources("AWS::Lambda::Function")
    alarms = [
        each
        for each in _alarms(templates, "AWS/Lambda", metric)
        if functions[_watched(templates, each)]["Properties"]["Handler"] == spec.handler
    ]

    assert [(each["Statistic"], _fires_at(each, 1), _fires_at(each, 0)) for each in alarms] == [
        ("Sum", True, False)
    ]


@pytest.mark.parametrize("spec", QUEUES, ids=lambda spec: spec.name)
def test_one_dead_letter_alarms(templates: Templates, spec: Queue) -> None:
    (alarm,) = (
        each
        for each in _alarms(templates, "AWS/SQS", "ApproximateNumberOfMessagesVisible")
        if _watches_queue(templates, each, f"{spec.name.replace('-', '')}dead")
    )

    assert _fires_at(alarm, 1)
    assert not _fires_at(alarm, 0)


def test_a_customer_whose_own_clickhouse_is_away_wakes_the_customer_and_not_us(templates: Templates) -> None:
    waited_for = [spec.name for spec in QUEUES if spec.late_after_seconds is None]

    assert waited_for == ["staged-byoc", "dropped-byoc"]
    alarms = _alarms(templates, "AWS/SQS", "ApproximateAgeOfOldestMessage")
    assert len(alarms) == len(QUEUES) - len(waited_for)


@pytest.mark.parametrize(
    "spec", [spec for spec in QUEUES if spec.late_after_seconds], ids=lambda spec: spec.name
)
def test_a_message_older_than_its_queue_takes_alarms(templates: Templates, spec: Queue) -> None:
    """A log after five minutes, a file after half an hour."""
    (alarm,) = (
        each
        for each in _alarms(templates, "AWS/SQS", "ApproximateAgeOfOldestMessage")
        if _watches_queue(templates, each, spec.name)
    )
    late = {"dropped": 1800}.get(spec.name, 300)

    assert _fires_at(alarm, late + 1)
    assert not _fires_at(alarm, late - 1)


def test_repeated_server_errors_of_the_api_alarm(templates: Templates) -> None:
    (alarm,) = _alarms(templates, "AWS/ApiGateway", "5xx")

    assert _fires_at(alarm, 10)
    assert not _fires_at(alarm, 1)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: f"{signal.function}-{signal.metric}")
def test_what_a_function_counts_as_wrong_alarms(templates: Templates, signal: Signal) -> None:
    (alarm,) = (
        each
        for each in _alarms(templates, StageNames().metrics_namespace, signal.metric)
        if each["Dimensions"] == [{"Name": "Function", "Value": signal.function}]
    )

    assert _fires_at(alarm, signal.above + 1)
    assert not _fires_at(alarm, signal.above)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: f"{signal.function}-{signal.metric}")
def test_a_signal_is_one_that_its_function_writes(signal: Signal) -> None:
    own, shared = (
        "".join(module.read_text() for module in (Path("functions") / folder).rglob("*.py"))
        for folder in (function(signal.function).folder, "shared")
    )

    assert f'"{signal.metric}"' in own + shared
    assert f'"{signal.function}"' in own


def test_every_alarm_notifies_the_one_topic_and_says_what_is_wrong(templates: Templates) -> None:
    (topic_id,) = (name for name in templates.resources("AWS::SNS::Topic") if name.startswith("alarms"))
    alarms = templates.properties("AWS::CloudWatch::Alarm")

    assert Counter(len(each["AlarmActions"]) for each in alarms) == {1: len(alarms)}
    assert {templates.points_at(each["AlarmActions"][0]) for each in alarms} == {topic_id}
    assert all(each["AlarmDescription"] for each in alarms)
    assert [each["Protocol"] for each in templates.properties("AWS::SNS::Subscription")] == ["sqs"], (
        "only the chosen address is mailed"
    )


def _alarms(templates: Templates, namespace: str, metric: str) -> list[Properties]:
    return [
        each
        for each in templates.properties("AWS::CloudWatch::Alarm")
        if (each["Namespace"], each["MetricName"]) == (namespace, metric)
    ]


def _watched(templates: Templates, alarm: Properties) -> str:
    (dimension,) = alarm["Dimensions"]
    return templates.points_at(dimension["Value"])


def _watches_queue(templates: Templates, alarm: Properties, name: str) -> bool:
    (dimension,) = alarm["Dimensions"]
    # A queue's dimension is its name, and that is exported from the data stack as GetAtt QueueName.
    return templates.points_at(dimension["Value"]) == templates.store("queue", name)[0]


def _fires_at(alarm: Properties, value: float) -> bool:
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["EvaluationPeriods"] == 1
    assert alarm["Period"] == 300
    return bool(value > alarm["Threshold"])
