"""Alarms: failed and throttled functions, 5xx, and the warnings that functions publish by number."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from functions.shared import journal, signals
from infra.topology import (
    ALARMS,
    FUNCTIONS,
    QUEUES,
    SIGNALS,
    WARNING_METRIC,
    Queue,
    Signal,
    StageNames,
    function,
)
from tests.infra.synthesized import Properties, Templates

MAX_DESCRIPTION = 1024
"""Characters that CloudWatch accepts."""


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_one_error_or_throttle_of_any_function_alarms(templates: Templates, metric: str) -> None:
    """Without dimensions: the sum over all functions. The text has the query that shows which one it was."""
    (alarm,) = _alarms(templates, "AWS/Lambda", metric)

    assert "Dimensions" not in alarm
    assert alarm["Statistic"] == "Sum"
    assert _fires_at(alarm, 1)
    assert not _fires_at(alarm, 0)
    query = f'SELECT SUM({metric}) FROM SCHEMA("AWS/Lambda", FunctionName) GROUP BY FunctionName'  # noqa: S608
    assert query in alarm["AlarmDescription"]


def test_an_operator_of_a_shared_account_gets_alarms_for_each_function(chosen: Templates) -> None:
    functions = chosen.resources("AWS::Lambda::Function")

    for metric in ("Errors", "Throttles"):
        alarms = _alarms(chosen, "AWS/Lambda", metric)
        watched = {
            functions[chosen.points_at(each["Dimensions"][0]["Value"])]["Properties"]["Handler"]: each
            for each in alarms
        }
        assert watched.keys() == {spec.handler for spec in FUNCTIONS}
        assert len(alarms) == len(FUNCTIONS)
        for spec in FUNCTIONS:
            assert spec.name in watched[spec.handler]["AlarmDescription"]
            assert _fires_at(watched[spec.handler], 1)
            assert not _fires_at(watched[spec.handler], 0)


@pytest.mark.parametrize("spec", QUEUES, ids=lambda spec: spec.name)
def test_a_queue_has_a_signal_for_dead_letters_and_for_its_age_if_it_has_a_limit(spec: Queue) -> None:
    """An outage of a customer's own ClickHouse notifies the customer: messages may wait there."""
    prefix = spec.name.title().replace("-", "")
    limits = {each.metric: each.above for each in SIGNALS if each.function == "queue-check"}

    assert limits[f"{prefix}Dead"] == 0
    assert limits.get(f"{prefix}AgeSeconds") == spec.late_after_seconds


def test_every_queue_is_checked() -> None:
    checked = function("queue-check").settings.values()

    assert set(checked) == {f"queue:{spec.name}" for spec in QUEUES}
    assert [spec.name for spec in QUEUES if spec.late_after_seconds is None] == [
        "staged-byoc",
        "dropped-byoc",
    ]


def test_repeated_server_errors_of_the_api_alarm(templates: Templates) -> None:
    (alarm,) = _alarms(templates, "AWS/ApiGateway", "5xx")

    assert _fires_at(alarm, 10)
    assert not _fires_at(alarm, 1)


@pytest.mark.parametrize("name", ALARMS)
def test_a_warning_alarms_and_the_text_has_the_name_of_its_number(templates: Templates, name: str) -> None:
    (alarm,) = (
        each
        for each in _alarms(templates, StageNames().metrics_namespace, WARNING_METRIC)
        if each["Dimensions"] == [{"Name": "Alarm", "Value": name}]
    )
    signals = [each for each in SIGNALS if each.alarm == name]

    assert alarm["Statistic"] == "Maximum"
    assert [each.number for each in signals] == list(range(1, len(signals) + 1)), (
        "each number has one meaning"
    )
    assert not _fires_at(alarm, 0)
    for signal in signals:
        assert _fires_at(alarm, signal.number)
        assert f" {signal.number} {signal.metric} of {signal.function}" in alarm["AlarmDescription"]
    assert len(alarm["AlarmDescription"]) <= MAX_DESCRIPTION


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: f"{signal.function}-{signal.metric}")
def test_a_metric_above_its_limit_publishes_the_number_that_the_alarm_watches(
    signal: Signal, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.measure(signal.function, {signal.metric: (signal.above, "Count")}, tenant_id="acme")
    journal.measure(f"not-{signal.function}", {signal.metric: (signal.above + 1, "Count")})
    assert _warnings(capsys.readouterr().out) == []

    journal.measure(signal.function, {signal.metric: (signal.above + 1, "Count")}, tenant_id="globex")

    (warning,) = _warnings(capsys.readouterr().out)
    (directive,) = warning["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == StageNames().metrics_namespace
    assert directive["Dimensions"] == [["Alarm"]]
    assert [each["Name"] for each in directive["Metrics"]] == [WARNING_METRIC]
    assert (warning["Alarm"], warning[WARNING_METRIC]) == (signal.alarm, signal.number)
    assert warning[signal.metric] == signal.above + 1
    assert (warning["Function"], warning["tenant_id"]) == (signal.function, "globex")


def test_the_functions_have_the_signals_of_the_topology_and_no_others() -> None:
    raised = {
        (name, metric, each.alarm, each.number, each.above)
        for name, metrics in signals.SIGNALS.items()
        for metric, each in metrics.items()
    }

    assert raised == {(each.function, each.metric, each.alarm, each.number, each.above) for each in SIGNALS}
    assert {each.alarm for each in SIGNALS} == ALARMS.keys()


def test_an_alarm_watches_one_metric_because_each_is_charged(templates: Templates) -> None:
    alarms = templates.properties("AWS::CloudWatch::Alarm")

    assert all("MetricName" in each and "Metrics" not in each for each in alarms)
    assert not templates.resources("AWS::CloudWatch::CompositeAlarm")


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: f"{signal.function}-{signal.metric}")
def test_a_signal_is_one_that_its_function_writes(signal: Signal) -> None:
    own, shared = (
        "".join(
            module.read_text()
            for module in (Path("functions") / folder).rglob("*.py")
            if module.name != "signals.py"
        )
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


def _warnings(lines: str) -> list[dict[str, Any]]:
    written = [json.loads(line) for line in lines.splitlines()]
    return [each for each in written if WARNING_METRIC in each]


def _fires_at(alarm: Properties, value: float) -> bool:
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["EvaluationPeriods"] == 1
    assert alarm["Period"] == 300
    return bool(value > alarm["Threshold"])
