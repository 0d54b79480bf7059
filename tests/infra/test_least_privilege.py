"""A role may do what its function's grants say and nothing else; no template has a secret or a place."""

import json
import re
from typing import Any

import pytest

from functions.shared.byoc import role_policies
from infra.topology import FUNCTIONS, ROLE_PREFIX, TABLES, Function, StageNames
from tests.infra.synthesized import Templates, listed

every_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)

ANY_RESOURCE_IS_MEANT = {
    "AWS::KMS::Key": "in a key's own policy * is that key, and the account must keep control of it",
}

NO_NARROWER_RESOURCE = {
    "cloudwatch:GetMetricData": "CloudWatch grants all metrics or none; ours are figures by function",
}

SERVICES = {
    "bucket": {"s3", "kms"},
    "table": {"dynamodb", "kms"},
    "queue": {"sqs"},
    "secret": {"secretsmanager"},
    "key": {"kms"},
    "identity": {"cognito-idp"},
    "role": {"sts"},
    "mail": {"ses"},
    "metrics": {"cloudwatch"},
}

CHANGES = {f"dynamodb:{each}" for each in ("BatchWriteItem", "DeleteItem", "UpdateItem")}

STORES = ("bucket", "table", "queue")

READS = {f"dynamodb:{each}" for each in ("BatchGetItem", "ConditionCheckItem", "GetItem", "Query")}

VERBS = {
    "sqs:SendMessage": "send:queue",
    "s3:PutObject": "put:bucket",
    "s3:GetObject": "read:bucket",
    "s3:ListBucket": "read:bucket",
    "s3:DeleteObject": "delete:bucket",
    "s3:ListBucketMultipartUploads": "unfinished:bucket",
    "dynamodb:GetItem": "read:table",
    "dynamodb:Query": "read:table",
    "dynamodb:Scan": "scan:table",
    "dynamodb:UpdateItem": "write:table",
    "dynamodb:PartiQLInsert": "insert:table",
    "dynamodb:DeleteItem": ("write:table", "forget:table"),
    "sqs:ReceiveMessage": "consume:queue",
    "sqs:DeleteMessage": "consume:queue",
    "sqs:ChangeMessageVisibility": "consume:queue",
    "secretsmanager:GetSecretValue": "read:secret",
    "kms:GenerateDataKey": "seal:key",
    "cognito-idp:AdminInitiateAuth": "sign-in:identity",
    "cognito-idp:AdminDeleteUser": ("sign-in:identity", "forget:identity"),
    "cognito-idp:ListUsers": "forget:identity",
    "sts:AssumeRole": "assume:role",
    "ses:SendEmail": "send:mail",
    "cloudwatch:GetMetricData": "read:metrics",
}
"""The action a verb is about -> the verbs that alone may bring it."""


def test_no_statement_allows_everything_or_everywhere(templates: Templates) -> None:
    for carrier, statement in templates.policy_statements():
        if statement["Effect"] == "Deny" or carrier in ANY_RESOURCE_IS_MEANT:
            continue
        narrowed = set(listed(statement["Action"])) - NO_NARROWER_RESOURCE.keys()
        assert not narrowed or "*" not in listed(statement.get("Resource", [])), statement
        assert not [action for action in listed(statement["Action"]) if "*" in action], statement


def test_only_cdks_own_provider_has_a_managed_policy(templates: Templates) -> None:
    roles = templates.resources("AWS::IAM::Role")

    assert [name for name, each in roles.items() if "ManagedPolicyArns" in each["Properties"]] == [
        name for name in roles if name.startswith("AWSCDKTrigger")
    ]


IAM_POLICY_CHARACTERS = 10_240
"""What IAM allows for all inline policies of a role, without whitespace."""

LONGEST_NAME = 70
"""Of a resource: 26 characters of a stack with a stage, 30 of its logical id, 13 that CloudFormation adds."""


def test_a_role_has_one_policy_of_its_own_and_it_fits(templates: Templates) -> None:
    """CDK splits only the policies that are resources of their own."""
    roles = templates.resources("AWS::IAM::Role")
    ours = {name: each["Properties"] for name, each in roles.items() if not name.startswith("AWSCDKTrigger")}
    schedules = sum(spec.schedule_minutes is not None for spec in FUNCTIONS)

    assert len(ours) == len(FUNCTIONS) + schedules
    assert not templates.resources("AWS::IAM::Policy")
    assert not templates.resources("AWS::IAM::ManagedPolicy")
    for role in ours.values():
        (policy,) = role["Policies"]
        resolved = json.dumps(_resolved(policy["PolicyDocument"]), separators=(",", ":"))
        assert len(resolved) <= IAM_POLICY_CHARACTERS


