"""The policies around a customer's role: whom it trusts, what it may do, and what one session may do. Pure.

The customer copies the first two; the third narrows every session to one tenant's prefixes of one bucket,
whatever else the role may do.
"""

import json
from typing import Any

from functions.shared.tenancy import (
    TenantId,
    checkpoint_prefix,
    dropin_prefix,
    exports_prefix,
    idempotency_prefix,
    quarantine_prefix,
    staged_prefix,
)

ROLE_PREFIX = "byoc-astralog"
"""With this the path or name of a customer's role begins: our functions may assume no others. So they cannot
take roles in our account that trust it as a whole, such as those of deployment.
"""

MAX_SESSION_POLICY_CHARACTERS = 2048
"""STS's limit."""

_PREFIXES = (
    staged_prefix,
    idempotency_prefix,
    quarantine_prefix,
    dropin_prefix,
    checkpoint_prefix,
    exports_prefix,
)

Policy = dict[str, Any]


def trust_policy(partition: str, account: str, external_id: str) -> Policy:
    """Let our account assume the role, for the tenant of `external_id` only."""
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
    )


def permission_policy(partition: str, bucket: str, tenant: TenantId) -> Policy:
    """What the role needs; an encrypted bucket also needs its KMS key.

    ListBucket has no condition on the prefix: with one, S3 answers 403 for a missing object, not 404.
    """
    return _policy(*_on_bucket(partition, bucket, tenant))


def session_policy(partition: str, bucket: str, region: str, tenant: TenantId) -> str:
    """What a session of the role may do at most, as JSON without blanks."""
    through_s3 = {
        "Effect": "Allow",
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"StringLike": {"kms:ViaService": f"s3.{region}.*"}},
    }
    policy = _policy(*_on_bucket(partition, bucket, tenant), through_s3)
    return json.dumps(policy, separators=(",", ":"))


def partition_of(role_arn: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov`."""
    return role_arn.split(":")[1]


def _on_bucket(partition: str, bucket: str, tenant: TenantId) -> tuple[Policy, Policy]:
    arn = f"arn:{partition}:s3:::{bucket}"
    return (
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn},
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            "Resource": [f"{arn}/{prefix(tenant)}*" for prefix in _PREFIXES],
        },
    )


def _policy(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}
