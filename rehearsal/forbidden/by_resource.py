"""For each kind of resource: a call for each action that a grant can bring, and for some that none can.

The calls are harmless where they are allowed by mistake: they are about an item, an object or a message that
does not exist. A rehearsal's emulator is thrown away in any case.
"""

from collections.abc import Iterator
from typing import Any

from infra.topology import ROLE_PREFIX, Table, table
from rehearsal.forbidden.attempts import RESOURCE_POLICY_DENIES, Attempt, Targets

CUSTOMERS_ACCOUNT = "111122223333"

NOTHING = "rehearsal-nothing"
"""The key of an item, object or message that does not exist."""


def on_table(name: str, at: Targets) -> list[Attempt]:
    """All actions of grants on a table, and administration."""
    spec, physical = table(name), {"TableName": at.tables[name]}
    key, values = _key(spec), {":p": {"S": NOTHING}}
    query = {**physical, "KeyConditionExpression": "#p = :p", "ExpressionAttributeValues": values}
    query["ExpressionAttributeNames"] = {"#p": spec.partition_key}
    written = {at.tables[name]: [{"DeleteRequest": {"Key": key}}]}
    checked = {**physical, "Key": key, "ConditionExpression": "attribute_not_exists(nothing)"}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "GetItem": ("get_item", {**physical, "Key": key}),
        "BatchGetItem": ("batch_get_item", {"RequestItems": {at.tables[name]: {"Keys": [key]}}}),
        "Query": ("query", query),
        "ConditionCheckItem": ("transact_write_items", {"TransactItems": [{"ConditionCheck": checked}]}),
        "Scan": ("scan", {**physical, "Limit": 1}),
        "PutItem": ("put_item", {**physical, "Item": key}),
        "UpdateItem": ("update_item", {**physical, "Key": key}),
        "DeleteItem": ("delete_item", {**physical, "Key": key}),
        "BatchWriteItem": ("batch_write_item", {"RequestItems": written}),
        "PartiQLInsert": ("batch_execute_statement", {"Statements": [_insert(at.tables[name], spec)]}),
        "DescribeTable": ("describe_table", physical),
        "UpdateTable": ("update_table", {**physical, "DeletionProtectionEnabled": True}),
        "DeleteTable": ("delete_table", physical),
        "CreateBackup": ("create_backup", {**physical, "BackupName": NOTHING}),
    }
    return _attempts("dynamodb", f"table:{name}", calls)


def _insert(table_name: str, spec: Table) -> dict[str, Any]:
    names = ", ".join(f"'{name}': ?" for name in _key(spec))
    return {
        "Statement": f'INSERT INTO "{table_name}" VALUE {{{names}}}',
        "Parameters": list(_key(spec).values()),
    }


def _key(spec: Table) -> dict[str, Any]:
    return {name: {"S": NOTHING} for name in (spec.partition_key, spec.sort_key) if name}


def on_indexes(name: str, at: Targets) -> list[Attempt]:
    """A query of each index of a table."""
    return [
        Attempt(
            "dynamodb", "query", "dynamodb:Query", f"table:{name}/{index.name}",
            {
                "TableName": at.tables[name],
                "IndexName": index.name,
                "KeyConditionExpression": "#p = :p",
                "ExpressionAttributeNames": {"#p": index.partition_key},
                "ExpressionAttributeValues": {":p": {"S": NOTHING}},
            },
        )
        for index in table(name).indexes
    ]  # fmt: skip


def on_bucket(name: str, at: Targets) -> list[Attempt]:
    """All actions of grants on a bucket, and administration."""
    bucket = {"Bucket": at.buckets[name]}
    key = {**bucket, "Key": f"staged/{NOTHING}"}
    policy = {**bucket, "Policy": '{"Version": "2012-10-17", "Statement": []}'}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "GetObject": ("get_object", key),
        "PutObject": ("put_object", {**key, "Body": b"x", "IfNoneMatch": "*"}),
        "DeleteObject": ("delete_object", key),
        "AbortMultipartUpload": ("abort_multipart_upload", {**key, "UploadId": NOTHING}),
        "ListBucket": ("list_objects_v2", {**bucket, "MaxKeys": 1}),
        "ListBucketMultipartUploads": ("list_multipart_uploads", bucket),
        "PutBucketPolicy": ("put_bucket_policy", policy),
        "PutBucketNotification": (
            "put_bucket_notification_configuration",
            {**bucket, "NotificationConfiguration": {}},
        ),
        "PutLifecycleConfiguration": (
            "put_bucket_lifecycle_configuration",
            {**bucket, "LifecycleConfiguration": {"Rules": []}},
        ),
        "DeleteBucket": ("delete_bucket", bucket),
    }
    return _attempts("s3", f"bucket:{name}", calls)


def twice_written(name: str, prefix: str, at: Targets) -> Attempt:
    """A write that could replace a notified object: without If-None-Match."""
    parameters = {"Bucket": at.buckets[name], "Key": f"{prefix}{NOTHING}", "Body": b"x"}
    return Attempt(
        "s3", "put_object", "s3:PutObject", f"bucket:{name}/{prefix} without If-None-Match",
        parameters, RESOURCE_POLICY_DENIES,
    )  # fmt: skip


