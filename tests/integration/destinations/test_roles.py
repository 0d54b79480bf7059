"""A role in the customer's account instead of a key, and the external id that protects it."""

import json
from typing import Any

import pytest

from functions.destinations import bucket_tester, clickhouse_tester
from functions.destinations.handler import answer_to
from functions.shared.byoc.destination import CustomerRole
from functions.shared.http import answering
from functions.shared.tenancy import TenantId
from tests.integration.destinations.world import (
    World,
    by_step,
    event_of,
    only_failed,
)

ACCOUNT = "123456789012"


@pytest.fixture
def with_roles(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A role is for S3 of AWS: its address is here, too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.clouds.url)
    return world


def role_body(world: World, arn: str, tenant: str = "acme") -> dict[str, Any]:
    body = world.body(tenant)
    body["bucket"] = {"name": f"{tenant}-logs", "region": "us-east-1", "role_arn": arn}
    return body


def make_role(world: World, name: str, policy: dict[str, Any]) -> str:
    iam = world.clouds.client("iam")
    try:
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(policy))
        made = iam.get_role(RoleName=name)
    return str(made["Role"]["Arn"])


def setup_of(world: World, tenant: str = "acme") -> dict[str, Any]:
    status, shown = world.ask("GET /v1/destination/role", tenant)
    assert status == 200
    return dict(shown)


def test_each_tenant_has_an_external_id_of_its_own_that_stays(with_roles: World) -> None:
    world = with_roles
    acme, globex = setup_of(world, "acme"), setup_of(world, "globex")

    assert len({acme["external_id"], globex["external_id"]}) == 2
    assert setup_of(world)["external_id"] == acme["external_id"]
    world.ask("DELETE /v1/destination")
    assert setup_of(world)["external_id"] == acme["external_id"], "the role still trusts it"
    assert (acme["account_id"], acme["role_name"]) == (ACCOUNT, "byoc-astralog")
    (statement,) = globex["trust_policy"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": globex["external_id"]}}
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert world.ask("GET /v1/destination")[0] == 404
    assert world.ask("GET /v1/destination/role", scopes="read ingest")[0] == 403


def test_the_permission_policy_has_the_bucket_that_is_asked_for(world: World) -> None:
    """Without a name it has that of the stored destination, else a placeholder."""
    event = event_of("GET /v1/destination/role", "acme", None, "admin")
    event |= {"rawQueryString": "bucket=my-logs", "queryStringParameters": {"bucket": "my-logs"}}
    shown = json.loads(answering(lambda each: answer_to(each, world.service))(event, None)["body"])
    assert shown["permission_policy"]["Statement"][0]["Resource"] == "arn:aws:s3:::my-logs"

    event |= {"rawQueryString": "bucket=A*", "queryStringParameters": {"bucket": "A*"}}
    refused = json.loads(answering(lambda each: answer_to(each, world.service))(event, None)["body"])
    assert (refused["code"], refused["field"]) == ("invalid_bucket", "bucket")

    assert "YOUR-BUCKET" in json.dumps(setup_of(world)["permission_policy"])
    assert world.ask("PUT /v1/destination", body=world.body())[0] == 200
    assert "arn:aws:s3:::acme-logs/staged/v1/tenant=acme/*" in json.dumps(setup_of(world))
    assert "acme-logs" not in json.dumps(setup_of(world, "globex"))


def test_a_role_is_tested_kept_and_shown_without_a_key(with_roles: World) -> None:
    world = with_roles
    arn = make_role(world, "byoc-astralog-acme", setup_of(world)["trust_policy"])
    status, kept = world.ask("PUT /v1/destination", body=role_body(world, arn))

    assert (status, kept["guarantee"]) == (200, "exactly_once")
    names = [step["step"] for step in kept["steps"]]
    assert names == [*bucket_tester.ROLE_STEPS, *clickhouse_tester.STEPS]
    assert all(step["ok"] for step in kept["steps"])
    assert kept["bucket"] == {
        "name": "acme-logs",
        "region": "us-east-1",
        "endpoint": None,
        "access_key_ends_with": None,
        "role_arn": arn,
    }
    assert world.ask("POST /v1/destination/test")[1]["usable"]
    assert world.left() == []
    assert "AKIA" not in world.stored()
    assert "ASIA" not in world.stored()


def test_another_tenants_role_is_asked_for_with_the_own_external_id_and_denied(with_roles: World) -> None:
    """The confused deputy: globex knows acme's role, which trusts our account for acme."""
    world = with_roles
    arn = make_role(world, "byoc-astralog-acme", setup_of(world)["trust_policy"])
    assert world.ask("PUT /v1/destination", body=role_body(world, arn))[0] == 200

    stolen = {**role_body(world, arn, "globex")["bucket"], "name": "acme-logs"}
    status, refused = world.ask("PUT /v1/destination", "globex", {**world.body("globex"), "bucket": stolen})

    failed = only_failed(refused)
    assert (status, failed["step"]) == (400, "bucket.assume_role")
    assert setup_of(world, "globex")["external_id"] in failed["fix"]
    assert setup_of(world, "acme")["external_id"] not in json.dumps(refused)
    assert world.ask("GET /v1/destination", "globex")[0] == 404
    assert world.ask("POST /v1/destination/test", "acme")[1]["usable"]


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ({}, "sts:ExternalId"),
        ({"StringLike": {"sts:ExternalId": "*"}}, "sts:ExternalId"),
        ({"StringEquals": {"sts:ExternalId": "another"}}, "trust policy"),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "MFA"),
    ],
)
def test_a_role_that_trusts_too_many_or_too_few_is_not_kept(
    with_roles: World, condition: dict[str, Any], word: str
) -> None:
    world = with_roles
    policy = setup_of(world)["trust_policy"]
    policy["Statement"][0]["Condition"] = condition
    arn = make_role(world, "byoc-astralog-open", policy)

    failed = only_failed(world.ask("PUT /v1/destination", body=role_body(world, arn))[1])

    assert (failed["step"], word in failed["fix"]) == ("bucket.assume_role", True)
    assert world.ask("GET /v1/destination")[0] == 404


