"""The verbs of `topology.Function.grants` as IAM statements: these actions, on that resource, no others."""

from aws_cdk import Aws
from aws_cdk.aws_iam import PolicyStatement

from infra import topology
from infra.stores import Stores

ACTIONS = {
    # AbortMultipartUpload: a client that splits a large body must be able to clean up after itself.
    "put:bucket": ("s3:PutObject", "s3:AbortMultipartUpload"),
    # ListBucket makes S3 answer 404 rather than 403 for a key that is not there.
    "read:bucket": ("s3:GetObject", "s3:ListBucket"),
    "delete:bucket": ("s3:DeleteObject",),
    # Parts of uploads that were never completed are in no listing of objects.
    "unfinished:bucket": ("s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload"),
    "read:table": (
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DescribeTable",
    ),
    "write:table": (
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:DescribeTable",
    ),
    # What an erasure does to the audit trail and to whatever else it never writes.
    "forget:table": ("dynamodb:DeleteItem",),
    # Listing all customers is for upkeep alone.
    "scan:table": ("dynamodb:Scan", "dynamodb:DescribeTable"),
    # What an append-only table takes beside reading. IAM cannot distinguish a new item from one that replaces
    # another: that is the condition of each write, which functions.shared.account.audit alone makes.
    "append:table": ("dynamodb:PutItem",),
    "consume:queue": (
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
    ),
    "send:queue": ("sqs:SendMessage", "sqs:GetQueueUrl"),
    "read:secret": ("secretsmanager:GetSecretValue",),
    "seal:key": ("kms:GenerateDataKey",),
    "open:key": ("kms:Decrypt",),
    # What a person does for themselves takes no grant, signing up included: it takes the client's secret, and
    # DescribeUserPoolClient is the only place where that can be read.
    "sign-in:identity": (
        "cognito-idp:AdminInitiateAuth",
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminDeleteUser",
        "cognito-idp:AdminUserGlobalSignOut",
        "cognito-idp:DescribeUserPoolClient",
    ),
    "read:identity": ("cognito-idp:AdminGetUser",),
    # Who never confirmed an address is found by looking through all who did not.
    "forget:identity": (
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminDeleteUser",
        "cognito-idp:ListUsers",
    ),
    "send:mail": ("ses:SendEmail",),
    "read:metrics": ("cloudwatch:GetMetricData",),
}

_WRITING = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")

KEY_ACTIONS = {
    # A multipart upload decrypts the parts it has already stored.
    "put:bucket": ("kms:GenerateDataKey", "kms:Decrypt"),
    "read:bucket": ("kms:Decrypt",),
    "read:table": ("kms:Decrypt", "kms:DescribeKey"),
    "scan:table": ("kms:Decrypt", "kms:DescribeKey"),
    "append:table": ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"),
    "write:table": _WRITING,
    "forget:table": _WRITING,
}
"""What a verb needs of the key as well, and only through the service that asks on the caller's behalf."""

_SERVICES = {"bucket": "s3", "table": "dynamodb"}

APPEND_ONLY_VERBS = ("read", "scan", "append", "forget")
"""What an append-only table can be granted."""


class GrantError(ValueError):
    """A grant that no function may have."""


def statements(grant: str, stores: Stores) -> list[PolicyStatement]:
    """The statements of one grant, `verb:kind:name`.

    Raises
    ------
    KeyError: the verb does not exist for that kind of resource, or the resource is not in the topology.
    GrantError: it would let a function change what an append-only table holds.
    """
    verb, kind, name = grant.split(":")
    if kind == "table" and topology.table(name).append_only and verb not in APPEND_ONLY_VERBS:
        raise GrantError(f"the table '{name}' is append-only: '{grant}' cannot be granted")
    allowed = [
        PolicyStatement(
            actions=list(ACTIONS[f"{verb}:{kind}"]),
            resources=_resources(kind, name, stores)
            + (_indexes(kind, name, stores) if verb == "read" else []),
            conditions=_conditions(kind, stores),
        )
    ]
    if key_actions := KEY_ACTIONS.get(f"{verb}:{kind}"):
        via = {"kms:ViaService": f"{_SERVICES[kind]}.{Aws.REGION}.{Aws.URL_SUFFIX}"}
        allowed.append(
            PolicyStatement(
                actions=list(key_actions),
                resources=[stores.key.key_arn],
                conditions={"StringEquals": via},
            )
        )
    return allowed


def _conditions(kind: str, stores: Stores) -> dict[str, dict[str, str]] | None:
    """Only for a named tenant is anything sealed or opened; only as ourselves is anything mailed."""
    match kind:
        case "key":
            return {"Null": {"kms:EncryptionContext:tenant": "false"}}
        case "mail":
            return {"StringEquals": {"ses:FromAddress": stores.mail_from}}
        case _:
            return None


def _indexes(kind: str, name: str, stores: Stores) -> list[str]:
    """A table's indexes are resources of their own; only reading goes through them."""
    indexes = topology.table(name).indexes if kind == "table" else ()
    return [f"{stores.tables[name].table_arn}/index/{index.name}" for index in indexes]


def _resources(kind: str, name: str, stores: Stores) -> list[str]:
    match kind:
        case "bucket":
            bucket = stores.buckets[name]
            return [bucket.bucket_arn, bucket.arn_for_objects("*")]
        case "table":
            return [stores.tables[name].table_arn]
        case "queue":
            return [stores.queues[name].queue_arn]
        case "key":
            return [stores.keys[name].key_arn]
        case "identity":
            return [stores.people.pool.user_pool_arn]
        case "mail":
            # The address's own identity or its domain's: the operator verified either.
            identities = f"arn:{Aws.PARTITION}:ses:{Aws.REGION}:{Aws.ACCOUNT_ID}:identity/*"
            return [identities, stores.mail[name].arn]
        case "metrics":
            # CloudWatch knows no narrower resource than all metrics; they are figures by function.
            return ["*"]
        case _:
            # Secrets Manager adds six random characters to a name; only a full ARN would say which.
            return [f"{stores.secrets[name].secret_arn}-??????"]
