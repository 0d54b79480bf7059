"""Signing up and confirming: what is promised, who learns what, and what survives a failure."""

import json
import time
from typing import Any

import pytest

from functions.accounts.identity import Identity
from functions.shared.plans import PLANS, TRIAL
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from tests.integration.accounts.faults import failing, silent
from tests.unit.accounts.public_routes import OTHER_PASSWORD, PASSWORD, World, new_email, wrong


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
        ("email", "no-address"),
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


def test_a_race_of_two_sign_ups_is_tried_again_by_the_sender(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_email()
    here.sign_up(email)
    monkeypatch.setattr(Identity, "remove", lambda *_: None)
    assert here.sign_up(email).refused == (503, "try_again")
