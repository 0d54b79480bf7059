"""Signing up, confirming, signing in: what is promised, who learns what, and what survives a failure."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.accounts import forms, sign_in
from functions.accounts.identity import Identity, IdentityUnavailableError, WrongPasswordError
from functions.accounts.sign_in import SignInService, answer_to
from functions.shared.accounts import session_check
from functions.shared.errors import HttpError
from functions.shared.plans import PLANS, TRIAL
from functions.shared.secret_text import SecretText
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from tests.unit.accounts.public_routes import PASSWORD, World, new_address, new_email, world, wrong

OTHER_PASSWORD = "another-long-password"


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world() as built:
        yield built


def failing(here: World, part: str, method: str, fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise fault

    monkeypatch.setattr(type(getattr(here.authentication, part)), method, fail)


def silent(**_: Any) -> None:
    """A service that cannot be reached."""
    raise EndpointConnectionError(endpoint_url="")


def test_two_people_sign_up_confirm_and_sign_in_each_to_an_account_of_their_own(here: World) -> None:
    tenants, subjects = set(), set()
    for email in (new_email(), new_email()):
        assert here.sign_up(email).body == {"status": "confirmation_sent"}
        confirmed = here.confirm(email)
        signed_in = here.log_in(email)
        claims = here.verifier.verify(signed_in.body["access_token"])
        person = here.authentication.people.get(claims.subject, time.time())
        assert confirmed.body == {"status": "confirmed", "tenant_id": person.tenant if person else None}
        assert signed_in.body.keys() == {"access_token", "refresh_token", "expires_in", "token_type"}
        assert (signed_in.body["expires_in"], signed_in.body["token_type"]) == (3600, "Bearer")
        assert signed_in.headers["cache-control"] == "no-store"
        tenants.add(confirmed.body["tenant_id"])
        subjects.add(claims.subject)
    assert len(tenants) == len(subjects) == 2
    assert all(TenantId(tenant).startswith("t") for tenant in tenants)


def test_an_account_starts_as_a_trial_and_belongs_to_its_person(here: World) -> None:
    email = new_email()
    here.sign_up(email, name=" Ada Lovelace ", marketing_opt_in=True)
    tenant = TenantId(here.confirm(email).body["tenant_id"])
    account = here.authentication.directory.account(tenant)
    known = here.authentication.identity.find(email)
    assert account
    assert known
    person = here.authentication.people.get(known.subject, time.time())
    assert person
    assert (account.account_status.plan, account.account_status.retention_days) == (
        TRIAL,
        PLANS[TRIAL].retention_days,
    )
    assert account.owner == person.subject
    assert (person.name, person.email, person.marketing_opt_in) == ("Ada Lovelace", email, True)
    assert person.terms_accepted_at.startswith("20")
    assert (person.state, person.forget_at, person.proof) == ("confirmed", None, None)


def test_an_unconfirmed_sign_up_is_deleted_after_a_week(here: World) -> None:
    email = new_email()
    here.sign_up(email)
    known = here.authentication.identity.find(email)
    assert known
    now = time.time()
    person = here.authentication.people.get(known.subject, now)
    assert person
    assert person.forget_at == pytest.approx(now + 7 * 86_400, abs=60)
    assert here.authentication.people.get(known.subject, now + 7 * 86_400 + 60) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "  "),
        ("name", 7),
        ("name", "a\x00b"),
        ("name", "x" * 201),
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "a b@example.com"),
        ("email", "x" * 120 + "@example.com"),
        ("email", None),
        ("password", "short"),
        ("password", "x" * 257),
        ("password", "with a space in it"),
        ("password", 123456789012),
        ("accept_terms", False),
        ("accept_terms", "yes"),
        ("marketing_opt_in", 1),
    ],
)
def test_a_bad_field_is_named(here: World, field: str, value: Any) -> None:
    refused = here.sign_up(**{"email": new_email(), field: value})
    assert refused.refused == (400, f"invalid_{field}")
    assert f"'{field}'" in refused.body["error"]
    assert not isinstance(value, str) or len(value) < 5 or value not in json.dumps(refused.body)


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


def test_an_address_with_an_account_gets_the_same_answer_and_its_owner_a_mail(here: World) -> None:
    email = here.joined()
    before = here.mails(email)
    again = here.sign_up(email.upper(), OTHER_PASSWORD)
    new = here.sign_up(new_email())
    assert again == new
    (notice,) = here.mails(email)[len(before) :]
    assert "already have an account" in notice["text"]
    assert here.log_in(email).status == 200
    assert here.log_in(email, OTHER_PASSWORD).status == 401


def test_a_mail_that_cannot_be_sent_is_not_revealed(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    email = here.joined()
    monkeypatch.setattr(here.clients["sesv2"], "send_email", silent)
    assert here.sign_up(email).body == {"status": "confirmation_sent"}


def test_a_strangers_unconfirmed_sign_up_gives_way_to_the_owners(here: World) -> None:
    email = new_email()
    here.sign_up(email, "the-strangers-password", name="Stranger")
    strangers_code = here.code(email)
    here.sign_up(email, PASSWORD, name="Owner")
    assert here.confirm(email, strangers_code).refused == (400, "invalid_code")
    assert here.confirm(email).status == 200
    assert here.log_in(email, "the-strangers-password").refused == (401, "invalid_login")
    assert here.log_in(email).status == 200
    assert [item["name"]["S"] for item in here.items("people") if item["email"]["S"] == email] == ["Owner"]


def test_a_stranger_who_signs_up_last_does_not_get_the_owners_confirmation(here: World) -> None:
    """The newest code is in the owner's inbox, and it is the stranger's sign-up that it belongs to."""
    email = new_email()
    here.sign_up(email, PASSWORD, name="Owner")
    here.sign_up(email, "the-strangers-password", name="Stranger")

    assert here.confirm(email).refused == (400, "invalid_code")
    assert here.log_in(email, "the-strangers-password").refused == (403, "unconfirmed")
    here.sign_up(email, PASSWORD, name="Owner")
    assert here.confirm(email).status == 200
    assert here.log_in(email).status == 200
    assert here.log_in(email, "the-strangers-password").refused == (401, "invalid_login")


def test_a_wrong_code_is_rejected_for_any_address(here: World) -> None:
    email, confirmed = new_email(), here.joined()
    here.sign_up(email)
    answers = [here.confirm(each, wrong(here.code(email))) for each in (email, confirmed, new_email())]
    assert [each.refused for each in answers] == [(400, "invalid_code")] * 3
    assert len({json.dumps(each.body) for each in answers}) == 1


def test_the_same_code_again_gets_the_same_answer_and_another_does_not(here: World) -> None:
    email = new_email()
    here.sign_up(email)
    code = here.code(email)
    first, second = here.confirm(email, code), here.confirm(email, code)
    assert first == second
    assert here.confirm(email, wrong(code)).refused == (400, "invalid_code")


def test_a_new_code_is_sent_on_demand_and_replaces_the_old_one(here: World) -> None:
    email = new_email()
    here.sign_up(email)
    old = here.code(email)
    for each in (email, here.joined(), new_email()):
        assert here.ask("/v1/signup/resend", {"email": each}).body == {"status": "confirmation_sent"}
    assert len(here.mails(email)) == 2
    if old != here.code(email):
        assert here.confirm(email, old).refused == (400, "invalid_code")
    assert here.confirm(email).status == 200


@pytest.mark.parametrize(("part", "method"), [("directory", "put_account"), ("people", "confirm")])
@pytest.mark.parametrize("by", ["confirm", "log_in"])
def test_a_confirmation_that_failed_half_way_is_completed_by_what_comes_next(
    here: World, part: str, method: str, by: str
) -> None:
    email = new_email()
    here.sign_up(email)
    code = here.code(email)
    with pytest.MonkeyPatch.context() as monkeypatch:
        failing(here, part, method, StoreUnavailableError("down"), monkeypatch)
        assert here.confirm(email, code).refused == (503, "try_again")
        assert here.log_in(email).refused == (503, "try_again")
    assert here.confirm(email, wrong(code)).refused == (400, "invalid_code")
    completed = here.confirm(email, code) if by == "confirm" else here.log_in(email)
    assert completed.status == 200
    tenant = here.confirm(email, code).body["tenant_id"]
    assert here.authentication.directory.account(TenantId(tenant))
    assert here.log_in(email).status == 200


def test_a_sign_up_whose_writing_failed_can_be_sent_again(here: World) -> None:
    email = new_email()
    with pytest.MonkeyPatch.context() as monkeypatch:
        failing(here, "people", "put", StoreUnavailableError("down"), monkeypatch)
        assert here.sign_up(email).refused == (503, "try_again")
    assert here.confirm(email).refused == (400, "invalid_code"), "the terms are not accepted"
    assert here.sign_up(email).status == 202
    assert here.confirm(email).status == 200


def test_every_failed_sign_in_gets_the_same_answer(here: World) -> None:
    unconfirmed = new_email()
    here.sign_up(unconfirmed)
    answers = [
        here.log_in(here.joined(), "not-the-password"),
        here.log_in(new_email(), "not-the-password"),
        here.log_in(unconfirmed, "not-the-password"),
        here.log_in(here.joined(), "x"),
        here.ask("/v1/login", {"refresh_token": "not.a-token"}),
    ]
    assert [each.refused for each in answers] == [(401, "invalid_login")] * 5
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


def reset_form(here: World, email: str) -> dict[str, str]:
    here.ask("/v1/password/forgot", {"email": email})
    return {"email": email, "code": here.code(email), "password": OTHER_PASSWORD}


def open_resets(here: World, email: str) -> list[str]:
    (item,) = (each for each in here.items("people") if each["email"]["S"] == email)
    return item.get("owed", {}).get("SS", [])


def half_a_reset(here: World, email: str, step: str) -> dict[str, str]:
    """A reset whose code was taken and that failed then."""
    form = reset_form(here, email)
    with pytest.MonkeyPatch.context() as monkeypatch:
        match step:
            case "sessions":
                monkeypatch.setattr(here.clients["cognito-idp"], "admin_user_global_sign_out", silent)
            case "audit":
                failing(here, "audit", "append", StoreUnavailableError("down"), monkeypatch)
            case "settling":
                failing(here, "people", "clear_resets", StoreUnavailableError("down"), monkeypatch)
            case "the answer":
                take = here.clients["cognito-idp"].confirm_forgot_password

                def unheard(**asked: Any) -> None:
                    take(**asked)
                    silent()

                monkeypatch.setattr(here.clients["cognito-idp"], "confirm_forgot_password", unheard)
        assert here.ask("/v1/password/reset", form).refused == (503, "try_again")
    return form


STEPS = ("sessions", "audit", "settling", "the answer")


@pytest.mark.parametrize("step", STEPS)
def test_a_reset_that_failed_half_way_is_finished_by_the_same_request(here: World, step: str) -> None:
    email, other = here.joined(), here.joined()
    old, others = (here.log_in(each).body["refresh_token"] for each in (email, other))
    form = half_a_reset(here, email, step)
    # The old session continues, for a minute, only where it is unknown whether the password was set.
    assert here.ask("/v1/login", {"refresh_token": old}).status == (200 if step == "the answer" else 401)
    wrong_password = {**form, "password": "not-the-new-password"}
    assert here.ask("/v1/password/reset", wrong_password).refused == (400, "invalid_code")
    assert here.ask("/v1/password/reset", form).body == {"status": "password_changed"}
    assert here.ask("/v1/login", {"refresh_token": old}).refused == (401, "invalid_login")
    assert open_resets(here, email) == []
    assert here.ask("/v1/password/reset", form).refused == (400, "invalid_code"), "there is nothing to finish"
    signed_in = here.log_in(email, OTHER_PASSWORD).body
    assert here.ask("/v1/login", {"refresh_token": signed_in["refresh_token"]}).status == 200
    assert here.ask("/v1/login", {"refresh_token": others}).status == 200


@pytest.mark.parametrize("step", STEPS)
def test_a_reset_that_failed_half_way_is_finished_by_signing_in(here: World, step: str) -> None:
    email = here.joined()
    old = here.log_in(email).body["refresh_token"]
    half_a_reset(here, email, step)
    signed_in = here.log_in(email, OTHER_PASSWORD)
    assert signed_in.status == 200
    assert here.ask("/v1/login", {"refresh_token": old}).refused == (401, "invalid_login")
    assert here.ask("/v1/login", {"refresh_token": signed_in.body["refresh_token"]}).status == 200
    assert open_resets(here, email) == []


def test_sign_in_fails_while_old_sessions_cannot_be_ended(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = here.joined()
    half_a_reset(here, email, "sessions")
    monkeypatch.setattr(here.clients["cognito-idp"], "admin_user_global_sign_out", silent)
    assert here.log_in(email, OTHER_PASSWORD).refused == (503, "try_again")
    assert len(open_resets(here, email)) == 1


def test_an_old_session_ends_at_its_own_refresh_without_a_new_sign_in(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = here.joined()
    old = here.log_in(email).body["refresh_token"]
    half_a_reset(here, email, "sessions")
    monkeypatch.setattr(session_check, "UNDERWAY_SECONDS", -10)
    for _ in range(2):
        assert here.ask("/v1/login", {"refresh_token": old}).refused == (401, "invalid_login")
    assert open_resets(here, email) == []
    tenant = here.authentication.people.get(
        here.authentication.identity.find(email).subject, time.time()
    ).tenant  # type: ignore[union-attr]
    assert "sessions.ended" in [each["action"] for each in here.authentication.audit.page(tenant, 10).entries]


def test_wrong_codes_end_nobodys_sessions(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    email = here.joined()
    old = here.log_in(email).body["refresh_token"]
    monkeypatch.setattr(session_check, "UNDERWAY_SECONDS", -10)
    form = reset_form(here, email)
    for _ in range(3):
        refused = here.ask("/v1/password/reset", {**form, "code": wrong(form["code"]), "password": PASSWORD})
        assert refused.refused == (400, "invalid_code"), "also with the password that is good already"
    assert open_resets(here, email) == []
    assert here.ask("/v1/login", {"refresh_token": old}).status == 200


def test_finishing_a_reset_is_no_way_to_guess_passwords(here: World) -> None:
    email, attacker = here.joined(), new_address()
    form = half_a_reset(here, email, "sessions")
    for number in range(10):
        guess = {**form, "password": f"guess-number-{number}"}
        assert here.ask("/v1/password/reset", guess, attacker).refused == (400, "invalid_code")
    assert here.ask("/v1/password/reset", form, attacker).refused == (429, "too_many_attempts")
    assert here.log_in(email, OTHER_PASSWORD, attacker).refused == (429, "too_many_attempts")
    assert here.ask("/v1/password/reset", form).status == 200


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


@pytest.mark.parametrize(
    "email",
    [
        "ada\u212a@example.com",
        "\u0430da@example.com",
        "ada@ex\u00e4mple.com",
        "ada@\u2024com",
        "ada@example\u3002com",
        "\uff41da@example.com",
    ],
)
def test_an_address_that_only_looks_like_one_is_none(here: World, email: str) -> None:
    """A Kelvin sign lowers to k, a full stop can be ideographic, a letter Cyrillic or of full width."""
    assert here.sign_up(email).refused == (400, "invalid_email")
    assert here.log_in(email).refused == (400, "invalid_email")


def test_a_plus_makes_another_address_and_case_and_spaces_do_not(here: World) -> None:
    email = here.joined()
    assert here.log_in(f" {email.upper()} ").status == 200
    assert here.log_in(email.replace("@", "+1@")).refused == (401, "invalid_login")


def test_a_field_that_comes_twice_is_read_once(here: World) -> None:
    """The address that is counted, tried and reported is the same: the last."""
    email, attacker = here.joined(), new_address()
    for _ in range(10):
        body = f'{{"email": "{new_email()}", "email": "{email}", "password": "not-the-password"}}'
        assert here.ask("/v1/login", body, attacker).status == 401
    assert here.log_in(email, address=attacker).refused == (429, "too_many_attempts")


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:1:2::{number:x}" for number in range(12)],
        ["192.0.2.77", "::ffff:192.0.2.77"] * 6,
    ],
    ids=["one subscriber's IPv6", "IPv4 in two spellings"],
)
def test_more_addresses_give_no_more_tries(here: World, addresses: list[str]) -> None:
    email = here.joined()
    answers = [here.log_in(email, "not-the-password", each).status for each in addresses]
    assert answers == [401] * 10 + [429] * 2
    assert here.log_in(email, address="2001:db8:1:3::1").status == 200


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


def test_a_forgotten_password_is_set_anew_with_a_mailed_code_and_ends_every_session(here: World) -> None:
    email, other = here.joined(), here.joined()
    old = here.log_in(email).body["refresh_token"]
    others = here.log_in(other).body["refresh_token"]
    assert here.ask("/v1/password/forgot", {"email": email}).body == {"status": "code_sent"}
    form = {"email": email, "code": here.code(email), "password": OTHER_PASSWORD}
    assert here.ask("/v1/password/reset", {**form, "code": wrong(form["code"])}).refused == (
        400,
        "invalid_code",
    )
    assert here.ask("/v1/password/reset", {**form, "password": "short"}).refused == (400, "invalid_password")
    assert here.ask("/v1/password/reset", {**form, "email": other}).refused == (400, "invalid_code")
    assert here.ask("/v1/password/reset", form).status == 200
    assert here.ask("/v1/password/reset", form).refused == (400, "invalid_code")
    assert here.log_in(email, PASSWORD).status == 401
    assert here.log_in(email, OTHER_PASSWORD).status == 200
    assert here.ask("/v1/login", {"refresh_token": old}).refused == (401, "invalid_login")
    assert here.ask("/v1/login", {"refresh_token": others}).status == 200
    assert here.log_in(other, PASSWORD).status == 200


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


def test_a_forgotten_password_does_not_reveal_who_exists(here: World) -> None:
    unconfirmed = new_email()
    here.sign_up(unconfirmed)
    answers = [
        here.ask("/v1/password/forgot", {"email": each}) for each in (here.joined(), unconfirmed, new_email())
    ]
    assert answers[0] == answers[1] == answers[2]


def test_eleven_wrong_passwords_stop_one_address_and_not_the_owner(here: World) -> None:
    email, attacker, usual = here.joined(), new_address(), new_address()
    assert here.log_in(email, address=usual).status == 200
    for _ in range(10):
        assert here.log_in(email, "not-the-password", attacker).status == 401
    stopped = here.log_in(email, PASSWORD, attacker)
    assert stopped.refused == (429, "too_many_attempts")
    assert 0 < int(stopped.headers["retry-after"]) <= 900
    assert here.log_in(email, address=usual).status == 200


def test_guessing_codes_stops_too(here: World) -> None:
    email, attacker = new_email(), new_address()
    here.sign_up(email)
    code = here.code(email)
    for _ in range(10):
        guess = {"email": email, "code": wrong(code), "password": PASSWORD}
        assert here.ask("/v1/signup/confirm", guess, attacker).refused == (400, "invalid_code")
    for route in ("/v1/signup/confirm", "/v1/password/reset"):
        form = {"email": email, "code": code, "password": OTHER_PASSWORD}
        assert here.ask(route, form, attacker).refused == (429, "too_many_attempts")
    assert here.confirm(email, code).status == 200


def test_one_inbox_is_not_flooded(here: World) -> None:
    email, attacker = here.joined(), new_address()
    answers = [here.ask("/v1/password/forgot", {"email": email}, attacker).status for _ in range(12)]
    assert answers == [202] * 10 + [429] * 2


def test_without_counting_no_password_is_tried(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    email = here.joined()
    monkeypatch.setattr(here.clients["dynamodb"], "update_item", silent)
    refused = here.log_in(email)
    assert refused.refused == (503, "try_again")
    assert refused.headers["retry-after"] == "2"


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


def test_a_rejection_that_could_reveal_an_account_waits_and_success_does_not(here: World) -> None:
    email = here.joined()
    service = SignInService(here.authentication, min_response_seconds=0.4)

    def seconds(route: str, body: dict[str, Any]) -> float:
        event = {
            "routeKey": f"POST {route}",
            "body": json.dumps(body),
            "requestContext": {"requestId": "r", "http": {"method": "POST", "sourceIp": new_address()}},
        }
        began = time.monotonic()
        with suppress(HttpError):
            answer_to(event, service)
        return time.monotonic() - began

    slow = [
        seconds("/v1/login", {"email": email, "password": "not-the-password"}),
        seconds("/v1/login", {"email": new_email(), "password": "not-the-password"}),
        seconds("/v1/signup/confirm", {"email": new_email(), "code": "123456", "password": PASSWORD}),
        seconds("/v1/password/forgot", {"email": new_email()}),
    ]
    assert all(0.4 <= each < 0.8 for each in slow)
    assert seconds("/v1/login", {"email": email, "password": PASSWORD}) < 0.4
    assert seconds("/v1/login", {"email": "no address"}) < 0.4


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


def test_a_race_of_two_sign_ups_is_tried_again_by_the_sender(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_email()
    here.sign_up(email)
    monkeypatch.setattr(Identity, "remove", lambda *_: None)
    assert here.sign_up(email).refused == (503, "try_again")
