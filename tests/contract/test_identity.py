"""What functions.accounts.identity expects of Cognito.

The tests run against the local stack's Cognito. For a real pool, made as infra/user_pool.py makes it, only
`Provider` changes: its pool and client, and an inbox that the tests can read.
"""

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from bench.children import child
from functions.accounts.identity import Identity
from functions.accounts.identity_errors import (
    AddressTakenError,
    UnconfirmedError,
    WeakPasswordError,
    WrongCodeError,
    WrongPasswordError,
)
from functions.accounts.session_tokens import SessionTokens
from functions.accounts.tokens import AccessTokenVerifier, BadTokenError
from functions.shared.secret_text import SecretText
from local.user_pool import provision_identity
from tests.unit.accounts.public_routes import client, wrong

PASSWORD = SecretText("correct-horse-battery")
NEW_PASSWORD = SecretText("another-long-password")
MAIL_SECONDS = 10


@dataclass(frozen=True)
class Provider:
    """A pool, and what its people find in their inboxes."""

    identity: Identity
    verifier: AccessTokenVerifier
    endpoint: str

    def new_email(self) -> str:
        return f"{uuid4().hex}@example.com"

    def mails(self, email: str) -> list[str]:
        with urllib.request.urlopen(f"{self.endpoint}/_mail?to={email}", timeout=10) as answer:  # noqa: S310
            return [each["text"] for each in json.load(answer)]

    def code(self, email: str, nth: int = 1) -> SecretText:
        """The code in the nth mail to an address, once it is there."""
        deadline = time.monotonic() + MAIL_SECONDS
        while len(mails := self.mails(email)) < nth and time.monotonic() < deadline:
            time.sleep(0.1)
        return SecretText(re.findall(r"\b\d{6}\b", mails[nth - 1])[0])

    def joined(self) -> str:
        email = self.new_email()
        self.identity.sign_up(email, PASSWORD)
        self.identity.confirm(email, self.code(email))
        return email


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with child("local.aws") as aws:
        yield f"http://127.0.0.1:{aws.port}"


def provided(endpoint: str, pool_name: str) -> Provider:
    cognito = client("cognito-idp", endpoint)
    pool, client_id, issuer, keys_url = provision_identity(cognito, pool_name)
    return Provider(
        Identity(pool, client_id, cognito), AccessTokenVerifier(issuer, client_id, keys_url), endpoint
    )


@pytest.fixture(scope="module")
def here(endpoint: str) -> Provider:
    return provided(endpoint, "people")


@pytest.fixture(scope="module")
def elsewhere(endpoint: str) -> Provider:
    """Another pool of the same provider."""
    return provided(endpoint, "other-people")


def subject(here: Provider, tokens: SessionTokens) -> str:
    return here.verifier.verify(tokens.access.reveal()).subject


def test_two_people_sign_up_confirm_and_sign_in_as_themselves(here: Provider) -> None:
    subjects = []
    for email in (here.new_email(), here.new_email()):
        signed_up = here.identity.sign_up(email, PASSWORD)
        here.identity.confirm(email, here.code(email))
        tokens = here.identity.log_in(email, PASSWORD)
        assert signed_up == tokens.subject == subject(here, tokens)
        assert tokens.expires_in == 3600
        subjects.append(signed_up)
    assert len(set(subjects)) == 2


def test_an_address_is_taken_once_confirmed_or_not(here: Provider) -> None:
    email = here.new_email()
    here.identity.sign_up(email, PASSWORD)
    for _ in range(2):
        with pytest.raises(AddressTakenError):
            here.identity.sign_up(email, NEW_PASSWORD)
        known = here.identity.find(email)
        assert known
        if not known.confirmed:
            here.identity.confirm(email, here.code(email))
    assert here.identity.find(email).confirmed  # type: ignore[union-attr]
    here.identity.log_in(email, PASSWORD)


def test_an_unknown_address_has_no_user(here: Provider) -> None:
    assert here.identity.find(here.new_email()) is None


