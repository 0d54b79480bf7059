"""CloudWatch alarms: failed and throttled functions, API errors, and the warnings that functions publish.

CloudWatch charges $0.10 a month for each metric that an alarm watches, those of a metric-math expression
included. So an alarm watches one metric, and there is one alarm for each kind of response of the operator,
not one for each function or queue (docs/adr/0033).
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra import topology
from infra.accepted import accept
from infra.api import PublicApi
from infra.choices import Choices
from infra.function import ServiceFunction

PERIOD = Duration.minutes(5)

MAX_SERVER_ERRORS = 5
"""In five minutes. S3 answers an occasional 503, and senders retry."""

PAGE = "docs/operations.md"

LAMBDA_ALARMS = {
    "function-errors": ("Errors", "A function failed"),
    "function-throttles": (
        "Throttles",
        "A function was throttled: its concurrency or the account's is used up",
    ),
}
"""Alarm -> Lambda's metric, and what it means."""


class Alarms(Construct):
    """Every alarm publishes to one topic, which mails `choices.alarm_email` if it is set.

    The topic is not encrypted with our key: the key's policy would have to allow CloudWatch. An alarm names a
    resource, never a customer.
    """

    def __init__(self, scope: Construct, choices: Choices) -> None:
        super().__init__(scope, "alarms")
        topic = sns.Topic(self, "topic", display_name=f"{choices.names.title} alarms", enforce_ssl=True)
        accept(
            topic,
            "CKV_AWS_26",
            reason="CloudWatch cannot publish to a topic with SNS's own key; an alarm names no customer.",
        )
        if choices.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(choices.alarm_email))
            accept(
                topic,
                "Serverless-SNSRedrivePolicy",
                reason="A person's mailbox: a mail that bounces is not sent again from a queue.",
            )
        self.topic = topic
        self._action = actions.SnsAction(topic)
        self._namespace = choices.names.metrics_namespace

    def watch_account(self) -> None:
        """Alarm on any error and any throttled invocation of any function.

        Lambda's metrics without dimensions are sums over all functions of the account in this region. One
        query shows them by function.
        """
        for name, (metric, meaning) in LAMBDA_ALARMS.items():
            self._alarm(
                name,
                f"{meaning}. Which one: {by_function(metric)} - see {PAGE}#{name}",
                cloudwatch.Metric(namespace="AWS/Lambda", metric_name=metric, period=PERIOD, statistic="Sum"),
                above=0,
            )

    def watch_function(self, watched: ServiceFunction) -> None:
        """Alarm on any error and any throttled invocation of one function."""
        for name, (metric, meaning) in LAMBDA_ALARMS.items():
            self._alarm(
                f"{name}-{watched.spec.name}",
                f"{meaning}: {watched.spec.name} - see {PAGE}#{name}",
                watched.function.metric(metric, period=PERIOD, statistic="Sum"),
                above=0,
            )

    def watch_api(self, watched: PublicApi) -> None:
        """Alarm on 5xx responses."""
        self._alarm(
            "api-server-errors",
            f"The API answered 5xx more than {MAX_SERVER_ERRORS} times in five minutes - "
            f"see {PAGE}#api-server-errors",
            watched.api.metric_server_error(period=PERIOD, statistic="Sum"),
            above=MAX_SERVER_ERRORS,
        )

    def watch_signals(self) -> None:
        """Alarm on the warnings of `topology.SIGNALS`, which functions publish by number."""
        for alarm, meaning in topology.ALARMS.items():
            self._alarm(
                alarm,
                f"{meaning}. The value is the number of the warning: {numbered(alarm)} - see {PAGE}#{alarm}",
                cloudwatch.Metric(
                    namespace=self._namespace,
                    metric_name=topology.WARNING_METRIC,
                    dimensions_map={"Alarm": alarm},
                    period=PERIOD,
                    statistic="Maximum",
                ),
                above=0,
            )

    def _alarm(self, name: str, description: str, metric: cloudwatch.Metric, above: float) -> None:
        cloudwatch.Alarm(
            self,
            name,
            alarm_description=description,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        ).add_alarm_action(self._action)


def by_function(metric: str) -> str:
    """The query of CloudWatch Metrics that shows a metric of Lambda by function."""
    return (
        f'SELECT SUM({metric}) FROM SCHEMA("AWS/Lambda", FunctionName) '  # noqa: S608 - CloudWatch's own
        "GROUP BY FunctionName ORDER BY SUM() DESC LIMIT 10"
    )


def numbered(alarm: str) -> str:
    """The warnings of `alarm`: number, metric and function of each."""
    return ", ".join(
        f"{each.number} {each.metric} of {each.function}" for each in topology.SIGNALS if each.alarm == alarm
    )
