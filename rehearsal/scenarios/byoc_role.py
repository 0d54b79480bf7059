"""docs/byoc.md: a customer's bucket that is opened with a role of the customer's account."""

import json
from typing import Any

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from rehearsal.api_client import expect, wait_for
from rehearsal.customer import Customer
from rehearsal.deployed import Deployed
from rehearsal.forbidden.credentials import RoleClients, acting_as
from rehearsal.scenarios.byoc import none_with_us
from rehearsal.scenarios.plans import buy
from rehearsal.site import ACCOUNT, CUSTOMERS_USER, REGION
from rehearsal.trust_policies import CASES, TrustCase

PROVES = "A BYOC customer's bucket is opened with its role, which no other customer can have us assume."
SECONDS = 90.0


def run(here: Deployed) -> None:
    dave = here.joins("dave")
    dave.has_own_clickhouse = True
    bucket = dave.mark
    setup = here.api.done(f"GET /v1/destination/role?bucket={bucket}", dave.token)
    arn = bucket_and_role(here, bucket, setup)
    body = destination(here, bucket, arn)
    _others_are_denied(here, dave, body)
    here.api.done("PUT /v1/destination", dave.token, body)
    shown = here.api.done("GET /v1/destination", dave.token)["bucket"]
    expect(shown["role_arn"] == arn, f"GET /v1/destination shows the role {shown['role_arn']}")
    buy(here, dave, "byoc")
    dave.send(4, "with a role")
    wait_for("the rows are found", lambda: len(dave.find()) == len(dave.sent), SECONDS)
    dave.finds_exactly(dave.sent)
    none_with_us(here, dave)
    sts = _caller(here)
    for case in CASES:
        _decides(here, sts, case)
    _session_is_narrow(here, bucket, dave.tenant, json.dumps(setup["permission_policy"]))


def bucket_and_role(here: Deployed, bucket: str, setup: dict[str, Any]) -> str:
    """The bucket, and a role with the two policies that GET /v1/destination/role shows; the role's ARN."""
    here.cloud.client("s3").create_bucket(Bucket=bucket)
    iam = here.cloud.client("iam")
    name, trusts = f"{setup['role_name']}-{bucket}", json.dumps(setup["trust_policy"])
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts)["Role"]
    permits = json.dumps(setup["permission_policy"])
    iam.put_role_policy(RoleName=name, PolicyName="bucket", PolicyDocument=permits)
    return str(role["Arn"])


def destination(here: Deployed, bucket: str, arn: str) -> dict[str, Any]:
    """The body of PUT /v1/destination."""
    return {
        "bucket": {"name": bucket, "region": REGION, "role_arn": arn},
        "clickhouse": here.site.clickhouse_address(CUSTOMERS_USER),
    }


def _others_are_denied(here: Deployed, dave: Customer, body: dict[str, Any]) -> None:
    """Another customer knows the role's ARN: we ask for it with that customer's external id."""
    ada, _bob = here.two
    ids = {
        each.name: here.api.done("GET /v1/destination/role", each.token)["external_id"]
        for each in (ada, dave)
    }
    expect(ids["ada"] != ids["dave"], "two accounts have the same external id")
    stolen = here.api.ask("PUT /v1/destination", ada.token, body)
    failed = [each["step"] for each in stolen.body.get("steps", ()) if each.get("ok") is False]
    expect(
        stolen.status == 400 and failed == ["bucket.assume_role"],
        f"another account's role was answered with {stolen.status}, failed steps {failed}",
    )


def _caller(here: Deployed) -> Any:
    """STS for a user who may assume any role: the emulator takes the account's root for each service, too."""
    iam, name = here.cloud.client("iam"), "rehearsal-caller"
    iam.create_user(UserName=name)
    any_role = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    iam.put_user_policy(UserName=name, PolicyName="assume", PolicyDocument=_document(any_role))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return here.cloud.client_with("sts", key["AccessKeyId"], key["SecretAccessKey"])


def _decides(here: Deployed, sts: Any, case: TrustCase) -> None:
    """The emulator decides on a trust policy as the local stack does."""
    iam, name = here.cloud.client("iam"), f"trust-{case.name}"
    trusts = json.dumps(case.policy(ACCOUNT))
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts)["Role"]["Arn"]
    given = {"ExternalId": case.external_id} if case.external_id else {}
    try:
        sts.assume_role(RoleArn=arn, RoleSessionName="rehearsal", **given)
        is_trusted = True
    except ClientError as fault:
        is_trusted = fault.response["Error"]["Code"] != "AccessDenied"
    expect(is_trusted is case.is_trusted, f"the emulator decides otherwise on the trust policy '{case.name}'")


def _session_is_narrow(here: Deployed, bucket: str, tenant: str, policy: str) -> None:
    """A session reaches the tenant's prefixes only, although its role may do everything.

    `policy`: the statements about the bucket in the policy of our sessions are those of the role.
    """
    iam, name = here.cloud.client("iam"), f"wide-{bucket}"
    trusts = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trusts))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_document(everything))
    sts, own = here.cloud.client("sts"), f"staged/v1/tenant={tenant}/"
    got = sts.assume_role(RoleArn=arn, RoleSessionName="rehearsal", Policy=policy)["Credentials"]
    s3 = RoleClients(here.site, threads=1).make("s3")
    with acting_as(ReadOnlyCredentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])):
        for prefix, may in ((own, True), ("staged/v1/tenant=other/", False)):
            put = _is_allowed(lambda key=f"{prefix}narrow": s3.put_object(Bucket=bucket, Key=key, Body=b"x"))
            expect(put is may, f"a session of {tenant} {'may' if put else 'may not'} write below {prefix}")
        expect(not _is_allowed(s3.list_buckets), "a session may list all buckets")
    here.cloud.client("s3").delete_object(Bucket=bucket, Key=f"{own}narrow")


def _is_allowed(call: Any) -> bool:
    try:
        call()
    except ClientError as fault:
        expect(fault.response["Error"]["Code"] == "AccessDenied", f"an unexpected answer: {fault}")
        return False
    return True


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