@pytest.mark.parametrize("password", ["elevenchars", "with spaces in it"])
def test_a_weak_password_is_rejected_and_creates_no_user(here: Provider, password: str) -> None:
    email = here.new_email()
    with pytest.raises(WeakPasswordError):
        here.identity.sign_up(email, SecretText(password))
    assert here.identity.find(email) is None


def test_a_wrong_code_confirms_no_user_and_leaves_the_right_code_valid(here: Provider) -> None:
    email = here.new_email()
    here.identity.sign_up(email, PASSWORD)
    code = here.code(email)
    with pytest.raises(WrongCodeError):
        here.identity.confirm(email, SecretText(wrong(code.reveal())))
    assert here.identity.find(email).confirmed is False  # type: ignore[union-attr]
    here.identity.confirm(email, code)


def test_a_code_is_good_once_and_for_its_own_address(here: Provider) -> None:
    first, second = here.new_email(), here.new_email()
    here.identity.sign_up(first, PASSWORD)
    here.identity.sign_up(second, PASSWORD)
    code = here.code(first)
    for email in (here.new_email(), *([second] if code != here.code(second) else [])):
        with pytest.raises(WrongCodeError):
            here.identity.confirm(email, code)
    here.identity.confirm(first, code)
    with pytest.raises(WrongCodeError):
        here.identity.confirm(first, code)


def test_asking_again_brings_another_code(here: Provider) -> None:
    email = here.new_email()
    here.identity.sign_up(email, PASSWORD)
    here.code(email)
    here.identity.mail_confirmation(email)
    here.identity.confirm(email, here.code(email, nth=2))


def test_a_request_for_a_mail_never_reveals_who_exists(here: Provider) -> None:
    unconfirmed = here.new_email()
    here.identity.sign_up(unconfirmed, PASSWORD)
    for email in (here.joined(), unconfirmed, here.new_email()):
        here.identity.mail_confirmation(email)
        here.identity.mail_reset(email)


def test_an_unconfirmed_user_cannot_sign_in(here: Provider) -> None:
    email = here.new_email()
    here.identity.sign_up(email, PASSWORD)
    with pytest.raises(UnconfirmedError):
        here.identity.log_in(email, PASSWORD)


def test_a_wrong_password_and_an_unknown_address_are_the_same(here: Provider) -> None:
    for email in (here.joined(), here.new_email()):
        with pytest.raises(WrongPasswordError) as caught:
            here.identity.log_in(email, NEW_PASSWORD)
        assert str(caught.value) == "address and password do not belong together"


def test_a_refresh_token_brings_access_of_its_own_person(here: Provider) -> None:
    for _ in range(2):
        tokens = here.identity.log_in(here.joined(), PASSWORD)
        assert tokens.refresh
        fresh = here.identity.refresh(tokens.refresh)
        assert fresh.refresh is None
        assert fresh.subject == tokens.subject == subject(here, fresh)
        assert fresh.access != tokens.access


def test_a_refreshed_token_is_of_the_same_session_and_keeps_the_time_of_its_sign_in(here: Provider) -> None:
    """Both distinguish an old session from a new one, so a refresh must not make it young again."""
    email = here.joined()
    first = here.identity.log_in(email, PASSWORD)
    time.sleep(1.1)
    assert first.refresh
    fresh, second = here.identity.refresh(first.refresh), here.identity.log_in(email, PASSWORD)
    for tokens in (first, fresh):
        claims = here.verifier.verify(tokens.access.reveal())
        assert (claims.session, claims.signed_in_at) == (first.session, first.signed_in_at)
        assert (tokens.session, tokens.signed_in_at) == (first.session, first.signed_in_at)
    assert second.session != first.session
    assert first.signed_in_at < second.signed_in_at <= time.time() + 1


def test_a_revoked_refresh_token_brings_nothing_and_others_of_the_person_do(here: Provider) -> None:
    email = here.joined()
    first, second = (here.identity.log_in(email, PASSWORD).refresh for _ in range(2))
    assert first
    assert second
    for token in (first, first, SecretText("nonsense")):
        here.identity.revoke(token)
    with pytest.raises(WrongPasswordError):
        here.identity.refresh(first)
    here.identity.refresh(second)


