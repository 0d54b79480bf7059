"""What a removed installation leaves behind, compared with docs/deployment.md, "Remove"."""

from typing import Any

from rehearsal.cloud import Cloud
from rehearsal.upgrade.identities import Identity

RETAINED = ("AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket")
"""Types of what is documented to stay."""

BOOTSTRAP = "cdk-"
"""Beginning of the names of what `cdk bootstrap` made."""

SERVICE_ROLE = "AWSServiceRole"
"""Beginning of the names of roles that AWS makes for its services, once an account."""


OLD_LOG_GROUP = "/aws/lambda/AstraLogCompute-AWSCDKTrigger"
"""Beginning of the name of a log group that Lambda created for earlier versions; documented as left."""


def faults_of(cloud: Cloud, before: list[Identity], listed: set[str]) -> list[str]:
    """Sentences about data that is gone, resources that are left, and a list that does not name what stays.

    `listed`: the names that `operate destroy` printed.
    """
    stays = {each.physical_id for each in before if each.kind in RETAINED}
    there = _retained(cloud)
    return [
        *(f"{each} was deleted" for each in sorted(stays - there)),
        *(f"{each} is left" for each in sorted(there - stays)),
        *(f"the list of retained resources does not have {each}" for each in sorted(stays - listed)),
        *(f"the list of retained resources has {each}" for each in sorted(listed - stays)),
        *(f"{kind} {name} is left" for kind, names in _others(cloud).items() for name in names),
    ]


def _retained(cloud: Cloud) -> set[str]:
    buckets = [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]]
    pools = cloud.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    kms = cloud.client("kms")
    keys = [each["KeyId"] for each in kms.list_keys()["Keys"]]
    ours = [each for each in keys if kms.describe_key(KeyId=each)["KeyMetadata"]["KeyManager"] == "CUSTOMER"]
    return {
        *(each for each in buckets if each.startswith("astralog")),
        *(name for page in _pages(cloud, "dynamodb", "list_tables") for name in page["TableNames"]),
        *(each["Id"] for each in pools),
        *ours,
    }


def _others(cloud: Cloud) -> dict[str, list[str]]:
    """What must be gone, by kind: names without those of `cdk bootstrap`."""
    client = cloud.client
    found: dict[str, list[str]] = {
        "function": _names(cloud, "lambda", "list_functions", "Functions", "FunctionName"),
        "event source mapping": _names(
            cloud, "lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"
        ),
        "API": [each["Name"] for each in client("apigatewayv2").get_apis()["Items"]],
        "schedule": _names(cloud, "scheduler", "list_schedules", "Schedules", "Name"),
        "alarm": _names(cloud, "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "topic": _names(cloud, "sns", "list_topics", "Topics", "TopicArn"),
        "queue": client("sqs").list_queues().get("QueueUrls", []),
        "log group": _names(cloud, "logs", "describe_log_groups", "logGroups", "logGroupName"),
        "role": _names(cloud, "iam", "list_roles", "Roles", "RoleName"),
        "configuration set": client("sesv2").list_configuration_sets()["ConfigurationSets"],
    }
    return {
        kind: [each for each in names if not each.startswith((BOOTSTRAP, SERVICE_ROLE, OLD_LOG_GROUP))]
        for kind, names in found.items()
    }


def _names(cloud: Cloud, service: str, operation: str, items: str, name: str) -> list[str]:
    return [each[name] for page in _pages(cloud, service, operation) for each in page[items]]


def _pages(cloud: Cloud, service: str, operation: str) -> Any:
    return cloud.client(service).get_paginator(operation).paginate()
