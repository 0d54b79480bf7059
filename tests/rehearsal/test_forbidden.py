"""The calls that a rehearsal tries with each role's credentials: all that its grants do not allow."""

from dataclasses import replace

import pytest

from infra.topology import BUCKETS, FUNCTIONS, KEYS, QUEUES, SECRETS, TABLES, Function, function
from rehearsal.forbidden.attempts import OTHER_CONTEXT, Attempt, Targets
from rehearsal.forbidden.lists import forbidden, permitted
from rehearsal.forbidden.trial import is_refused

every_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)

NAMES = {spec.name: spec.name for spec in FUNCTIONS}
TARGETS = Targets(
    tables={each.name: each.name for each in TABLES},
    buckets={each.name: each.name for each in BUCKETS},
    queue_urls={each.name: f"https://sqs/0/{each.name}" for each in QUEUES},
    dead_queue_urls={each.name: f"https://sqs/0/{each.name}-dead" for each in QUEUES},
    secrets={name: name for name in SECRETS},
    key_arns={name: name for name in (*KEYS, "at-rest")},
    ciphertexts={"ada": b"a", "bob": b"b"},
    pool="pool",
    client="client",
    mail_set="set",
    mail_from="no-reply@example.org",
    groups=NAMES,
    roles=NAMES,
    functions=NAMES,
    stack="AstraLogData",
    topic="topic",
    foreign_secret="another",
)
READ = Attempt("dynamodb", "get_item", "dynamodb:GetItem", "table:keys", {})
DENIAL = (
    "AccessDeniedException: User: arn:aws:sts::0:assumed-role/{role}/query is not authorized to perform: "
    "{action} because no identity-based policy allows the {action} action"
)


@every_function
def test_no_call_is_both_forbidden_and_permitted(spec: Function) -> None:
    no, yes = _calls(forbidden(spec, TARGETS)), _calls(permitted(spec, TARGETS))

    assert len(no) >= 150
    assert yes
    assert not no & yes


@every_function
def test_a_call_is_forbidden_once_its_grant_is_gone(spec: Function) -> None:
    bare = replace(spec, grants=())

    assert _calls(permitted(bare, TARGETS)) == {("logs:CreateLogStream", f"log group of {spec.name}")}
    lost = _calls(permitted(spec, TARGETS)) - _calls(permitted(bare, TARGETS))
    sampled = {
        each for each in lost if each[0].startswith(("kms", "secretsmanager", "cognito", "cloudwatch"))
    }
    assert sampled <= _calls(forbidden(bare, TARGETS))


def test_each_action_that_a_grant_can_bring_is_tried() -> None:
    from infra.grants import ACTIONS  # CDK takes seconds to import: only where it is used

    everything = [
        each
        for spec in FUNCTIONS
        for each in (*forbidden(spec, TARGETS), *permitted(spec, TARGETS))
    ]  # fmt: skip

    assert {action for actions in ACTIONS.values() for action in actions} <= {
        each.action for each in everything
    }


def test_one_read_and_one_write_are_tried_on_each_table_without_a_grant() -> None:
    tried = _calls(forbidden(function("query"), TARGETS))
    granted = {grant.split(":")[2] for grant in function("query").grants if ":table:" in grant}

    for table in TABLES:
        if table.name not in granted:
            assert {
                ("dynamodb:GetItem", f"table:{table.name}"),
                ("dynamodb:PutItem", f"table:{table.name}"),
            } <= tried


def test_a_search_must_not_delete_staged_logs_and_only_an_erasure_the_audit_trail() -> None:
    assert ("s3:DeleteObject", "bucket:staging") in _calls(forbidden(function("query"), TARGETS))
    for spec in FUNCTIONS:
        if spec.name != "eraser":
            assert ("dynamodb:DeleteItem", "table:audit") in _calls(forbidden(spec, TARGETS))


def test_credentials_are_not_decrypted_without_their_tenant_or_for_another() -> None:
    tried = {each.resource: each for each in forbidden(function("sync-byoc"), TARGETS)}

    other = tried["key:credentials for another tenant"]
    assert other.parameters["EncryptionContext"] == {"tenant": "bob"}
    assert other.parameters["CiphertextBlob"] == TARGETS.ciphertexts["ada"]
    assert tried["key:credentials without a tenant"].parameters["EncryptionContext"] == {}


def test_a_denial_of_this_action_to_this_role_is_a_refusal() -> None:
    assert is_refused(DENIAL.format(role="query", action=READ.action), READ, "query")


@pytest.mark.parametrize(
    "outcome",
    [
        "",
        "UnrecognizedClientException: The security token included in the request is invalid.",
        "ResourceNotFoundException: Requested resource not found",
        DENIAL.format(role="sync", action=READ.action),
        DENIAL.format(role="query", action="dynamodb:GetItems"),
        OTHER_CONTEXT,
    ],
    ids=["success", "unknown credentials", "no such table", "another role", "another action", "of KMS"],
)
def test_nothing_else_is_a_refusal(outcome: str) -> None:
    assert not is_refused(outcome, READ, "query")


def _calls(attempts: list[Attempt]) -> set[tuple[str, str]]:
    return {(each.action, each.resource) for each in attempts}
