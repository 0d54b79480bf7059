"""Two alarms about cost: requests to the API, and Lambda's duration."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.api import PublicApi
from infra.topology import FUNCTIONS

DAY = Duration.days(1)

PAGE = "docs/operations.md"

DOLLARS_A_REQUEST = 1.00 / 1_000_000
"""HTTP API in us-east-1, list price of November 2026."""

DOLLARS_A_GB_SECOND = 0.0000133334
"""Lambda on arm64, likewise."""

LARGEST_GB = max(spec.memory_mb for spec in FUNCTIONS) / 1024
"""Lambda has no metric of GB-seconds: each second counts as one of the largest function, so at the most."""


class CostAlarms(Construct):
    """Each alarm has one metric, and so costs as little as an alarm can.

    Lambda's metric without dimensions sums all functions of the account in this region, other projects'
    included: that is what the bill does.
    """

    def __init__(self, scope: Construct, api: PublicApi, topic: sns.ITopic, dollars_a_day: float) -> None:
        super().__init__(scope, "cost-alarms")
        self._action = actions.SnsAction(topic)
        self._alarm(
            "cost-requests",
            f"Requests to the API cost over ${dollars_a_day:g} in a day - see {PAGE}#cost-requests",
            api.api.metric_count(period=DAY, statistic="Sum"),
            above=dollars_a_day / DOLLARS_A_REQUEST,
        )
        self._alarm(
            "cost-lambda",
            f"Lambda may have cost over ${dollars_a_day:g} in a day - see {PAGE}#cost-lambda",
            cloudwatch.Metric(namespace="AWS/Lambda", metric_name="Duration", period=DAY, statistic="Sum"),
            above=dollars_a_day / DOLLARS_A_GB_SECOND / LARGEST_GB * 1000,
        )

    def _alarm(self, name: str, description: str, metric: cloudwatch.Metric, above: float) -> None:
        cloudwatch.Alarm(
            self,
            name,
            alarm_description=description,
            metric=metric,
            threshold=round(above),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        ).add_alarm_action(self._action)
