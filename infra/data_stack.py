"""The stateful stack: keys, buckets, tables, queues. Deleting the stack retains the data."""

from typing import Any

from aws_cdk import Annotations, Aws, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import topology
from infra.accepted import accept
from infra.choices import Choices
from infra.mail import MailDelivery
from infra.stores import Stores
from infra.user_pool import SignInUserPool

CODES_BY_COGNITO = (
    "No sender is set: Cognito mails the codes itself, at most 50 a day. Set '-c mail_from=…' once SES has "
    "verified its domain: see docs/deployment.md."
)

RETAIN = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
"""Retained, except in the rollback of the deployment that created it: a failed first one leaves nothing."""


class DataStack(Stack):
    """All state, from the topology; `stores` passes it to the compute stack.

    The outputs of `topology.OUTPUTS` are for the operator's commands. A resource with data is deleted only if
    the deployment that creates it fails.
    """

    def __init__(self, scope: Construct, name: str, choices: Choices, **stack: Any) -> None:
        super().__init__(scope, name, termination_protection=choices.deletion_protection, **stack)
        if choices.cognito_sender is None:
            Annotations.of(self).add_warning_v2("astralog:mail_from", CODES_BY_COGNITO)
        key = kms.Key(
            self,
            "Key",
            description="AstraLog: staged logs, accounts and the ledger at rest",
            enable_key_rotation=True,
            removal_policy=RETAIN,
        )
        dead_queues = {each.name: self._dead_queue(each) for each in topology.QUEUES}
        queues = {each.name: self._queue(each, dead_queues[each.name], choices) for each in topology.QUEUES}
        self.stores = Stores(
            key=key,
            keys={name: self._credentials_key(name) for name in topology.KEYS},
            people=SignInUserPool(
                self, "people", choices.cognito_sender, protected=choices.deletion_protection
            ),
            mail={
                each.name: MailDelivery(
                    self, each, queues[each.feedback_queue], dead_queues[each.feedback_queue], key
                )
                for each in topology.MAIL_SETS
            },
            mail_from=choices.settings.get("mail_from", topology.MAIL_FROM),
            buckets={each.name: self._bucket(each, key, choices) for each in topology.BUCKETS},
            tables={each.name: self._table(each, key, choices) for each in topology.TABLES},
            queues=queues,
            dead_queues=dead_queues,
            secrets={
                name: secretsmanager.Secret.from_secret_name_v2(self, name, secret_name)
                for name, secret_name in choices.secret_names.items()
            },
        )
        for name, reference in topology.OUTPUTS.items():
            CfnOutput(self, name, value=self.stores.setting(reference))
        for attribute in self.stores.exported():
            self.export_value(attribute)
        for name in self.stores.buckets:
            self._announce(name, [each for each in topology.NOTIFICATIONS if each.bucket == name])

    def _credentials_key(self, name: str) -> kms.Key:
        """A separate key: access to a table or bucket must not permit decrypting these values."""
        return kms.Key(
            self,
            f"{name}-key",
            description=f"AstraLog: encrypts {name}",
            enable_key_rotation=True,
            removal_policy=RETAIN,
        )

    def _bucket(self, spec: topology.Bucket, key: kms.Key, choices: Choices) -> s3.Bucket:
        """Unversioned on purpose: erasure and expiry promise that deleted objects are gone."""
        bucket = s3.Bucket(
            self,
            f"{spec.name}-bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=False,
            removal_policy=RETAIN,
            cors=[_puts_of(choices)] if spec.takes_from_browsers else None,
            lifecycle_rules=[
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)),
                *(
                    s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days))
                    for prefix, days in spec.expire_days.items()
                ),
            ],
        )
        accept(
            bucket,
            "CKV_AWS_21",
            reason="A version that outlives its object would break the promise that deleted data is gone.",
        )
        accept(
            bucket,
            "AwsSolutions-S1", "CKV_AWS_18",
            reason="Only our functions read the bucket, and they log each object key; access logs would copy "
            "customers' keys and cost a write per request.",
        )  # fmt: skip
        return bucket

    def _table(self, spec: topology.Table, key: kms.Key, choices: Choices) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            f"{spec.name}-table",
            partition_key=_text(spec.partition_key),
            sort_key=_text(spec.sort_key) if spec.sort_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=spec.ttl_attribute,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=spec.recoverable
            ),
            deletion_protection=choices.deletion_protection,
            removal_policy=RETAIN,
        )
        for index in spec.indexes:
            copied = (
                dynamodb.ProjectionType.INCLUDE if index.projection else dynamodb.ProjectionType.KEYS_ONLY
            )
            table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.partition_key),
                sort_key=_text(index.sort_key) if index.sort_key else None,
                projection_type=copied,
                non_key_attributes=list(index.projection) or None,
            )
        if not spec.recoverable:
            accept(
                table,
                "AwsSolutions-DDB3", "CKV_AWS_28",
                reason="A backup would bring back what must be gone, or the items expire within days.",
            )  # fmt: skip
        return table

    def _queue(self, spec: topology.Queue, dead_queue: sqs.Queue, choices: Choices) -> sqs.Queue:
        """Not retained: a message only points at an object, and the object stays in its bucket."""
        queue = sqs.Queue(
            self,
            f"{spec.name}-queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(spec.visibility_seconds),
            retention_period=Duration.days(spec.retention_days),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_queue, max_receive_count=spec.max_receives),
        )
        _accept_encryption(queue)
        if spec.open_to_customers and choices.customers_accounts:
            queue.add_to_resource_policy(_allow_notifications_of_customers(queue, choices.customers_accounts))
            CfnOutput(self, f"{topology.output_name('queue', spec.name)}Arn", value=queue.queue_arn)
        return queue

    def _dead_queue(self, spec: topology.Queue) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            f"{spec.name}-dead-queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        _accept_encryption(queue)
        accept(
            queue, "Serverless-SQSRedrivePolicy", reason="It is itself a dead-letter queue, with an alarm."
        )
        return queue

    def _announce(self, bucket_name: str, notifications: list[topology.Notification]) -> None:
        """Notify queues of new objects, and reject a second write to a key that was notified.

        Set on the bucket itself: CDK's own way is a Lambda that may change every bucket of the account.
        """
        bucket = self.stores.buckets[bucket_name]
        if not isinstance(cfn_bucket := bucket.node.default_child, s3.CfnBucket):
            raise TypeError("a bucket without its CloudFormation resource")
        cfn_bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[self._delivery(each, bucket) for each in notifications]
        )
        for each in notifications:
            bucket.add_to_resource_policy(_written_once(bucket, each.prefix))

    def _delivery(
        self, spec: topology.Notification, bucket: s3.Bucket
    ) -> s3.CfnBucket.QueueConfigurationProperty:
        queue = self.stores.queues[spec.queue]
        # By the prefix of the bucket's name: the queue must allow the bucket before the bucket exists.
        names = f"{self.stack_name.lower()}-{bucket.node.id.replace('-', '')}"
        allowed = queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OurOwnBucket",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": f"arn:{Aws.PARTITION}:s3:::{names}*"},
                },
            )
        )
        if allowed.policy_dependable:
            bucket.node.add_dependency(allowed.policy_dependable)
        rule = s3.CfnBucket.FilterRuleProperty(name="prefix", value=spec.prefix)
        return s3.CfnBucket.QueueConfigurationProperty(
            event="s3:ObjectCreated:*",
            queue=queue.queue_arn,
            filter=s3.CfnBucket.NotificationFilterProperty(
                s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[rule])
            ),
        )