def test_a_password_is_changed_with_the_old_one_by_its_own_person(here: Provider) -> None:
    email, other = here.joined(), here.joined()
    tokens = here.identity.log_in(email, PASSWORD)
    with pytest.raises(WrongPasswordError):
        here.identity.change_password(tokens.access, NEW_PASSWORD, SecretText("a-third-password"))
    with pytest.raises(WeakPasswordError):
        here.identity.change_password(tokens.access, PASSWORD, SecretText("short"))
    with pytest.raises(WrongPasswordError):
        here.identity.change_password(SecretText("not.a.token"), PASSWORD, NEW_PASSWORD)
    here.identity.change_password(tokens.access, PASSWORD, NEW_PASSWORD)
    here.identity.log_in(email, NEW_PASSWORD)
    here.identity.log_in(other, PASSWORD)
    with pytest.raises(WrongPasswordError):
        here.identity.log_in(email, PASSWORD)


def test_our_signature_is_the_clients_own_and_for_one_purpose(here: Provider, elsewhere: Provider) -> None:
    signed = here.identity.sign("refresh token", "text")
    assert signed == here.identity.sign("refresh token", "text")
    assert (
        len({signed, here.identity.sign("other", "text"), here.identity.sign("refresh token", "texts")}) == 3
    )
    assert elsewhere.identity.sign("refresh token", "text") != signed


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "x" * 2000])
def test_what_is_no_refresh_token_brings_nothing(here: Provider, token: str) -> None:
    with pytest.raises(WrongPasswordError):
        here.identity.refresh(SecretText(token))


def test_a_reset_needs_the_mailed_code_and_ends_the_persons_sessions_only(here: Provider) -> None:
    email, other = here.joined(), here.joined()
    old, others = (here.identity.log_in(each, PASSWORD).refresh for each in (email, other))
    assert old
    assert others
    here.identity.mail_reset(email)
    code = here.code(email, nth=2)
    with pytest.raises(WrongCodeError):
        here.identity.reset(email, SecretText(wrong(code.reveal())), NEW_PASSWORD)
    with pytest.raises(WrongCodeError):
        here.identity.reset(other, code, NEW_PASSWORD)
    with pytest.raises(WeakPasswordError):
        here.identity.reset(email, code, SecretText("short"))
    here.identity.reset(email, code, NEW_PASSWORD)
    here.identity.refresh(old)
    mine = here.identity.find(email)
    assert mine
    here.identity.end_sessions(mine.subject)
    here.identity.end_sessions(mine.subject)
    here.identity.log_in(email, NEW_PASSWORD)
    here.identity.log_in(other, PASSWORD)
    here.identity.refresh(others)
    for refused in (lambda: here.identity.log_in(email, PASSWORD), lambda: here.identity.refresh(old)):
        with pytest.raises(WrongPasswordError):
            refused()


def test_a_code_resets_once(here: Provider) -> None:
    email = here.joined()
    here.identity.mail_reset(email)
    code = here.code(email, nth=2)
    here.identity.reset(email, code, NEW_PASSWORD)
    with pytest.raises(WrongCodeError):
        here.identity.reset(email, code, PASSWORD)


def test_an_unconfirmed_identity_can_give_way_to_a_new_one(here: Provider) -> None:
    email, bystander = here.new_email(), here.joined()
    first = here.identity.sign_up(email, PASSWORD)
    here.identity.remove(first)
    here.identity.remove(first)
    second = here.identity.sign_up(email, NEW_PASSWORD)
    assert first != second
    here.identity.confirm(email, here.code(email, nth=2))
    assert here.identity.log_in(email, NEW_PASSWORD).subject == second
    here.identity.log_in(bystander, PASSWORD)


