"""Signing in: what is promised, who learns what, and what survives a failure."""

import json
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from functions.accounts import forms, sign_in
from functions.accounts.identity import Identity
from functions.accounts.identity_errors import WrongPasswordError
from functions.accounts.sign_in import SignInService, answer_to
from functions.shared.errors import HttpError
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from tests.integration.accounts.faults import silent
from tests.unit.accounts.public_routes import OTHER_PASSWORD, PASSWORD, World, new_address, new_email


@pytest.mark.parametrize("route", [route.removeprefix("POST ") for route in sign_in.ROUTES])
def test_an_empty_body_is_answered_with_the_fields_that_it_needs(here: World, route: str) -> None:
    refused = here.ask(route, "")
    assert refused.status == 400
    assert refused.body["missing"]
    assert all(f"'{name}'" in refused.body["error"] for name in refused.body["missing"])


@pytest.mark.parametrize("body", ["nonsense", "[]", '"text"', "[" * 5000, '{"a":'])
@pytest.mark.parametrize("route", [route.removeprefix("POST ") for route in sign_in.ROUTES])
def test_what_is_no_json_object_is_refused(here: World, route: str, body: str) -> None:
    assert here.ask(route, body).refused == (400, "invalid_body")


def test_every_failed_sign_in_with_a_password_gets_the_same_answer(here: World) -> None:
    unconfirmed = new_email()
    here.sign_up(unconfirmed)
    answers = [
        here.log_in(here.joined(), "not-the-password"),
        here.log_in(new_email(), "not-the-password"),
        here.log_in(unconfirmed, "not-the-password"),
        here.log_in(here.joined(), "x"),
    ]
    assert [each.refused for each in answers] == [(401, "invalid_login")] * 4
    assert len({json.dumps(each.body) for each in answers}) == 1


def test_the_right_password_before_confirming_says_so(here: World) -> None:
    email = new_email()
    here.sign_up(email)
    assert here.log_in(email).refused == (403, "unconfirmed")