def test_a_schedule_may_start_its_own_function_and_nothing_else(templates: Templates) -> None:
    roles = templates.resources("AWS::IAM::Role")
    schedules = templates.properties("AWS::Scheduler::Schedule")
    used = [templates.points_at(each["Target"]["RoleArn"]) for each in schedules]

    assert len(set(used)) == len(schedules), "no schedule shares its role"
    for role_id, schedule in zip(used, schedules, strict=True):
        role = roles[role_id]["Properties"]
        ((statement,),) = [each["PolicyDocument"]["Statement"] for each in role["Policies"]]
        function = schedule["Target"]["Arn"]
        assert statement["Action"] == "lambda:InvokeFunction"
        assert statement["Resource"] == function
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
        ours = trust["Condition"]["StringEquals"]
        assert ours["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
        assert ours["aws:SourceArn"]["Fn::Join"][1][-1] == ":schedule-group/default"


@every_function
def test_a_role_has_the_actions_of_its_grants_only(templates: Templates, spec: Function) -> None:
    """Data keys that a service asks for, to encrypt at rest, are not those that encrypt credentials."""
    actions = {
        action
        for statement in templates.statements(spec.handler)
        if "kms:ViaService" not in str(statement.get("Condition"))
        for action in listed(statement["Action"])
    }
    verbs = {":".join(grant.split(":")[:2]) for grant in spec.grants}

    assert actions & VERBS.keys() == {action for action, may in VERBS.items() if verbs & _all(may)}


@every_function
def test_a_role_reaches_the_services_of_its_grants_only(templates: Templates, spec: Function) -> None:
    services = {action.split(":")[0] for action in _actions(templates, spec)}
    expected = {"logs"}.union(*(SERVICES[grant.split(":")[1]] for grant in spec.grants))

    assert services == expected


@every_function
def test_a_role_reaches_the_stores_of_its_grants_only(templates: Templates, spec: Function) -> None:
    reached = {
        templates.points_at(resource)
        for statement in templates.statements(spec.handler)
        for resource in listed(statement["Resource"])
        if "Fn::Join" not in resource and not _is_about(statement, "logs", "kms", "cloudwatch")
    }
    granted = {tuple(grant.split(":")[1:]) for grant in spec.grants}
    stores = {templates.store(kind, name)[0] for kind, name in granted if kind in STORES}
    pools = set(templates.resources("AWS::Cognito::UserPool")) if ("identity", "pool") in granted else set()

    assert reached == stores | pools


@every_function
def test_an_index_is_reached_by_those_who_read_its_table(templates: Templates, spec: Function) -> None:
    reached = {
        (templates.points_at(resource["Fn::Join"][1][0]), resource["Fn::Join"][1][1])
        for statement in templates.statements(spec.handler)
        for resource in listed(statement["Resource"])
        if "/index/" in json.dumps(resource)
    }

    assert reached == {
        (templates.store("table", table.name)[0], f"/index/{index.name}")
        for table in TABLES
        for index in table.indexes
        if f"read:table:{table.name}" in spec.grants
    }


@every_function
def test_the_key_is_used_only_through_the_service_that_holds_the_data(
    templates: Templates, spec: Function
) -> None:
    at_rest = {name for name in templates.resources("AWS::KMS::Key") if name.startswith("Key")}
    for statement in templates.statements(spec.handler):
        if _is_about(statement, "kms") and templates.points_at(statement["Resource"]) in at_rest:
            via = statement["Condition"]["StringEquals"]["kms:ViaService"]
            assert via["Fn::Join"][1][0] in ("s3.", "dynamodb.")


@every_function
def test_credentials_are_encrypted_and_decrypted_for_a_named_tenant_only(
    templates: Templates, spec: Function
) -> None:
    seals = {name for name in templates.resources("AWS::KMS::Key") if name.startswith("credentials")}
    for statement in templates.statements(spec.handler):
        if _is_about(statement, "kms") and templates.points_at(statement["Resource"]) in seals:
            assert statement["Condition"] == {"Null": {"kms:EncryptionContext:tenant": "false"}}


def test_only_what_reaches_customers_may_open_their_credentials() -> None:
    may = {spec.name for spec in FUNCTIONS if "open:key:credentials" in spec.grants}

    assert may == {
        "ingest", "sync-byoc", "query", "search-exporter", "tail", "quarantine", "destinations",
        "sweeper-byoc", "eraser-byoc", "uploads", "dropin-byoc", "sweeper-dropin",
    }  # fmt: skip
    assert [spec.name for spec in FUNCTIONS if "seal:key:credentials" in spec.grants] == ["destinations"]


@every_function
def test_a_role_is_assumed_by_its_prefix_and_with_an_external_id_only(
    templates: Templates, spec: Function
) -> None:
    """Without the prefix a function could take roles in our own account that trust all of it."""
    assumes = [each for each in templates.statements(spec.handler) if _is_about(each, "sts")]

    assert len(assumes) == ("assume:role:customer" in spec.grants)
    for statement in assumes:
        assert statement["Resource"]["Fn::Join"][1][-1] == f":iam::*:role/{ROLE_PREFIX}*"
        assert statement["Condition"] == {"Null": {"sts:ExternalId": "false"}}


def test_only_what_opens_customers_buckets_may_assume_their_roles() -> None:
    opens = {spec.name for spec in FUNCTIONS if "open:key:credentials" in spec.grants}

    assert ROLE_PREFIX == role_policies.ROLE_PREFIX
    # CloudFormation names the roles of our stacks after the stack.
    assert not any(
        name.lower().startswith(ROLE_PREFIX) for stage in ("", "byoc") for name in StageNames(stage).stacks
    )
    # Tails reach the ClickHouse only.
    assert {spec.name for spec in FUNCTIONS if "assume:role:customer" in spec.grants} == opens - {"tail"}


def test_no_function_may_change_the_audit_trail_and_only_an_erasure_deletes_it(templates: Templates) -> None:
    assert _on_the_trail(templates, [spec for spec in FUNCTIONS if spec.name != "eraser"]) == {
        "dynamodb:PutItem",
        *READS,
    }
    erasing = _on_the_trail(templates, [spec for spec in FUNCTIONS if spec.name == "eraser"])
    assert erasing == {"dynamodb:PutItem", "dynamodb:DeleteItem", *READS}


@pytest.mark.parametrize("table", [each.name for each in TABLES if each.append_only])
def test_nothing_can_be_granted_that_changes_an_append_only_table(table: str) -> None:
    # CDK takes seconds to import: only where it is used
    from infra.grants import ACTIONS, APPEND_ONLY_VERBS, GrantError, statements

    with pytest.raises(GrantError, match=table):
        statements(f"write:table:{table}", None)  # type: ignore[arg-type]
    verbs = {verb for verb in APPEND_ONLY_VERBS if set(ACTIONS[f"{verb}:table"]) & CHANGES}
    assert verbs == {"forget"}
    assert [spec.name for spec in FUNCTIONS if f"forget:table:{table}" in spec.grants] == ["eraser"]


def test_the_audit_trail_is_append_only() -> None:
    assert [each.name for each in TABLES if each.append_only] == ["audit"]


def _on_the_trail(templates: Templates, functions: list[Function]) -> set[str]:
    trail = templates.store("table", "audit")[0]
    return {
        action
        for spec in functions
        for statement in templates.statements(spec.handler)
        for resource in listed(statement["Resource"])
        if resource != "*" and "Fn::Join" not in resource and templates.points_at(resource) == trail
        for action in listed(statement["Action"])
    }


@every_function
def test_a_secret_is_reached_by_its_own_name(templates: Templates, spec: Function) -> None:
    reached = [
        arn["Fn::Join"][1][-1].rpartition(":")[2]
        for statement in templates.statements(spec.handler)
        if _is_about(statement, "secretsmanager")
        for arn in listed(statement["Resource"])
    ]
    granted = [grant.split(":")[2] for grant in spec.grants if grant.startswith("read:secret:")]

    assert sorted(reached) == sorted(f"astralog/{name}-??????" for name in granted)


def test_no_template_holds_or_makes_a_secret(templates: Templates) -> None:
    text = json.dumps([templates.data, templates.compute])

    assert "AWS::SecretsManager::Secret" not in text
    assert "{{resolve:" not in text
    # The pool of people has a rule for passwords, a way to sign in with one and routes about them.
    about = r"PasswordPolicy|ALLOW_ADMIN_USER_PASSWORD_AUTH|/v1/password/\w+|v1password\w+"
    assert not re.search(r"password|SecretString", re.sub(about, "", text), re.IGNORECASE)


def test_the_templates_name_no_account_and_no_region(templates: Templates) -> None:
    text = json.dumps([templates.data, templates.compute])

    assert not re.search(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", text)
    assert not re.search(r"\b[a-z]{2}-(gov-)?(north|south|east|west|central)[a-z]*-\d\b", text)


def _resolved(node: Any) -> Any:
    """`node` as CloudFormation sends it to IAM, with references as long as they can be."""
    match node:
        case {"Fn::Join": [_, parts]}:
            return "".join(_resolved(each) for each in parts)
        case {"Ref": _}:
            return "x" * len("ap-southeast-1")
        case {"Fn::GetAtt": _} | {"Fn::ImportValue": _}:
            return f"arn:aws:dynamodb:ap-southeast-1:123456789012:table/{'x' * LONGEST_NAME}"
        case dict():
            return {name: _resolved(each) for name, each in node.items()}
        case list():
            return [_resolved(each) for each in node]
        case _:
            return node


def _all(verbs: str | tuple[str, ...]) -> set[str]:
    return {verbs} if isinstance(verbs, str) else set(verbs)


def _actions(templates: Templates, spec: Function) -> set[str]:
    statements = templates.statements(spec.handler)
    return {action for statement in statements for action in listed(statement["Action"])}


def _is_about(statement: dict[str, object], *services: str) -> bool:
    return {str(action).split(":")[0] for action in listed(statement["Action"])} <= set(services)