def test_a_role_that_does_not_exist_is_not_kept(with_roles: World) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/byoc-astralog-nowhere"
    report = with_roles.ask("POST /v1/destination/test", body=role_body(with_roles, arn))[1]
    assert only_failed(report)["step"] == "bucket.assume_role"
    assert by_step(report)["bucket.reach"]["skipped"]
    assert by_step(report)["clickhouse.guarantee"]["ok"]


def test_a_permission_that_a_role_lacks_is_named(with_roles: World) -> None:
    world = with_roles
    arn = make_role(world, "byoc-astralog-acme", setup_of(world)["trust_policy"])
    world.clouds.refuses["s3:PutObject"] = (403, "AccessDenied")
    failed = only_failed(world.ask("POST /v1/destination/test", body=role_body(world, arn))[1])
    assert failed["detail"] == "The role has no permission for s3:PutObject."


def test_a_role_replaces_a_key_and_a_key_a_role(with_roles: World) -> None:
    world = with_roles
    arn = make_role(world, "byoc-astralog-acme", setup_of(world)["trust_policy"])
    world.ask("PUT /v1/destination", body=world.body())
    assert world.ask("PUT /v1/destination", body=role_body(world, arn))[0] == 200
    stored = world.service.destinations.get(TenantId("acme"))
    assert stored is not None
    assert stored.access == CustomerRole(arn, setup_of(world)["external_id"])

    # The key is gone: an update without one is an update of the role.
    without = role_body(world, arn)
    del without["bucket"]["role_arn"]
    assert world.ask("PUT /v1/destination", body=without)[1]["bucket"]["role_arn"] == arn
    assert world.ask("PUT /v1/destination", body=world.body())[1]["bucket"]["role_arn"] is None
    entries = world.service.audit.page(TenantId("acme"), 4).entries
    assert [entry["action"] for entry in entries] == [
        "destination.set", "destination.rotated", "destination.set", "destination.set",
    ]  # fmt: skip
