"""The secret of the client at Cognito: without it no one bypasses our counters, and nothing reveals it."""

import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.accounts.identity import Identity
from functions.accounts.identity_errors import IdentityUnavailableError
from functions.shared.secret_text import SecretText
from tests.integration.accounts.faults import silent
from tests.unit.accounts.public_routes import OTHER_PASSWORD, PASSWORD, World, new_email

DOORS: dict[str, dict[str, Any]] = {
    "sign_up": {"Password": PASSWORD},
    "confirm_sign_up": {"ConfirmationCode": "123456"},
    "resend_confirmation_code": {},
    "forgot_password": {},
    "confirm_forgot_password": {"ConfirmationCode": "123456", "Password": PASSWORD},
}


@pytest.mark.parametrize("shown", [{}, {"SecretHash": "AAAA"}, {"SecretHash": "of another"}])
@pytest.mark.parametrize("door", DOORS)
def test_the_clients_public_id_does_not_bypass_our_counters(
    here: World, door: str, shown: dict[str, str]
) -> None:
    joined = here.joined()
    if "SecretHash" in shown and shown["SecretHash"] == "of another":
        shown = {"SecretHash": here.authentication.identity._secret.hash_for(here.joined())}
    before = here.mails(joined)
    for email in (joined, new_email()):
        with pytest.raises(ClientError, match=r"NotAuthorizedException.*Unable to verify secret hash"):
            getattr(here.clients["cognito-idp"], door)(
                ClientId=here.client_id, Username=email, **DOORS[door], **shown
            )
    assert here.mails(joined) == before
    assert here.log_in(joined).status == 200


def test_a_stolen_token_cannot_be_refreshed_at_cognito(here: World) -> None:
    cognito, email = here.clients["cognito-idp"], here.joined()
    token = here.log_in(email).body["refresh_token"]
    by_email = here.authentication.identity._secret.hash_for(email)
    for shown in ({}, {"SECRET_HASH": "AAAA"}, {"SECRET_HASH": by_email}):
        with pytest.raises(ClientError, match="Unable to verify secret hash"):
            cognito.initiate_auth(
                ClientId=here.client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": token, **shown},
            )
    for secret in ({}, {"ClientSecret": "A" * 40}):
        with pytest.raises(ClientError, match="Unable to verify secret hash"):
            cognito.get_tokens_from_refresh_token(ClientId=here.client_id, RefreshToken=token, **secret)
    assert here.ask("/v1/login", {"refresh_token": token}).status == 200


def test_the_secret_is_read_once_and_a_failure_to_read_it_is_not_kept(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cognito, email = here.clients["cognito-idp"], here.joined()
    reads: list[Any] = []
    read = cognito.describe_user_pool_client
    identity = Identity(here.pool, here.client_id, cognito)
    with pytest.MonkeyPatch.context() as down:
        down.setattr(cognito, "describe_user_pool_client", silent)
        for ask in (
            lambda: identity.log_in(email, SecretText(PASSWORD)),
            lambda: identity.refresh(SecretText("a.b")),
        ):
            with pytest.raises(IdentityUnavailableError):
                ask()
    monkeypatch.setattr(
        cognito, "describe_user_pool_client", lambda **asked: reads.append(asked) or read(**asked)
    )
    for _ in range(3):
        tokens = identity.log_in(email, SecretText(PASSWORD))
        assert tokens.refresh
        identity.refresh(tokens.refresh)
    assert len(reads) == 1


def test_a_client_without_a_secret_is_not_spoken_for(here: World) -> None:
    cognito = here.clients["cognito-idp"]
    made = cognito.create_user_pool_client(UserPoolId=here.pool, ClientName="bare", GenerateSecret=False)
    identity = Identity(here.pool, made["UserPoolClient"]["ClientId"], cognito)
    with pytest.raises(IdentityUnavailableError):
        identity.sign_up(new_email(), SecretText(PASSWORD))


def test_the_clients_secret_is_in_no_log_answer_error_or_repr(
    here: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret, its hashes, and what an attacker would look for first: the environment."""
    cognito, email = here.clients["cognito-idp"], here.joined()
    secret = here.authentication.identity._secret.secret().reveal()
    hashed = here.authentication.identity._secret.hash_for(email)
    refresh = here.log_in(email).body["refresh_token"]
    faults: list[BaseException] = []

    def unwilling(**asked: Any) -> None:
        raise ClientError({"Error": {"Code": "NotAuthorizedException", "Message": str(asked)}}, "Any")

    def broken(**asked: Any) -> None:
        raise TypeError(str(asked))

    reported = ""
    operations = (*DOORS, "admin_initiate_auth", "get_tokens_from_refresh_token")
    for failure in (unwilling, broken, silent):
        for operation in operations:
            monkeypatch.setattr(cognito, operation, failure)
        reported += repr([here.sign_up(new_email()), here.log_in(email)])
        reported += repr(here.ask("/v1/login", {"refresh_token": refresh}))
        reported += repr(here.ask("/v1/password/reset", {**DOOR_BODY, "email": email}))
        reported += repr(here.ask("/v1/password/forgot", {"email": email}))
        try:
            here.authentication.identity.refresh(SecretText(refresh))
        except Exception as fault:  # noqa: BLE001 - whatever it is
            faults.append(fault)
    for fault in faults:
        if not isinstance(fault, TypeError):
            reported += repr(fault) + repr(fault.__context__) + repr(fault.__cause__)
    reported += (
        repr(here.authentication) + repr(vars(here.authentication.identity._secret)) + repr(dict(os.environ))
    )
    reported += "".join(capfd.readouterr())
    assert len(faults) == 3
    assert "unexpected_error" in reported
    assert secret not in reported
    assert hashed not in reported


DOOR_BODY = {"code": "123456", "password": OTHER_PASSWORD}
