"""The pool of people: addresses verified, passwords long, and no way to try them around our functions."""

import json
from typing import Any

import pytest

from infra.choices import ChoiceError, from_context
from local import user_pool as local_identity


def construct(*sender: Any) -> tuple[Any, dict[str, Any]]:
    """The construct and the template of a stack that has it alone."""
    from aws_cdk import App, Stack  # CDK takes seconds to import: only where it is used
    from aws_cdk.assertions import Template

    from infra.user_pool import SignInUserPool

    stack = Stack(App(), "Stack")
    people = SignInUserPool(stack, "people", *sender)
    return people, Template.from_stack(stack).to_json()


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return construct()[1]


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = (each for each in template["Resources"].values() if each["Type"] == kind)
    return found


@pytest.fixture
def pool(template: dict[str, Any]) -> dict[str, Any]:
    return only(template, "AWS::Cognito::UserPool")["Properties"]


@pytest.fixture
def client(template: dict[str, Any]) -> dict[str, Any]:
    return only(template, "AWS::Cognito::UserPoolClient")["Properties"]


def test_a_person_signs_up_with_an_address_that_must_answer(pool: dict[str, Any]) -> None:
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["AutoVerifiedAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False}
    assert pool["VerificationMessageTemplate"]["DefaultEmailOption"] == "CONFIRM_WITH_CODE"


def test_a_changed_address_counts_once_it_is_verified(pool: dict[str, Any]) -> None:
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}


def test_a_password_is_long_and_recovery_by_telephone_is_off(pool: dict[str, Any]) -> None:
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert pool["AccountRecoverySetting"]["RecoveryMechanisms"] == [{"Name": "verified_email", "Priority": 1}]


def test_a_second_factor_is_a_persons_own_choice_and_never_a_text_message(pool: dict[str, Any]) -> None:
    assert pool["MfaConfiguration"] == "OPTIONAL"
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]


def test_the_pool_outlives_its_stack(template: dict[str, Any], pool: dict[str, Any]) -> None:
    kept = only(template, "AWS::Cognito::UserPool")
    assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert pool["DeletionProtection"] == "ACTIVE"


def test_passwords_pass_through_the_administrators_door_only(client: dict[str, Any]) -> None:
    assert sorted(client["ExplicitAuthFlows"]) == [
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    ]
    assert client["AllowedOAuthFlowsUserPoolClient"] is False
    assert client["GenerateSecret"] is True


def test_the_clients_secret_is_in_no_template(template: dict[str, Any]) -> None:
    """CloudFormation would hand it out; only a principal that may describe the client reads it."""
    text = json.dumps(template)
    assert "ClientSecret" not in text
    assert "Custom::" not in text


def test_who_exists_is_not_revealed_and_tokens_expire(client: dict[str, Any]) -> None:
    minutes = {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "minutes"}
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert client["TokenValidityUnits"] == minutes
    assert client["AccessTokenValidity"] == 60
    assert client["RefreshTokenValidity"] == 30 * 24 * 60


def test_everything_that_verifies_a_token_has_a_name() -> None:
    people, _ = construct()
    assert people.named.keys() == local_identity.named("http://127.0.0.1:1").keys()
    assert people.named["keys_url"] == people.named["issuer"] + "/.well-known/jwks.json"


def test_the_local_pool_and_client_are_made_alike(pool: dict[str, Any], client: dict[str, Any]) -> None:
    local_pool, local_client = local_identity._pool("p"), local_identity._client("c")
    for name in (
        "UsernameAttributes",
        "UsernameConfiguration",
        "AutoVerifiedAttributes",
        "UserAttributeUpdateSettings",
        "AccountRecoverySetting",
    ):
        assert local_pool[name] == pool[name]
    local_policy = local_pool["Policies"]["PasswordPolicy"]
    assert local_policy == {name: pool["Policies"]["PasswordPolicy"][name] for name in local_policy}
    for name in ("GenerateSecret", "PreventUserExistenceErrors", "EnableTokenRevocation"):
        assert local_client[name] == client[name]
    assert sorted(local_client["ExplicitAuthFlows"]) == sorted(client["ExplicitAuthFlows"])


def test_without_a_verified_sender_cognito_mails_the_codes_itself(pool: dict[str, Any]) -> None:
    """SES rejects an address that is not verified, and the deployment of the pool with it."""
    assert "EmailConfiguration" not in pool


@pytest.mark.parametrize(
    ("context", "identity"),
    [
        ({"mail_from": "no-reply@mail.example.org"}, "mail.example.org"),
        ({"mail_from": "no-reply@mail.example.org", "mail_identity": "example.org"}, "example.org"),
        ({"mail_from": "ops@example.org", "mail_identity": "ops@example.org"}, "ops@example.org"),
    ],
    ids=["the domain", "a domain above it", "the address"],
)
def test_with_a_sender_cognito_mails_the_codes_through_ses(context: dict[str, str], identity: str) -> None:
    _, template = construct(from_context(context.get).cognito_sender)
    pool = only(template, "AWS::Cognito::UserPool")["Properties"]
    mail = pool["EmailConfiguration"]

    assert mail["EmailSendingAccount"] == "DEVELOPER"
    assert mail["From"] == f"AstraLog <{context['mail_from']}>"
    assert "".join(
        each if isinstance(each, str) else each["Ref"] for each in mail["SourceArn"]["Fn::Join"][1]
    ) == (f"arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:identity/{identity}")


@pytest.mark.parametrize(
    "context",
    [
        {"mail_from": "AstraLog <no-reply@example.org>"},
        {"mail_from": "example.org"},
        {"mail_identity": "example.org"},
        {"mail_from": "no-reply@example.org", "mail_identity": "another.org"},
        {"mail_from": "no-reply@notexample.org", "mail_identity": "example.org"},
    ],
    ids=str,
)
def test_a_sender_that_ses_would_reject_is_rejected_before(context: dict[str, str]) -> None:
    with pytest.raises(ChoiceError, match="mail_"):
        from_context(context.get)
