"""Outgoing mail and its delivery events: SES, SNS, a queue."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import topology


class MailDelivery(Construct):
    """One configuration set; SES publishes the delivery events of its mails to `queue`.

    Only SES, for this configuration set of this account, may publish to the topic, and only the topic may
    send to the queue, and to its dead-letter queue what the queue does not accept. An event holds a
    recipient's address, so the topic is encrypted with our key, which SES may use for that.

    SES also has its own suppression list of addresses that bounced or complained, and does not send to them.
    """

    def __init__(
        self, scope: Construct, spec: topology.MailSet, queue: sqs.Queue, dead_queue: sqs.Queue, key: kms.Key
    ) -> None:
        super().__init__(scope, f"{spec.name}-mail")
        self.configuration_set = ses.ConfigurationSet(
            self,
            "set",
            reputation_metrics=True,
            suppression_reasons=ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
        )
        name = self.configuration_set.configuration_set_name
        self.arn = f"arn:{Aws.PARTITION}:ses:{Aws.REGION}:{Aws.ACCOUNT_ID}:configuration-set/{name}"
        topic = sns.Topic(self, "feedback", master_key=key, enforce_ssl=True)
        topic.add_subscription(subscriptions.SqsSubscription(queue, dead_letter_queue=dead_queue))
        key.add_to_resource_policy(_encrypting())
        # CDK lets SES publish for this configuration set only.
        self.configuration_set.add_event_destination(
            "feedback",
            destination=ses.EventDestination.sns_topic(topic),
            events=[ses.EmailSendingEvent[event] for event in spec.events],
        )


def _encrypting() -> iam.PolicyStatement:
    """Let SES use the key to encrypt the events it publishes."""
    return iam.PolicyStatement(
        sid="FeedbackOfOurMail",
        principals=[iam.ServicePrincipal("ses.amazonaws.com")],
        actions=["kms:GenerateDataKey", "kms:Decrypt"],
        resources=["*"],
        conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
    )
