"""The health of our functions on a day, from their metrics: by function; there are none by tenant."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from functions.retention.anonymous import FunctionHealth
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.journal import namespace

A_DAY_SECONDS = 86_400

COMPLETE = "Complete"

FUNCTIONS = ("ingest", "query")
"""The functions that accept logs and that answer searches."""

ASKED = {
    "requests": ("RequestMs", "SampleCount"),
    "p50": ("RequestMs", "p50"),
    "p95": ("RequestMs", "p95"),
    "p99": ("RequestMs", "p99"),
    "errors": ("ServerErrors", "Sum"),
    "accepted": ("AcceptedEvents", "Sum"),
    "rejected": ("RejectedEvents", "Sum"),
}
"""Our name of a figure -> its metric and CloudWatch's name of the statistic."""


class MetricsUnavailableError(RetryableError):
    """CloudWatch did not answer, or throttles."""


class FunctionMetricsReader:
    """Our own metrics.

    Parameters
    ----------
    cloudwatch: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, cloudwatch: Any = None) -> None:
        self._cloudwatch = cloudwatch

    def of(self, day: date) -> list[FunctionHealth]:
        """The health of each of FUNCTIONS on `day`, in UTC; functions without requests are left out.

        Raises
        ------
        MetricsUnavailableError
        """
        found = self._found(datetime.combine(day, datetime.min.time(), UTC))
        by_function = [
            (name, {figure: found.get(f"{name}_{figure}") for figure in ASKED}) for name in FUNCTIONS
        ]
        return [_function_health(name, figures) for name, figures in by_function if figures["requests"]]

    def _found(self, begins: datetime) -> dict[str, float]:
        self._cloudwatch = self._cloudwatch or client("cloudwatch")
        queries = [_query(name, figure) for name in FUNCTIONS for figure in ASKED]
        answer = asked(
            lambda: self._cloudwatch.get_metric_data(
                MetricDataQueries=queries, StartTime=begins, EndTime=begins + timedelta(days=1)
            ),
            lambda code: MetricsUnavailableError(f"CloudWatch: {code}"),
        )
        results = answer["MetricDataResults"]
        # An answer of 200 may lack a figure that CloudWatch failed to read; it looks like one never written.
        if any(each.get("StatusCode", COMPLETE) != COMPLETE for each in results):
            raise MetricsUnavailableError("CloudWatch: some figures are not complete")
        return {each["Id"]: each["Values"][0] for each in results if each["Values"]}


def _query(function: str, figure: str) -> dict[str, Any]:
    metric, statistic = ASKED[figure]
    named = {
        "Namespace": namespace(),
        "MetricName": metric,
        "Dimensions": [{"Name": "Function", "Value": function}],
    }
    asked_for = {"Metric": named, "Period": A_DAY_SECONDS, "Stat": statistic}
    return {"Id": f"{function}_{figure}", "MetricStat": asked_for, "ReturnData": True}


def _function_health(name: str, figures: dict[str, float | None]) -> FunctionHealth:
    requests, errors = figures["requests"] or 0, figures["errors"] or 0
    accepted, rejected = figures["accepted"], figures["rejected"] or 0
    return FunctionHealth(
        function=name,
        requests=requests + errors,
        latency_p50_ms=figures["p50"],
        latency_p95_ms=figures["p95"],
        latency_p99_ms=figures["p99"],
        server_error_share=errors / (requests + errors),
        rejected_share=None if accepted is None else rejected / (accepted + rejected),
    )