def test_a_provider_that_looks_at_the_password_first_makes_no_difference(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in = Identity.log_in

    def strict(identity: Identity, email: str, password: SecretText) -> Any:
        if password.reveal() != PASSWORD:
            raise WrongPasswordError("wrong")
        return log_in(identity, email, password)

    monkeypatch.setattr(Identity, "log_in", strict)
    email = new_email()
    here.sign_up(email)
    assert here.log_in(email, "not-the-password").refused == (401, "invalid_login")
    assert here.log_in(email).refused == (403, "unconfirmed")


def test_a_refresh_token_brings_a_fresh_access_token_for_the_same_person(here: World) -> None:
    first, second = (here.log_in(here.joined()).body for _ in range(2))
    for signed_in in (first, second):
        fresh = here.ask("/v1/login", {"refresh_token": signed_in["refresh_token"]})
        assert fresh.body["access_token"] != signed_in["access_token"]
        assert fresh.body["refresh_token"] == signed_in["refresh_token"]
        old, new = (here.verifier.verify(each["access_token"]) for each in (signed_in, fresh.body))
        assert old.subject == new.subject


def test_an_identity_made_around_us_opens_no_account(here: World) -> None:
    """Should the secret be lost: without terms accepted nothing comes of an identity."""
    email = new_email()
    here.authentication.identity.sign_up(email, SecretText(PASSWORD))
    here.authentication.identity.confirm(email, SecretText(here.code(email)))
    assert here.log_in(email).refused == (403, "no_account")
    here.ask("/v1/password/forgot", {"email": email})
    form = {"email": email, "code": here.code(email), "password": OTHER_PASSWORD}
    assert here.ask("/v1/password/reset", form).refused == (403, "no_account")


def test_who_has_lost_their_person_refreshes_nothing(here: World) -> None:
    email, other = here.joined(), here.joined()
    mine, others = (here.log_in(each).body["refresh_token"] for each in (email, other))
    known = here.authentication.identity.find(email)
    assert known
    here.clients["dynamodb"].delete_item(TableName="people", Key={"subject": {"S": known.subject}})
    assert here.ask("/v1/login", {"refresh_token": mine}).refused == (401, "invalid_login")
    assert here.log_in(email).refused == (403, "no_account")
    assert here.ask("/v1/login", {"refresh_token": others}).status == 200


def test_a_person_whose_account_is_gone_does_not_sign_in(here: World) -> None:
    email, other = new_email(), here.joined()
    here.sign_up(email)
    tenant = here.confirm(email).body["tenant_id"]
    here.clients["dynamodb"].delete_item(TableName="accounts", Key={"tenant_id": {"S": tenant}})
    assert here.log_in(email).refused == (403, "no_account")
    assert here.log_in(other).status == 200


def test_an_address_changed_around_us_is_ours_too_once_its_person_signs_in(here: World) -> None:
    email, new, other = here.joined(), new_email(), here.joined()
    access = SecretText(here.log_in(email).body["access_token"])
    here.authentication.identity.change_email(access, new)
    here.authentication.identity.confirm_email(access, SecretText(here.code(new)))
    assert here.log_in(new).status == 200
    known = here.authentication.identity.find(new)
    assert known
    person = here.authentication.people.get(known.subject, time.time())
    assert person
    assert person.email == new
    assert "account.email_changed" in [
        each["action"] for each in here.authentication.audit.page(person.tenant, 10).entries
    ]
    assert [each for each in here.items("people") if each["email"]["S"] == other]


def test_a_sign_in_succeeds_although_its_address_could_not_be_compared(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, new = here.joined(), new_email()
    access = SecretText(here.log_in(email).body["access_token"])
    here.authentication.identity.change_email(access, new)
    here.authentication.identity.confirm_email(access, SecretText(here.code(new)))
    monkeypatch.setattr(here.clients["cognito-idp"], "get_user", silent)
    assert here.log_in(new).status == 200


def test_a_plus_makes_another_address_and_case_and_spaces_do_not(here: World) -> None:
    email = here.joined()
    assert here.log_in(f" {email.upper()} ").status == 200
    assert here.log_in(email.replace("@", "+1@")).refused == (401, "invalid_login")


def test_what_is_done_before_signing_in_is_in_the_audit_trail_of_its_account_alone(here: World) -> None:
    email, other = new_email(), here.joined()
    here.sign_up(email)
    tenant = TenantId(here.confirm(email).body["tenant_id"])
    here.ask("/v1/password/forgot", {"email": email})
    form = {"email": email, "code": here.code(email), "password": OTHER_PASSWORD}
    address = new_address()
    assert here.ask("/v1/password/reset", form, address).status == 200

    reset, opened = here.authentication.audit.page(tenant, 10, None).entries
    assert (reset["action"], reset["from"]) == ("password.reset", address)
    assert opened["action"] == "account.opened"
    assert reset["actor"] == opened["actor"] == f"person:{here.authentication.identity.find(email).subject}"
    assert email not in json.dumps([reset, opened])
    assert other not in json.dumps([reset, opened])


def test_a_silent_provider_is_503(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here.clients["cognito-idp"], "admin_initiate_auth", silent)
    assert here.log_in(new_email()).refused == (503, "try_again")


def test_no_secret_is_in_a_log_an_answer_or_an_error(
    here: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_email()
    here.sign_up(email)
    code = here.code(email)
    here.confirm(email, code)
    tokens = here.log_in(email).body
    faults: list[BaseException] = []
    log_in = Identity.log_in

    def watched(identity: Identity, address: str, password: SecretText) -> Any:
        try:
            return log_in(identity, address, password)
        except Exception as fault:
            faults.append(fault)
            raise

    monkeypatch.setattr(Identity, "log_in", watched)
    refused = here.log_in(email, PASSWORD + "-wrong")
    monkeypatch.setattr(here.clients["cognito-idp"], "admin_initiate_auth", None)
    refused_again = here.log_in(email)
    reported = "".join(capfd.readouterr()) + json.dumps([refused.body, refused_again.body])
    for fault in faults:
        reported += repr(fault) + repr(fault.__context__) + repr(fault.__cause__)
    form = forms.log_in(json.dumps({"email": email, "password": PASSWORD}).encode())
    reported += repr(form) + repr(forms.log_in(json.dumps({"refresh_token": "abc.def"}).encode()))
    assert len(faults) == 2
    assert refused_again.status == 500
    for secret in (PASSWORD, code, tokens["access_token"], tokens["refresh_token"], email, "abc.def"):
        assert secret not in reported


def test_a_rejection_that_could_reveal_an_account_waits_and_success_does_not(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for what is left of the least duration, and nothing else waits at all."""
    email, pauses = here.joined(), list[float]()
    clock = SimpleNamespace(time=time.time, monotonic=time.monotonic, sleep=pauses.append)
    monkeypatch.setattr(sign_in, "time", clock)
    service = SignInService(here.authentication, min_response_seconds=600)

    def pauses_of(route: str, body: dict[str, Any]) -> list[float]:
        event = {
            "routeKey": f"POST {route}",
            "body": json.dumps(body),
            "requestContext": {"requestId": "r", "http": {"method": "POST", "sourceIp": new_address()}},
        }
        pauses.clear()
        with suppress(HttpError):
            answer_to(event, service)
        return list(pauses)

    for route, body in (
        ("/v1/login", {"email": email, "password": "not-the-password"}),
        ("/v1/login", {"email": new_email(), "password": "not-the-password"}),
        ("/v1/signup/confirm", {"email": new_email(), "code": "123456", "password": PASSWORD}),
        ("/v1/password/forgot", {"email": new_email()}),
    ):
        (pause,) = pauses_of(route, body)
        assert 500 < pause < 600, "not the whole: what the request took is part of it"
    assert pauses_of("/v1/login", {"email": email, "password": PASSWORD}) == []
    assert pauses_of("/v1/login", {"email": "no address"}) == []


def test_the_handler_is_wired_from_the_environment_alone(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "AWS_ENDPOINT_URL": here.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "ASTRALOG_IDENTITY_POOL": here.pool,
        "ASTRALOG_IDENTITY_CLIENT": here.client_id,
        "ASTRALOG_PEOPLE_TABLE": "people",
        "ASTRALOG_ATTEMPTS_TABLE": "attempts",
        "ASTRALOG_ACCOUNTS_TABLE": "accounts",
        "ASTRALOG_KEYS_TABLE": "keys",
        "ASTRALOG_AUDIT_TABLE": "audit",
        "ASTRALOG_MAIL_FROM": "no-reply@astralog.example",
        "ASTRALOG_MAIL_SET": "notices",
        "ASTRALOG_MIN_RESPONSE_MS": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sign_in, "_service", sign_in._service.__wrapped__)
    event = {
        "routeKey": "POST /v1/login",
        "body": json.dumps({"email": here.joined(), "password": PASSWORD}),
        "requestContext": {"requestId": "r", "http": {"method": "POST", "sourceIp": new_address()}},
    }
    assert sign_in.handler(event, None)["statusCode"] == 200
