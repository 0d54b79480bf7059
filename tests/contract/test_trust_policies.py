"""Whom a role trusts: the local stack decides as the rehearsal's emulator does on the same cases.

The rehearsal tries the cases in `rehearsal.scenarios.byoc_role`.
"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bench.children import child
from local.naming import ACCOUNT_ID, REGION
from rehearsal.trust_policies import CASES, OTHERS, OURS, TrustCase

KEYS = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests", "region_name": REGION}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with child("local.aws") as aws:
        yield f"http://127.0.0.1:{aws.port}"


def assumed(endpoint: str, arn: str, external_id: str | None) -> Any:
    """The answer of AssumeRole, or the code of its error."""
    parameters = {"ExternalId": external_id} if external_id else {}
    try:
        return boto3.client("sts", endpoint_url=endpoint, **KEYS).assume_role(
            RoleArn=arn, RoleSessionName="astralog-acme", **parameters
        )
    except ClientError as fault:
        return fault.response["Error"]["Code"]


def role(endpoint: str, name: str, policy: dict[str, Any]) -> str:
    iam = boto3.client("iam", endpoint_url=endpoint, **KEYS)
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))
    return str(made["Role"]["Arn"])


@every_case
def test_a_trust_policy_is_asked(endpoint: str, case: TrustCase) -> None:
    arn = role(endpoint, f"byoc-astralog-{case.name}", case.policy(ACCOUNT_ID))

    answer = assumed(endpoint, arn, case.external_id)

    assert (answer != "AccessDenied") is case.is_trusted
    assert not case.is_trusted or answer["Credentials"]["SessionToken"]


def test_a_role_that_does_not_exist_is_denied_like_one_that_does_not_trust(endpoint: str) -> None:
    assert assumed(endpoint, f"arn:aws:iam::{ACCOUNT_ID}:role/byoc-astralog-nowhere", OURS) == "AccessDenied"
    assert (
        assumed(endpoint, f"arn:aws:iam::{ACCOUNT_ID}:role/byoc-astralog-nowhere", OTHERS) == "AccessDenied"
    )
