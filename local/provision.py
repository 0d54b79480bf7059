"""Create the topology's buckets, queues, tables and secrets, and seed the accounts.

Runs as a separate process, `python -m local.provision`, after each start of the `aws` child, which loses its
state. Idempotent.
"""

import json
import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.accounts.directory import Directory
from infra.topology import (
    BUCKETS,
    KEYS,
    MAIL_FROM,
    NOTIFICATIONS,
    SECRETS,
    TABLES,
    Notification,
    Queue,
    Table,
)
from local.child import configuration
from local.mail import provision_mail
from local.mail_feedback import provision_feedback
from local.naming import alias, aws_variables, physical, queue_arn
from local.overrides import queues
from local.seed import seed
from local.tables import definition
from local.user_pool import provision_identity

DEAD = "-dead"
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Configuration:
    """`keys`: account -> scope -> key. `secrets`: values of the topology's secrets by name, stored as JSON.

    The logs of `byoc_account` go to its own bucket, `byoc_bucket`.
    """

    aws_endpoint: str
    keys: dict[str, dict[str, str]]
    secrets: dict[str, dict[str, Any]]
    byoc_account: str
    byoc_bucket: str


def provision(config: Configuration) -> None:
    """Provision and seed. The environment says where AWS is."""
    sqs = boto3.client("sqs")
    for queue in queues():
        _queue(sqs, queue)
    s3 = boto3.client("s3")
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=physical(bucket.name))
        _notify(s3, physical(bucket.name), [each for each in NOTIFICATIONS if each.bucket == bucket.name])
    s3.create_bucket(Bucket=config.byoc_bucket)
    # As the owner would configure it: S3 notifies our queue of files in the customer's bucket.
    _notify(s3, config.byoc_bucket, [Notification(config.byoc_bucket, "dropin/", "dropped-byoc")])
    dynamodb = boto3.client("dynamodb")
    for table in TABLES:
        _table(dynamodb, table)
    secrets = boto3.client("secretsmanager")
    for secret in SECRETS:
        _secret(secrets, secret, json.dumps(config.secrets[secret]))
    kms = boto3.client("kms")
    for key in KEYS:
        _credentials_key(kms, key)
    provision_identity(boto3.client("cognito-idp"))
    provision_mail(boto3.client("sesv2"), MAIL_FROM)
    provision_feedback(boto3.client("sesv2"), boto3.client("sns"))
    seed(
        Directory(physical("accounts"), physical("keys"), physical("key-lists")),
        config.keys,
        config.byoc_account,
    )


def _queue(sqs: Any, queue: Queue) -> None:
    retention = {"MessageRetentionPeriod": str(queue.retention_days * SECONDS_A_DAY)}
    sqs.create_queue(QueueName=physical(queue.name + DEAD), Attributes=retention)
    redrive = {"deadLetterTargetArn": queue_arn(queue.name + DEAD), "maxReceiveCount": queue.max_receives}
    sqs.create_queue(
        QueueName=physical(queue.name),
        Attributes={
            **retention,
            "VisibilityTimeout": str(queue.visibility_seconds),
            "RedrivePolicy": json.dumps(redrive),
        },
    )


def _notify(s3: Any, bucket: str, notifications: list[Notification]) -> None:
    configurations = [
        {
            "QueueArn": queue_arn(each.queue),
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": each.prefix}]}},
        }
        for each in notifications
    ]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": configurations}
    )


def _table(dynamodb: Any, table: Table) -> None:
    name = physical(table.name)
    try:
        dynamodb.create_table(**definition(table, name))
    except dynamodb.exceptions.ResourceInUseException:
        return
    if table.ttl_attribute:
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
        )


def _credentials_key(kms: Any, name: str) -> None:
    """Create a key and its alias, which functions use here."""
    if any(each["AliasName"] == alias(name) for each in kms.list_aliases()["Aliases"]):
        return
    made = kms.create_key(Description=name)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias(name), TargetKeyId=made)


def _secret(secrets: Any, name: str, value: str) -> None:
    try:
        secrets.create_secret(Name=physical(name), SecretString=value)
    except secrets.exceptions.ResourceExistsException:
        secrets.put_secret_value(SecretId=physical(name), SecretString=value)


def main() -> None:
    config = configuration(Configuration)
    os.environ.update(aws_variables(config.aws_endpoint))
    provision(config)


if __name__ == "__main__":
    main()
