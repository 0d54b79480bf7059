"""CloudWatch alarms: function errors and throttles, stalled queues, API errors, functions' metrics."""

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
from infra.stores import Stores

PERIOD = Duration.minutes(5)

MAX_SERVER_ERRORS = 5
"""In five minutes. S3 answers an occasional 503, and senders retry."""


class Alarms(Construct):
    """Every alarm publishes to one topic, which mails `choices.alarm_email` if it is set.

    The topic is not encrypted with our key: the key's policy would have to allow CloudWatch. An alarm names a
    resource, never a customer.
    """

    def __init__(self, scope: Construct, choices: Choices) -> None:
        super().__init__(scope, "alarms")
        topic = sns.Topic(self, "topic", display_name="AstraLog alarms", enforce_ssl=True)
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

    def watch_function(self, watched: ServiceFunction) -> None:
        """Alarm on any error and any throttled invocation."""
        function, name = watched.function, watched.spec.name
        self._alarm(
            f"{name}-errors",
            f"The function {name} failed",
            function.metric_errors(period=PERIOD, statistic="Sum"),
            above=0,
        )
        self._alarm(
            f"{name}-throttles",
            f"The function {name} was throttled: its reserved concurrency, or the account's, is used up",
            function.metric_throttles(period=PERIOD, statistic="Sum"),
            above=0,
        )

    def watch_queues(self, stores: Stores) -> None:
        """Alarm on any message in a dead-letter queue and on messages that wait too long."""
        for name, dead_queue in stores.dead_queues.items():
            self._alarm(
                f"{name}-dead",
                f"Messages are in the dead-letter queue of {name}: see docs/operations.md",
                dead_queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
                above=0,
            )
        for spec in topology.QUEUES:
            if spec.late_after_seconds is not None:
                age = stores.queues[spec.name].metric_approximate_age_of_oldest_message(
                    period=PERIOD, statistic="Maximum"
                )
                self._alarm(
                    f"{spec.name}-age",
                    f"Messages of the queue {spec.name} have waited for over {spec.late_after_seconds} s",
                    age,
                    above=spec.late_after_seconds,
                )

    def watch_api(self, watched: PublicApi) -> None:
        """Alarm on 5xx responses."""
        self._alarm(
            "api-server-errors",
            f"The API answered 5xx more than {MAX_SERVER_ERRORS} times in five minutes",
            watched.api.metric_server_error(period=PERIOD, statistic="Sum"),
            above=MAX_SERVER_ERRORS,
        )

    def watch_signals(self) -> None:
        """Alarm on the metrics of `topology.SIGNALS`, which functions publish."""
        for signal in topology.SIGNALS:
            metric = cloudwatch.Metric(
                namespace=topology.METRICS_NAMESPACE,
                metric_name=signal.metric,
                dimensions_map={"Function": signal.function},
                period=PERIOD,
                statistic="Maximum",
            )
            self._alarm(f"{signal.function}-{signal.metric}", signal.description, metric, above=signal.above)

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
