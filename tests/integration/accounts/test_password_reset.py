"""A forgotten password: set anew by a mailed code, finished after a failure, and the end of old sessions."""

import time
from typing import Any

import pytest

from functions.shared.accounts import session_ends
from functions.shared.tables.store_errors import StoreUnavailableError
from tests.integration.accounts.faults import failing, silent
from tests.unit.accounts.public_routes import OTHER_PASSWORD, PASSWORD, World, new_address, new_email, wrong


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
    monkeypatch.setattr(session_ends, "UNDERWAY_SECONDS", -10)
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
    monkeypatch.setattr(session_ends, "UNDERWAY_SECONDS", -10)
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


def test_a_forgotten_password_does_not_reveal_who_exists(here: World) -> None:
    unconfirmed = new_email()
    here.sign_up(unconfirmed)
    answers = [
        here.ask("/v1/password/forgot", {"email": each}) for each in (here.joined(), unconfirmed, new_email())
    ]
    assert answers[0] == answers[1] == answers[2]
