"""Guessed passwords and codes are counted, whichever way they come, and stop their sender alone."""

import pytest

from tests.integration.accounts.faults import silent
from tests.unit.accounts.public_routes import OTHER_PASSWORD, PASSWORD, World, new_address, new_email, wrong


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
