"""Whom a customer's role trusts, and what a session of it may reach: one tenant's prefixes of one bucket."""

import json

import pytest

from functions.shared.byoc.role_policies import (
    MAX_SESSION_POLICY_CHARACTERS,
    partition_of,
    permission_policy,
    session_policy,
    trust_policy,
)
from functions.shared.tenancy import TenantId

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


def test_a_role_trusts_our_account_for_its_own_external_id_only() -> None:
    policies = [trust_policy("aws", "111122223333", external_id) for external_id in ("of-acme", "of-globex")]

    for policy, external_id in zip(policies, ("of-acme", "of-globex"), strict=True):
        (statement,) = policy["Statement"]
        assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
        assert statement["Action"] == "sts:AssumeRole"
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": external_id}}


def test_a_session_reaches_the_tenants_own_prefixes_only() -> None:
    both = [json.loads(session_policy("aws", "shared-logs", "eu-central-1", each)) for each in (ACME, GLOBEX)]
    reached = [
        {resource for statement in policy["Statement"][:2] for resource in _listed(statement["Resource"])}
        for policy in both
    ]

    assert reached[0] & reached[1] == {"arn:aws:s3:::shared-logs"}
    for tenant, resources in zip((ACME, GLOBEX), reached, strict=True):
        assert resources - {"arn:aws:s3:::shared-logs"} == {
            f"arn:aws:s3:::shared-logs/{folder}/v1/tenant={tenant}/*"
            for folder in ("staged", "idempotency", "quarantine", "dropin", "uploads", "exports")
        }


def test_a_session_may_do_what_the_role_needs_and_use_keys_through_s3_only() -> None:
    session = json.loads(session_policy("aws", "acme-logs", "eu-central-1", ACME))
    needed = permission_policy("aws", "acme-logs", ACME)["Statement"]

    assert session["Statement"][:-1] == needed
    through_s3 = session["Statement"][-1]
    assert through_s3["Action"] == ["kms:GenerateDataKey", "kms:Decrypt"]
    assert through_s3["Condition"] == {"StringLike": {"kms:ViaService": "s3.eu-central-1.*"}}


def test_the_longest_names_fit_into_a_session_policy() -> None:
    longest = session_policy("aws-us-gov", "b" * 63, "ap-southeast-99", TenantId("t" * 63))

    assert len(longest) <= MAX_SESSION_POLICY_CHARACTERS


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_arns_are_in_the_partition_of_the_role(partition: str) -> None:
    arn = f"arn:{partition}:iam::111122223333:role/byoc-astralog"

    assert f'"arn:{partition}:s3:::acme-logs"' in session_policy(partition_of(arn), "acme-logs", "r", ACME)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
