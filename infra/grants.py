"""The verbs of `topology.Function.grants` as IAM statements: minimal actions on one resource."""

from aws_cdk import Aws
from aws_cdk.aws_iam import PolicyStatement

from infra import topology
from infra.stores import Stores

ACTIONS = {
    # AbortMultipartUpload: a client that splits a large body must be able to clean up.
    "put:bucket": ("s3:PutObject", "s3:AbortMultipartUpload"),
    # ListBucket makes S3 answer 404 rather than 403 for a missing key.
    "read:bucket": ("s3:GetObject", "s3:ListBucket"),
    "delete:bucket": ("s3:DeleteObject",),
    # Listings of objects do not include parts of incomplete uploads.
    "unfinished:bucket": ("s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload"),
    "read:table": (
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:ConditionCheckItem",
    ),
    "write:table": (
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchWriteItem",
    ),
    # BatchExecuteStatement with inserts, which replace no item. IAM authorizes it by statement.
    "insert:table": ("dynamodb:PartiQLInsert",),
    # What an erasure does to the audit trail and to other tables that it never writes.
    "forget:table": ("dynamodb:DeleteItem",),
    # Only maintenance functions list all customers.
    "scan:table": ("dynamodb:Scan",),
    # Append to an append-only table. IAM cannot distinguish a new item from one that replaces another: the
    # condition of each write does, and only functions.shared.accounts.audit writes.
    "append:table": ("dynamodb:PutItem",),
    "consume:queue": (
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
    ),
    "send:queue": ("sqs:SendMessage", "sqs:GetQueueUrl"),
    # How many messages a queue and its dead-letter queue have; not the messages.
    "inspect:queue": ("sqs:GetQueueAttributes", "sqs:GetQueueUrl"),
    "read:secret": ("secretsmanager:GetSecretValue",),
    "seal:key": ("kms:GenerateDataKey",),
    "open:key": ("kms:Decrypt",),
    # Calls that people make for themselves, sign-up included, need no grant but the client's secret, which
    # only DescribeUserPoolClient returns.
    "sign-in:identity": (
        "cognito-idp:AdminInitiateAuth",
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminDeleteUser",
        "cognito-idp:AdminUserGlobalSignOut",
        "cognito-idp:DescribeUserPoolClient",
    ),
    "read:identity": ("cognito-idp:AdminGetUser",),
    # Unconfirmed sign-ups are found by listing all unconfirmed users.
    "forget:identity": (
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminDeleteUser",
        "cognito-idp:ListUsers",
    ),
    "assume:role": ("sts:AssumeRole",),
    "send:mail": ("ses:SendEmail",),
    "read:metrics": ("cloudwatch:GetMetricData",),
}

# DynamoDB asks for data keys with and without their plaintext.
_APPENDING = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
)
_WRITING = (*_APPENDING, "kms:ReEncryptFrom", "kms:ReEncryptTo")

KEY_ACTIONS = {
    # A multipart upload decrypts the parts that are already stored.
    "put:bucket": ("kms:GenerateDataKey", "kms:Decrypt"),
    "read:bucket": ("kms:Decrypt",),
    "read:table": ("kms:Decrypt", "kms:DescribeKey"),
    "scan:table": ("kms:Decrypt", "kms:DescribeKey"),
    "append:table": _APPENDING,
    "insert:table": _WRITING,
    "write:table": _WRITING,
    "forget:table": _WRITING,
}
"""KMS actions that a verb also needs, only through the service that calls KMS for the function."""

_SERVICES = {"bucket": "s3", "table": "dynamodb"}

APPEND_ONLY_VERBS = ("read", "scan", "append", "forget")
"""The verbs that an append-only table can be granted with."""


class GrantError(ValueError):
    """A grant that no function may have."""


def statements(grant: str, stores: Stores) -> list[PolicyStatement]:
    """The statements of one grant, `verb:kind:name`.

    Raises
    ------
    KeyError: the verb does not exist for that kind of resource, or the resource is not in the topology.
    GrantError: the grant would let a function change items of an append-only table.
    """
    verb, kind, name = grant.split(":")
    if kind == "table" and topology.table(name).append_only and verb not in APPEND_ONLY_VERBS:
        raise GrantError(f"the table '{name}' is append-only: '{grant}' cannot be granted")
    allowed = [
        PolicyStatement(
            actions=list(ACTIONS[f"{verb}:{kind}"]),
            resources=_resources(kind, name, stores)
            + (_indexes(kind, name, stores) if verb == "read" else [])
            + (_dead_queue(name, stores) if verb == "inspect" else []),
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
    """Encrypt and decrypt only with a tenant in the encryption context; send mail only from our address;
    assume a role only with an external id.
    """
    match kind:
        case "key":
            return {"Null": {"kms:EncryptionContext:tenant": "false"}}
        case "role":
            return {"Null": {"sts:ExternalId": "false"}}
        case "mail":
            return {"StringEquals": {"ses:FromAddress": stores.mail_from}}
        case _:
            return None


def _indexes(kind: str, name: str, stores: Stores) -> list[str]:
    """ARNs of a table's indexes, which are separate resources; only reads use them."""
    indexes = topology.table(name).indexes if kind == "table" else ()
    return [f"{stores.tables[name].table_arn}/index/{index.name}" for index in indexes]


def _dead_queue(name: str, stores: Stores) -> list[str]:
    """The ARN of a queue's dead-letter queue."""
    dead_queue = stores.dead_queues[name].queue_name
    return [f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:{dead_queue}"]


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
            # The identity of the address or of its domain: the operator verified one of them.
            identities = f"arn:{Aws.PARTITION}:ses:{Aws.REGION}:{Aws.ACCOUNT_ID}:identity/*"
            return [identities, stores.mail[name].arn]
        case "role":
            # In any account, but only with this prefix: some roles in our account, such as those that deploy,
            # trust all of it.
            return [f"arn:{Aws.PARTITION}:iam::*:role/{topology.ROLE_PREFIX}*"]
        case "metrics":
            # CloudWatch has no narrower resource than all metrics; they are figures by function.
            return ["*"]
        case _:
            # Secrets Manager appends six random characters to a name; only a full ARN would include them.
            return [f"{stores.secrets[name].secret_arn}-??????"]