def _accept_encryption(queue: sqs.Queue) -> None:
    accept(
        queue,
        "CKV_AWS_27",
        reason="SQS encrypts with its own key. With ours, S3 and each sender would need the key, for "
        "messages that only point at an object.",
    )


def _allow_notifications_of_customers(queue: sqs.Queue, accounts: tuple[str, ...]) -> iam.PolicyStatement:
    """Let S3 notify `queue` of files in those accounts' buckets. Only S3 may send; it states the bucket."""
    return iam.PolicyStatement(
        sid="S3OfCustomers",
        principals=[iam.ServicePrincipal("s3.amazonaws.com")],
        actions=["sqs:SendMessage"],
        resources=[queue.queue_arn],
        conditions={"StringEquals": {"aws:SourceAccount": list(accounts)}},
    )


def _text(attribute: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=attribute, type=dynamodb.AttributeType.STRING)


def _written_once(bucket: s3.Bucket, prefix: str) -> iam.PolicyStatement:
    """A key identifies its rows: every write below `prefix` must send If-None-Match.

    `ObjectCreationOperation` exempts the parts of a multipart upload, which cannot carry that header; the
    request that completes it must. Copies cannot carry it either and are rejected.
    """
    return iam.PolicyStatement(
        sid="WrittenOnce",
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["s3:PutObject"],
        resources=[bucket.arn_for_objects(f"{prefix}*")],
        conditions={"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
    )


def _puts_of(choices: Choices) -> s3.CorsRule:
    """The presigned URL is the permission; the rule lets a browser use it, with its signed header.

    Without a domain the page's origin is the API's, which is created after the buckets.
    """
    return s3.CorsRule(
        allowed_methods=[s3.HttpMethods.PUT],
        allowed_origins=[f"https://{choices.domain}" if choices.domain else "*"],
        allowed_headers=["if-none-match", "content-type"],
    )