def unencrypted(name: str, at: Targets) -> Attempt:
    """A permitted read, but over plain HTTP."""
    return Attempt(
        "s3", "list_objects_v2", "s3:ListBucket", f"bucket:{name} without TLS",
        {"Bucket": at.buckets[name]}, RESOURCE_POLICY_DENIES, over_tls=False,
    )  # fmt: skip


def on_queue(name: str, url: str) -> list[Attempt]:
    """All actions of grants on a queue, and administration. `name` is for people."""
    queue = {"QueueUrl": url}
    message = {**queue, "ReceiptHandle": NOTHING}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "SendMessage": ("send_message", {**queue, "MessageBody": "{}"}),
        "ReceiveMessage": ("receive_message", {**queue, "VisibilityTimeout": 0}),
        "DeleteMessage": ("delete_message", message),
        "ChangeMessageVisibility": ("change_message_visibility", {**message, "VisibilityTimeout": 0}),
        "GetQueueAttributes": ("get_queue_attributes", {**queue, "AttributeNames": ["All"]}),
        "GetQueueUrl": ("get_queue_url", {"QueueName": url.rpartition("/")[2]}),
        "PurgeQueue": ("purge_queue", queue),
        "SetQueueAttributes": ("set_queue_attributes", {**queue, "Attributes": {"DelaySeconds": "0"}}),
    }
    return _attempts("sqs", f"queue:{name}", calls)


def on_secret(name: str, physical: str) -> list[Attempt]:
    """Reading a secret, which a grant can bring, and changing it."""
    secret = {"SecretId": physical}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "GetSecretValue": ("get_secret_value", secret),
        "DescribeSecret": ("describe_secret", secret),
        "PutSecretValue": ("put_secret_value", {**secret, "SecretString": "{}"}),
        "DeleteSecret": ("delete_secret", secret),
    }
    return _attempts("secretsmanager", f"secret:{name}", calls)


def on_key(name: str, at: Targets) -> list[Attempt]:
    """Encryption and decryption for a named tenant, and administration, of a key."""
    key, context = {"KeyId": at.key_arns[name]}, {"EncryptionContext": {"tenant": "ada"}}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "Decrypt": ("decrypt", {**key, **context, "CiphertextBlob": at.ciphertexts["ada"]}),
        "GenerateDataKey": ("generate_data_key", {**key, **context, "KeySpec": "AES_256"}),
        "Encrypt": ("encrypt", {**key, **context, "Plaintext": b"x"}),
        "DescribeKey": ("describe_key", key),
        "PutKeyPolicy": ("put_key_policy", {**key, "PolicyName": "default", "Policy": "{}"}),
        "ScheduleKeyDeletion": ("schedule_key_deletion", key),
    }
    return _attempts("kms", f"key:{name}", calls)


def on_user_pool(name: str, at: Targets) -> list[Attempt]:
    """All actions of grants on the user pool, and those of an administrator."""
    pool = {"UserPoolId": at.pool}
    user = {**pool, "Username": f"{NOTHING}@example.org"}
    sign_in = {**pool, "ClientId": at.client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": {}}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "AdminInitiateAuth": ("admin_initiate_auth", sign_in),
        "AdminGetUser": ("admin_get_user", user),
        "AdminDeleteUser": ("admin_delete_user", user),
        "AdminUserGlobalSignOut": ("admin_user_global_sign_out", user),
        "ListUsers": ("list_users", {**pool, "Limit": 1}),
        "DescribeUserPoolClient": ("describe_user_pool_client", {**pool, "ClientId": at.client}),
        "AdminCreateUser": ("admin_create_user", user),
        "AdminSetUserPassword": ("admin_set_user_password", {**user, "Password": NOTHING}),
        "AdminUpdateUserAttributes": ("admin_update_user_attributes", {**user, "UserAttributes": []}),
        "AdminConfirmSignUp": ("admin_confirm_sign_up", user),
        "UpdateUserPool": ("update_user_pool", pool),
        "DeleteUserPool": ("delete_user_pool", pool),
    }
    return _attempts("cognito-idp", f"identity:{name}", calls)


def on_mail(name: str, at: Targets, sender: str = "") -> list[Attempt]:
    """A mail from our address, or from `sender`."""
    address = sender or at.mail_from
    text = {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}
    parameters = {
        "FromEmailAddress": address,
        "Destination": {"ToAddresses": ["someone@example.org"]},
        "Content": {"Simple": text},
        "ConfigurationSetName": at.mail_set,
    }
    resource = f"mail:{name}" + (f" from {sender}" if sender else "")
    return [Attempt("sesv2", "send_email", "ses:SendEmail", resource, parameters)]


def on_role(name: str) -> list[Attempt]:
    """Assuming a customer's role, which a grant can bring, with an external id."""
    arn = f"arn:aws:iam::{CUSTOMERS_ACCOUNT}:role/{ROLE_PREFIX}-{NOTHING}"
    return [_assumption(f"role:{name}", arn, ExternalId=NOTHING)]