def test_a_changed_address_counts_once_its_code_came_back(here: Provider) -> None:
    old, new = here.joined(), here.new_email()
    tokens = here.identity.log_in(old, PASSWORD)
    here.identity.change_email(tokens.access, new)
    with pytest.raises(WrongPasswordError):
        here.identity.log_in(new, PASSWORD)
    assert here.identity.log_in(old, PASSWORD).subject == tokens.subject
    code = here.code(new)
    with pytest.raises(WrongCodeError):
        here.identity.confirm_email(tokens.access, SecretText(wrong(code.reveal())))
    here.identity.confirm_email(tokens.access, code)
    assert here.identity.log_in(new, PASSWORD).subject == tokens.subject
    assert tokens.refresh
    assert here.identity.refresh(tokens.refresh).subject == tokens.subject
    with pytest.raises(WrongPasswordError):
        here.identity.log_in(old, PASSWORD)


def test_the_address_that_counts_is_the_verified_one(here: Provider) -> None:
    old, new, other = here.joined(), here.new_email(), here.joined()
    tokens, others = (here.identity.log_in(each, PASSWORD) for each in (old, other))
    assert here.identity.verified_email(tokens.access) == old
    here.identity.change_email(tokens.access, new)
    assert here.identity.verified_email(tokens.access) == old
    here.identity.confirm_email(tokens.access, here.code(new))
    assert here.identity.verified_email(tokens.access) == new
    assert here.identity.verified_email(others.access) == other
    here.identity.end_sessions(tokens.subject)
    with pytest.raises(WrongPasswordError):
        here.identity.verified_email(tokens.access)


def test_of_two_addresses_asked_for_the_last_one_can_be_confirmed(here: Provider) -> None:
    first, second = here.new_email(), here.new_email()
    tokens = here.identity.log_in(here.joined(), PASSWORD)
    for email in (first, second):
        here.identity.change_email(tokens.access, email)
    if here.code(first) != here.code(second):
        with pytest.raises(WrongCodeError):
            here.identity.confirm_email(tokens.access, here.code(first))
    here.identity.confirm_email(tokens.access, here.code(second))
    assert here.identity.verified_email(tokens.access) == second


def test_without_the_clients_secret_the_public_doors_are_closed(here: Provider, elsewhere: Provider) -> None:
    email, cognito = here.joined(), here.identity._client
    of_another_client = elsewhere.identity._secret.hash_for(email)
    for shown in ({}, {"SecretHash": "AAAA"}, {"SecretHash": of_another_client}):
        for door in (cognito.forgot_password, cognito.resend_confirmation_code):
            with pytest.raises(cognito.exceptions.NotAuthorizedException):
                door(ClientId=here.identity._client_id, Username=email, **shown)
    assert len(here.mails(email)) == 1


def test_no_user_gets_the_address_of_another(here: Provider) -> None:
    tokens, taken = here.identity.log_in(here.joined(), PASSWORD), here.joined()
    with pytest.raises(AddressTakenError):
        here.identity.change_email(tokens.access, taken)
    with pytest.raises(WrongPasswordError):
        here.identity.change_email(SecretText("not.a.token"), here.new_email())


def test_a_token_of_another_pool_is_rejected(here: Provider, elsewhere: Provider) -> None:
    tokens = elsewhere.identity.log_in(elsewhere.joined(), PASSWORD)
    elsewhere.verifier.verify(tokens.access.reveal())
    with pytest.raises(BadTokenError):
        here.verifier.verify(tokens.access.reveal())
    assert tokens.refresh
    with pytest.raises(WrongPasswordError):
        here.identity.refresh(tokens.refresh)


def test_an_id_token_is_no_access_token(here: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = []
    authenticate = here.identity._client.admin_initiate_auth
    monkeypatch.setattr(
        here.identity._client,
        "admin_initiate_auth",
        lambda **asked: answers.append(authenticate(**asked)) or answers[-1],
    )
    here.identity.log_in(here.joined(), PASSWORD)
    with pytest.raises(BadTokenError):
        here.verifier.verify(answers[0]["AuthenticationResult"]["IdToken"])


def test_secrets_are_in_no_repr(here: Provider) -> None:
    tokens = here.identity.log_in(here.joined(), PASSWORD)
    assert tokens.refresh
    assert not any(secret.reveal() in repr(tokens) for secret in (tokens.access, tokens.refresh))
