"""Which deployed alarms rang during a rehearsal.

The emulator evaluates alarms without their dimensions and without metric math, and takes no metrics from log
lines. So each deployed alarm is read and evaluated here, over the whole run, on the metrics that it names:
those that functions wrote into their logs, those of Lambda, and the API's 5xx. The value of a warning is a
number, whose meaning stands in the text of its alarm.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rehearsal.calls import API
from rehearsal.cloud import LAMBDA_NAMESPACE, Cloud

WARNING = "Warning"
"""The metric of all warnings; its dimension is the alarm."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that an alarm names."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alarm above its threshold."""

    alarm: str
    metric: str
    value: float

    def __str__(self) -> str:
        return f"{self.metric} is {self.value:g} ({self.alarm})"


def ringing(cloud: Cloud, calls: list[dict[str, Any]]) -> list[Ringing]:
    """All alarms that rang."""
    values = _values(cloud, calls)
    pages = cloud.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    return [
        Ringing(alarm["AlarmDescription"], meaning(alarm["AlarmDescription"], metric.name, value), value)
        for page in pages
        for alarm in page["MetricAlarms"]
        for metric in _metrics_of(alarm)
        for value in sorted(values[metric])
        if value > alarm["Threshold"]
    ]


def meaning(description: str, metric: str, value: float) -> str:
    """The metric that a value stands for: of a warning, the one with that number in its alarm's text."""
    found = re.search(rf" {value:g} (\w+) of ", description) if metric == WARNING else None
    return found[1] if found else metric


def _metrics_of(alarm: dict[str, Any]) -> Iterator[Metric]:
    """The metrics of an alarm, of the parts of its expression if it has one."""
    stats = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", ()) if "MetricStat" in each]
    for each in stats or [alarm]:
        dimensions = frozenset((pair["Name"], pair["Value"]) for pair in each.get("Dimensions", ()))
        yield Metric(each["Namespace"], each["MetricName"], dimensions)


def _values(cloud: Cloud, calls: list[dict[str, Any]]) -> dict[Metric, set[float]]:
    values: dict[Metric, set[float]] = defaultdict(set)
    for function in cloud.functions:
        for metric, value in logged_metrics(line for _, line in cloud.log_lines(function)):
            values[metric].add(value)
    for name in ("Errors", "Throttles"):
        values[Metric(LAMBDA_NAMESPACE, name, frozenset())].add(sum(cloud.sums_of(name).values()))
    failed = sum(each["count"] for each in calls if each["service"] == API and each["status"] >= 500)
    api_id = cloud.outputs["ApiUrl"].partition("//")[2].partition(".")[0]
    values[Metric("AWS/ApiGateway", "5xx", frozenset({("ApiId", api_id)}))].add(failed)
    return values


def logged_metrics(lines: Iterable[str]) -> Iterator[tuple[Metric, float]]:
    """The metrics in log lines, as CloudWatch's embedded metric format has them."""
    for line in lines:
        if '"_aws"' not in line:
            continue
        entry = json.loads(line)
        for block in entry["_aws"]["CloudWatchMetrics"]:
            for names in block["Dimensions"]:
                dimensions = frozenset((name, str(entry[name])) for name in names)
                for metric in block["Metrics"]:
                    logged = entry[metric["Name"]]
                    for value in logged if isinstance(logged, list) else [logged]:
                        yield Metric(block["Namespace"], metric["Name"], dimensions), float(value)