def foreign_roles(other: str, at: Targets) -> Iterator[Attempt]:
    """Assuming other roles, and a customer's without an external id: no function may."""
    ours = f"arn:aws:iam::000000000000:role/{at.roles[other]}"
    yield _assumption(f"the role of {other}", ours, ExternalId=NOTHING)
    deploying = "arn:aws:iam::000000000000:role/cdk-hnb659fds-deploy-role-000000000000-us-east-1"
    yield _assumption("the role that deploys", deploying, ExternalId=NOTHING)
    customers = f"arn:aws:iam::{CUSTOMERS_ACCOUNT}:role"
    yield _assumption("a customer's other role", f"{customers}/Admin", ExternalId=NOTHING)
    yield _assumption("a customer's role without an external id", f"{customers}/{ROLE_PREFIX}")


def _assumption(resource: str, arn: str, **external_id: str) -> Attempt:
    asked = {"RoleArn": arn, "RoleSessionName": NOTHING, **external_id}
    return Attempt("sts", "assume_role", "sts:AssumeRole", resource, asked)


def on_metrics(name: str) -> list[Attempt]:
    """Reading metrics, which a grant can bring, and writing them."""
    stat = {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}
    query = {"MetricDataQueries": [{"Id": "m", "MetricStat": stat}], "StartTime": 0, "EndTime": 60}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "GetMetricData": ("get_metric_data", query),
        "PutMetricData": ("put_metric_data", {"Namespace": "x", "MetricData": []}),
        "DeleteAlarms": ("delete_alarms", {"AlarmNames": [NOTHING]}),
    }
    return _attempts("cloudwatch", f"metrics:{name}", calls)


def on_log_group(function: str, at: Targets) -> list[Attempt]:
    """What a role may do with its own log group only, and what it may not do with that one either."""
    group = {"logGroupName": at.groups[function]}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "CreateLogStream": ("create_log_stream", {**group, "logStreamName": NOTHING}),
        "PutLogEvents": ("put_log_events", {**group, "logStreamName": NOTHING, "logEvents": []}),
        "FilterLogEvents": ("filter_log_events", group),
        "DeleteLogGroup": ("delete_log_group", group),
    }
    return _attempts("logs", f"log group of {function}", calls)


def on_the_account(function: str, other: str, at: Targets) -> Iterator[Attempt]:
    """Calls that no role may make: other functions, roles, lists of everything, stacks."""
    role = {"RoleName": at.roles[function]}
    policy = '{"Version": "2012-10-17", "Statement": []}'
    yield from _attempts("iam", "its own role", {
        "PutRolePolicy": ("put_role_policy", {**role, "PolicyName": "grants", "PolicyDocument": policy}),
        "AttachRolePolicy": (
            "attach_role_policy", {**role, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
        ),
    })  # fmt: skip
    yield from _attempts("iam", "a user", {
        "CreateUser": ("create_user", {"UserName": NOTHING}),
        "CreateAccessKey": ("create_access_key", {"UserName": NOTHING}),
    })  # fmt: skip
    yield from foreign_roles(other, at)
    yield from _attempts("lambda", f"the function {other}", {
        "InvokeFunction": ("invoke", {"FunctionName": at.functions[other], "Payload": b"{}"}),
        "GetFunctionConfiguration": (
            "get_function_configuration", {"FunctionName": at.functions[other]}
        ),
        "UpdateFunctionConfiguration": (
            "update_function_configuration", {"FunctionName": at.functions[other], "Timeout": 3}
        ),
        "DeleteFunction": ("delete_function", {"FunctionName": at.functions[other]}),
    })  # fmt: skip
    yield from _attempts("cloudformation", "a stack", {
        "DescribeStacks": ("describe_stacks", {"StackName": at.stack}),
        "DeleteStack": ("delete_stack", {"StackName": at.stack}),
    })  # fmt: skip
    yield from _attempts("sns", "a topic", {
        "Publish": ("publish", {"TopicArn": at.topic, "Message": "x"}),
    })  # fmt: skip
    for service, operation, action in LISTS:
        yield Attempt(service, operation, action, "everything", {})


LISTS = (
    ("dynamodb", "list_tables", "dynamodb:ListTables"),
    ("s3", "list_buckets", "s3:ListAllMyBuckets"),
    ("secretsmanager", "list_secrets", "secretsmanager:ListSecrets"),
    ("kms", "list_keys", "kms:ListKeys"),
    ("sqs", "list_queues", "sqs:ListQueues"),
    ("lambda", "list_functions", "lambda:ListFunctions"),
)
"""Lists of the whole account: service, operation, action."""


def _attempts(service: str, resource: str, calls: dict[str, tuple[str, dict[str, Any]]]) -> list[Attempt]:
    return [
        Attempt(service, operation, f"{service}:{action}", resource, parameters)
        for action, (operation, parameters) in calls.items()
    ]
