"""What holds data is kept, encrypted, closed to the public, and shaped as the topology says."""

import json
from fnmatch import fnmatch
from pathlib import Path

import pytest

from infra import topology
from infra.topology import BUCKETS, NOTIFICATIONS, QUEUES, TABLES, Bucket, Notification, Queue, Table
from local.tables import definition
from tests.infra.synthesized import Templates, listed

LOGICAL_IDS: dict[str, list[str]] = json.loads(Path(__file__).with_name("data_resources.json").read_text())
"""Type -> logical ids of the resources with data, as first deployed."""
KEPT = ("RetainExceptOnCreate", "Retain")
"""Policies of a deletion and of a replacement."""

KINDS_WITH_DATA = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Cognito::UserPool"}


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_a_table_has_the_topologys_key_and_ttl(templates: Templates, spec: Table) -> None:
    deployed = templates.store("table", spec.name)[1]["Properties"]

    attributes = [(spec.partition_key, "HASH"), *([(spec.sort_key, "RANGE")] if spec.sort_key else [])]
    assert deployed["KeySchema"] == [{"AttributeName": name, "KeyType": kind} for name, kind in attributes]
    indexed = [name for each in spec.indexes for name in (each.partition_key, each.sort_key) if name]
    keys = dict.fromkeys([*(name for name, _ in attributes), *indexed])
    assert deployed["AttributeDefinitions"] == [
        {"AttributeName": name, "AttributeType": "S"} for name in keys
    ]
    assert deployed.get("TimeToLiveSpecification", {}).get("AttributeName") == spec.ttl_attribute


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_a_table_has_the_topologys_indexes_and_so_has_the_local_one(
    templates: Templates, spec: Table
) -> None:
    deployed = templates.store("table", spec.name)[1]["Properties"].get("GlobalSecondaryIndexes", [])
    here = definition(spec, "here").get("GlobalSecondaryIndexes", [])

    assert [each["IndexName"] for each in deployed] == [each.name for each in spec.indexes]
    assert here == deployed


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_a_table_can_be_recovered_if_it_may_and_is_not_deleted_by_mistake(
    templates: Templates, spec: Table
) -> None:
    table = templates.store("table", spec.name)[1]

    recovery = table["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] is spec.recoverable
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == KEPT


@pytest.mark.parametrize("kind", LOGICAL_IDS)
def test_an_upgrade_replaces_no_resource_with_data(templates: Templates, kind: str) -> None:
    """CloudFormation knows a resource by its logical id: under another one it is another resource.

    A new resource is added to the list; no line of it changes or goes.
    """
    assert sorted(templates.resources(kind)) == LOGICAL_IDS[kind]


def test_what_must_die_when_it_is_destroyed_has_no_backup() -> None:
    """Credentials are shredded by destroying their shard: a backup of it would bring them back."""
    assert [spec.name for spec in TABLES if not spec.recoverable] == [
        "attempts", "shards", "stripe-events", "search-exports", "search-budgets", "turns",
    ]  # fmt: skip


def test_a_failed_first_deployment_leaves_nothing_and_a_removed_stack_leaves_the_data(
    chosen: Templates,
) -> None:
    """The first deployment creates the stack without deletion protection, which would stop its rollback."""
    resources = chosen.data["Resources"].values()
    kept = [each for each in resources if each["Type"] in KINDS_WITH_DATA]

    assert {(each["DeletionPolicy"], each["UpdateReplacePolicy"]) for each in kept} == {KEPT}
    assert not [each for each in resources if each.get("DeletionPolicy") == "Retain"]
    for table in chosen.properties("AWS::DynamoDB::Table"):
        assert table["DeletionProtectionEnabled"] is False
    (pool,) = chosen.properties("AWS::Cognito::UserPool")
    assert pool["DeletionProtection"] == "INACTIVE"


def test_the_operator_gets_the_name_of_each_store(templates: Templates) -> None:
    reported = {name: each["Value"] for name, each in templates.data["Outputs"].items()}

    for kind, specs in (("table", TABLES), ("bucket", BUCKETS), ("queue", QUEUES)):
        for spec in specs:
            name = f"{spec.name.title().replace('-', '')}{kind.title()}"
            assert templates.points_at(reported[name]) == templates.store(kind, spec.name)[0]
    assert {*reported} >= {*topology.OUTPUTS}


def test_tables_and_buckets_are_encrypted_with_our_key_which_is_kept(templates: Templates) -> None:
    ((key_id, key),) = (
        each for each in templates.resources("AWS::KMS::Key").items() if each[0].startswith("Key")
    )
    encryptions = [each["SSESpecification"] for each in templates.properties("AWS::DynamoDB::Table")]
    rules = [
        rule
        for each in templates.properties("AWS::S3::Bucket")
        for rule in each["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ]

    assert {templates.points_at(each["KMSMasterKeyId"]) for each in encryptions} == {key_id}
    assert len(rules) == len(BUCKETS)
    for rule in rules:
        assert templates.points_at(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == key_id
        assert rule["BucketKeyEnabled"] is True
    assert key["Properties"]["EnableKeyRotation"] is True
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == KEPT


@pytest.mark.parametrize("spec", BUCKETS, ids=lambda spec: spec.name)
def test_a_bucket_is_private_kept_and_deletes_for_good(templates: Templates, spec: Bucket) -> None:
    bucket = templates.store("bucket", spec.name)[1]
    expiries = {
        rule["Prefix"]: rule["ExpirationInDays"]
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }

    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert "VersioningConfiguration" not in bucket["Properties"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == KEPT
    assert expiries == spec.expire_days


@pytest.mark.parametrize("spec", BUCKETS, ids=lambda spec: spec.name)
def test_a_bucket_refuses_plain_http(templates: Templates, spec: Bucket) -> None:
    denials = [
        each for each in _bucket_statements(templates, spec.name) if each["Condition"].get("Bool") == {
            "aws:SecureTransport": "false"
        }
    ]  # fmt: skip

    assert [(each["Effect"], each["Action"]) for each in denials] == [("Deny", "s3:*")]


@pytest.mark.parametrize("spec", NOTIFICATIONS, ids=lambda spec: spec.prefix)
def test_an_announced_key_can_be_written_once_only(templates: Templates, spec: Notification) -> None:
    (denial,) = (
        each
        for each in _bucket_statements(templates, spec.bucket)
        if "s3:if-none-match" in each["Condition"].get("Null", {})
    )

    assert denial["Effect"] == "Deny"
    assert denial["Action"] == "s3:PutObject"
    assert denial["Principal"] == {"AWS": "*"}
    assert denial["Resource"]["Fn::Join"][1][1] == f"/{spec.prefix}*"
    assert denial["Condition"] == {
        "Null": {"s3:if-none-match": "true"},
        "Bool": {"s3:ObjectCreationOperation": "true"},
    }


@pytest.mark.parametrize("spec", NOTIFICATIONS, ids=lambda spec: spec.prefix)
def test_new_objects_are_announced_to_a_queue_that_lets_s3_in(
    templates: Templates, spec: Notification
) -> None:
    bucket = templates.store("bucket", spec.bucket)[1]
    queue_id = templates.store("queue", spec.queue)[0]
    announced = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    ((policy_id, policy),) = (
        (name, each)
        for name, each in templates.resources("AWS::SQS::QueuePolicy").items()
        if {"Ref": queue_id} in each["Properties"]["Queues"]
    )
    allowed = [
        each for each in policy["Properties"]["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"
    ]

    assert {
        "Event": "s3:ObjectCreated:*",
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": spec.prefix}]}},
        "Queue": {"Fn::GetAtt": [queue_id, "Arn"]},
    } in announced
    assert policy_id in bucket["DependsOn"], "S3 refuses a notification to a queue that does not let it in"
    assert [(each["Principal"], each["Action"]) for each in allowed] == [
        ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")
    ]
    assert allowed[0]["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    pattern = "".join(
        each if isinstance(each, str) else "aws"
        for each in allowed[0]["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]
    )
    ours, others = (
        [
            each
            for each in templates.resources("AWS::S3::Bucket")
            if (each == templates.store("bucket", spec.bucket)[0]) is is_ours
        ]
        for is_ours in (True, False)
    )
    # CloudFormation calls a bucket <stack>-<logical id>-<random characters>.
    named = [f"arn:aws:s3:::astralogdata-{each.lower()}-1x2y3z" for each in (*ours, *others)]
    assert [fnmatch(each, pattern) for each in named] == [True, *([False] * len(others))]


@pytest.mark.parametrize("spec", QUEUES, ids=lambda spec: spec.name)
def test_a_queue_moves_failed_messages_to_its_dead_letter_queue(templates: Templates, spec: Queue) -> None:
    deployed = templates.store("queue", spec.name)[1]["Properties"]
    dead_id = templates.store("queue", f"{spec.name}dead")[0]

    assert deployed["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [dead_id, "Arn"]},
        "maxReceiveCount": spec.max_receives,
    }
    assert deployed["MessageRetentionPeriod"] == spec.retention_days * 86_400
    assert deployed["VisibilityTimeout"] == spec.visibility_seconds
    assert deployed["SqsManagedSseEnabled"] is True


def test_a_message_stays_hidden_for_six_times_its_consumers_timeout(templates: Templates) -> None:
    consumers = [spec for spec in topology.FUNCTIONS if spec.source]
    assert consumers
    for spec in consumers:
        queue = templates.store("queue", spec.source.queue)[1]["Properties"]
        timeout = templates.function(spec.handler)["Timeout"]
        assert queue["VisibilityTimeout"] >= 6 * timeout


def _bucket_statements(templates: Templates, name: str) -> list[dict[str, object]]:
    bucket_id = templates.store("bucket", name)[0]
    (policy,) = (
        each for each in templates.properties("AWS::S3::BucketPolicy") if each["Bucket"] == {"Ref": bucket_id}
    )
    return listed(policy["PolicyDocument"]["Statement"])
