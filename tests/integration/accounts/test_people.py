"""The table of people: each found by subject alone, the unconfirmed forgotten, the confirmed kept."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from bench.children import child
from functions.accounts.people import UNCONFIRMED_DAYS, People, new_tenant, to_rfc3339, unconfirmed
from functions.accounts.person import Person
from functions.shared.secret_text import SecretText
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from tests.integration.accounts.faults import silent
from tests.unit.accounts.public_routes import client

NOW = 1_800_000_000.0
WEEK = UNCONFIRMED_DAYS * 86_400
CODE, OTHER_CODE = SecretText("123456"), SecretText("654321")


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    with child("local.aws") as aws:
        dynamodb = client("dynamodb", f"http://127.0.0.1:{aws.port}")
        dynamodb.create_table(
            TableName="people",
            KeySchema=[{"AttributeName": "subject", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "subject", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield People("people", dynamodb)


def newcomer(name: str = "Ada") -> Person:
    person = Person(
        subject=str(uuid4()),
        tenant=new_tenant(),
        name=name,
        email=f"{name.lower()}@example.com",
        terms_version="2026-11-01",
        terms_accepted_at=to_rfc3339(NOW),
        marketing_opt_in=False,
        proof="salt:hash",
    )
    return unconfirmed(person, NOW)


def test_two_people_are_each_found_by_their_own_subject(people: People) -> None:
    ada, grace = newcomer("Ada"), newcomer("Grace")
    people.put(ada)
    people.put(grace)
    assert people.get(ada.subject, NOW) == ada
    assert people.get(grace.subject, NOW) == grace
    assert people.get("nobody", NOW) is None


def test_an_account_id_is_one_and_never_the_same() -> None:
    made = {new_tenant() for _ in range(1000)}
    assert len(made) == 1000
    assert all(isinstance(each, TenantId) and each[0] == "t" and len(each) == 25 for each in made)


def test_an_unconfirmed_person_is_gone_after_a_week_though_the_table_still_has_them(people: People) -> None:
    ada = newcomer()
    people.put(ada)
    assert people.get(ada.subject, NOW + WEEK - 1) == ada
    assert people.get(ada.subject, NOW + WEEK) is None


def test_a_confirmed_person_is_kept_without_what_only_confirming_needed(people: People) -> None:
    ada, grace = newcomer("Ada"), newcomer("Grace")
    people.put(ada)
    people.put(grace)
    people.confirm(ada.subject)
    people.confirm(ada.subject)
    kept = people.get(ada.subject, NOW + 100 * WEEK)
    assert kept == replace(ada, state="confirmed", forget_at=None, proof=None)
    assert people.get(grace.subject, NOW) == grace


def test_confirming_an_unknown_person_creates_none(people: People) -> None:
    people.confirm("nobody")
    assert people.get("nobody", NOW) is None


def test_the_last_code_tried_is_known_again_and_only_while_it_matters(people: People) -> None:
    ada = newcomer()
    people.put(ada)
    people.note_code(ada.subject, CODE)
    noted = people.get(ada.subject, NOW)
    assert noted
    assert noted.tried(CODE)
    assert not noted.tried(OTHER_CODE)
    people.confirm(ada.subject)
    people.note_code(ada.subject, OTHER_CODE)
    confirmed = people.get(ada.subject, NOW)
    assert confirmed
    assert confirmed.tried(CODE)
    assert CODE.reveal() not in str(noted.tried_code)


def test_only_what_is_given_changes_and_of_that_person_only(people: People) -> None:
    ada, grace = newcomer("Ada"), newcomer("Grace")
    people.put(ada)
    people.put(grace)
    assert people.change(ada.subject, name="Countess", marketing_opt_in=True)
    assert people.change(ada.subject, email="countess@example.com")
    assert people.change(ada.subject)
    assert people.get(ada.subject, NOW) == replace(
        ada, name="Countess", email="countess@example.com", marketing_opt_in=True
    )
    assert people.get(grace.subject, NOW) == grace
    assert not people.change("nobody", name="Nobody")


def test_removing_the_unconfirmed_spares_the_confirmed(people: People) -> None:
    ada, grace = newcomer("Ada"), newcomer("Grace")
    people.put(ada)
    people.put(grace)
    people.confirm(grace.subject)
    for person in (ada, grace):
        people.remove_unconfirmed(person.subject)
        people.remove_unconfirmed(person.subject)
    assert people.get(ada.subject, NOW) is None
    assert people.get(grace.subject, NOW)


def test_a_persons_repr_shows_neither_name_nor_address() -> None:
    shown = repr(newcomer())
    assert "Ada" not in shown
    assert "ada@" not in shown
    assert "salt" not in shown


def test_an_unavailable_table_differs_from_an_unknown_person(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people._table._connection._boto3_client, "get_item", silent)
    with pytest.raises(StoreUnavailableError):
        people.get("anybody", NOW)
