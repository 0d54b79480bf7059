"""Whether each role may use the key of the data at rest through the service that holds the data.

S3 and DynamoDB call KMS in the name of a function for each object and item; the emulator does not. So the
deployed policies are read here. What a call needs is AWS's rule, not the list of `infra.grants`.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from infra.topology import FUNCTIONS, Function
from rehearsal.cloud import Cloud
from rehearsal.site import REGION
from rehearsal.triggers import matches

NEEDS = {
    "s3:GetObject": ("kms:Decrypt",),
    # A multipart upload decrypts the parts that are already stored.
    "s3:PutObject": ("kms:GenerateDataKey", "kms:Decrypt"),
    **dict.fromkeys(
        (f"dynamodb:{each}" for each in ("GetItem", "BatchGetItem", "Query", "Scan")), ("kms:Decrypt",)
    ),
    **dict.fromkeys(
        (
            f"dynamodb:{each}"
            for each in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert")
        ),
        ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"),
    ),
}
"""A call on a bucket or table with a customer managed key -> what its caller needs of KMS."""

Statement = dict[str, Any]


def unreadable_stores(cloud: Cloud) -> list[str]:
    """Sentences about roles that may call a store but not use its key."""
    key = _key_of_data(cloud)
    return [fault for spec in FUNCTIONS for fault in _faults(spec.name, _statements(cloud, spec), key)]


def _faults(name: str, statements: list[Statement], key: str) -> Iterator[str]:
    called = {action for each in statements for action in _listed(each["Action"]) if action in NEEDS}
    needed = {(action.split(":")[0], needs) for action in called for needs in NEEDS[action]}
    for service, action in sorted(needed):
        if not is_permitted(statements, action, key, f"{service}.{REGION}.amazonaws.com"):
            yield f"{name} may not {action} through {service}, whose data are encrypted"


def is_permitted(statements: Iterable[Statement], action: str, key: str, via: str) -> bool:
    """Whether a statement allows the KMS action on the key through the service `via`."""
    return any(
        each["Effect"] == "Allow"
        and action in _listed(each["Action"])
        and any(matches(pattern, key) for pattern in _listed(each["Resource"]))
        and each.get("Condition", {}) in ({}, {"StringEquals": {"kms:ViaService": via}})
        for each in statements
    )


def _statements(cloud: Cloud, spec: Function) -> list[Statement]:
    """The statements of the deployed role. Roles have no denials, so none is evaluated."""
    iam = cloud.client("iam")
    role = cloud.functions[spec.name]["Role"].rpartition("/")[2]
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    read = [json.loads(each) if isinstance(each, str) else each for each in documents]
    return [statement for document in read for statement in _listed(document["Statement"])]


def _key_of_data(cloud: Cloud) -> str:
    """The ARN of the key that encrypts all buckets and tables."""
    found = next(
        each.physical_id
        for each in cloud.resources
        if each.kind == "AWS::KMS::Key" and each.logical_id.startswith("Key")
    )
    return str(cloud.client("kms").describe_key(KeyId=found)["KeyMetadata"]["Arn"])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
