"""One call of AWS with a role's credentials, and the names of the deployed resources that calls are about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.topology import BUCKETS, KEYS, QUEUES, SECRETS, TABLES, output_name
from rehearsal.cloud import Cloud

NO_POLICY_ALLOWS = "because no identity-based policy allows the {action} action"
"""How the emulator refuses what no statement of the role allows; AWS words it in the same way."""

RESOURCE_POLICY_DENIES = "with an explicit deny in a resource-based policy"
"""How it refuses what the policy of a bucket, queue or topic denies."""

OTHER_CONTEXT = "InvalidCiphertextException"
"""How KMS refuses to decrypt with another encryption context than that of the encryption."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call: boto3's `operation` of `service` with `parameters`.

    `action`: the IAM action it needs. `resource`: `kind:name` of the topology, or a short name for people.
    `refusal`: what the error must say.
    `over_tls`: false for a request that claims plain HTTP.
    """

    service: str
    operation: str
    action: str
    resource: str
    parameters: Mapping[str, Any]
    refusal: str = NO_POLICY_ALLOWS
    over_tls: bool = True

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


@dataclass(frozen=True, slots=True)
class Targets:
    """Physical names by topology name.

    `key_arns` has the topology's keys, and `at-rest` for the key that encrypts all data.
    `ciphertexts`: tenant -> a value encrypted with the key `credentials` for that tenant.
    `groups` and `roles`: function -> its log group and its role's name. `functions`: its physical name.
    `foreign_secret`: a secret of another installation in the same account.
    """

    tables: Mapping[str, str]
    buckets: Mapping[str, str]
    queue_urls: Mapping[str, str]
    dead_queue_urls: Mapping[str, str]
    secrets: Mapping[str, str]
    key_arns: Mapping[str, str]
    ciphertexts: Mapping[str, bytes]
    pool: str
    client: str
    mail_set: str
    mail_from: str
    groups: Mapping[str, str]
    roles: Mapping[str, str]
    functions: Mapping[str, str]
    stack: str
    topic: str
    foreign_secret: str


FOREIGN_SECRET = "astralog/other/warehouse"
TENANTS = ("ada", "bob")


def targets_of(cloud: Cloud, mail_from: str) -> Targets:
    """The names in a deployment; stores a secret of another installation and encrypts two values."""
    outputs = cloud.outputs
    cloud.client("secretsmanager").create_secret(Name=FOREIGN_SECRET, SecretString="{}")
    keys = {name: _key(cloud, f"{name}key") for name in KEYS}
    functions = cloud.functions
    return Targets(
        tables={each.name: outputs[output_name("table", each.name)] for each in TABLES},
        buckets={each.name: outputs[output_name("bucket", each.name)] for each in BUCKETS},
        queue_urls={each.name: _queue_url(cloud, each.name) for each in QUEUES},
        dead_queue_urls={each.name: _queue_url(cloud, f"{each.name}-dead") for each in QUEUES},
        secrets={name: outputs[output_name("secret", name)] for name in SECRETS},
        key_arns={**keys, "at-rest": _key(cloud, "Key")},
        ciphertexts={each: _encrypted(cloud, keys["credentials"], each) for each in TENANTS},
        pool=outputs["UserPool"],
        client=cloud.named("AWS::Cognito::UserPoolClient")[0],
        mail_set=outputs["NoticesMailSet"],
        mail_from=mail_from,
        groups={name: each["LoggingConfig"]["LogGroup"] for name, each in functions.items()},
        roles={name: each["Role"].rpartition("/")[2] for name, each in functions.items()},
        functions={name: each["FunctionName"] for name, each in functions.items()},
        stack=cloud.resources[0].stack,
        topic=cloud.named("AWS::SNS::Topic")[0],
        foreign_secret=FOREIGN_SECRET,
    )


def _key(cloud: Cloud, logical_id: str) -> str:
    found = next(
        each.physical_id
        for each in cloud.resources
        if each.kind == "AWS::KMS::Key" and each.logical_id.startswith(logical_id)
    )
    return str(cloud.client("kms").describe_key(KeyId=found)["KeyMetadata"]["Arn"])


def _queue_url(cloud: Cloud, name: str) -> str:
    """By the logical id, which is the topology's name without its hyphens."""
    part = f"{name.replace('-', '')}queue"
    found = next(
        each.physical_id.rpartition("/")[2]
        for each in cloud.resources
        if each.kind == "AWS::SQS::Queue" and each.logical_id.startswith(part)
    )
    return str(cloud.client("sqs").get_queue_url(QueueName=found)["QueueUrl"])


def _encrypted(cloud: Cloud, key_arn: str, tenant: str) -> bytes:
    encrypted: bytes = cloud.client("kms").encrypt(
        KeyId=key_arn, Plaintext=b"rehearsal", EncryptionContext={"tenant": tenant}
    )["CiphertextBlob"]
    return encrypted
