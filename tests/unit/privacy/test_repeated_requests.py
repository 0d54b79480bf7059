"""The erasure of a person, requested again while it waits, is the one that waits."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from functions.privacy.service import MAX_OPEN_ERASURES
from tests.unit.privacy.privacy_world import JANE, World, decoded, privacy_world, verified


@pytest.fixture(scope="module")
def module_world() -> Iterator[World]:
    with privacy_world() as made:
        yield made


@pytest.fixture
def here(module_world: World) -> World:
    """A time of its own, in the tables of the module."""
    return replace(module_world)


def test_six_equal_requests_are_one_erasure_and_another_account_has_its_own(here: World) -> None:
    tenant, other = here.account("again"), here.account("beside-again")
    answers = [here.ask("POST /v1/erasures", of, JANE) for of in (tenant, other, *[tenant] * 5)]
    assert {each["statusCode"] for each in answers} == {202}
    first, theirs, *again = map(decoded, answers)
    assert [each["id"] for each in again] == [first["id"]] * 5
    assert theirs["id"] != first["id"]
    for of, asked in ((tenant, first), (other, theirs)):
        assert [each["id"] for each in decoded(here.ask("GET /v1/erasures", of))["erasures"]] == [asked["id"]]
    assert here.notices(tenant) == ["erasure_requested"]


def test_it_includes_the_rows_received_until_the_last_request_and_keeps_its_place_and_deadline(
    here: World,
) -> None:
    tenant = here.account("until-the-last")
    first = decoded(here.ask("POST /v1/erasures", tenant, JANE))
    here.now += 90
    again = decoded(here.ask("POST /v1/erasures", tenant, JANE))
    assert again == {**first, "requested_at": "2027-01-15T08:01:31Z"}
    assert (first["starts_at"], first["due_by"]) == ("2027-01-15T08:00:01Z", "2027-02-14T08:00:01Z")
    assert decoded(here.ask("GET /v1/erasures/{id}", tenant, of=first["id"])) == again
    public = decoded(here.ask("GET /v1/erasures/{id}", None, of=first["id"]))
    assert {name: again[name] for name in public} == public
    assert here.actions(tenant) == ["person.erasure_requested"] * 2, "the trail says who asked, each time"


def test_once_it_has_started_a_further_request_is_an_erasure_of_its_own(here: World) -> None:
    """Rows received since its request would otherwise stay."""
    tenant = here.account("started")
    first = decoded(here.ask("POST /v1/erasures", tenant, JANE))
    here.service.erasures.start(here.service.erasure(tenant, first["id"]), here.now + 2)
    second = decoded(here.ask("POST /v1/erasures", tenant, JANE))
    assert second["id"] != first["id"]
    verified(here, tenant, second["id"])
    assert decoded(here.ask("POST /v1/erasures", tenant, JANE))["id"] not in (first["id"], second["id"])


def test_another_person_or_field_is_another_erasure(here: World) -> None:
    tenant = here.account("other-person")
    others = ({"value": "JANE@example.org"}, {"field": "metadata.user"}, {"field": "message"})
    responses = [here.ask("POST /v1/erasures", tenant, {**JANE, **changed}) for changed in ({}, *others)]
    assert len({decoded(each)["id"] for each in responses}) == 4


def test_one_that_does_not_reach_the_own_stores_is_not_one_that_does(here: World) -> None:
    """As before and after a move to BYOC."""
    tenant = here.account("moved-between")
    ids = {
        decoded(here.ask("POST /v1/erasures", tenant, JANE, plan=plan))["id"]
        for plan in ("managed_30", "byoc")
    }
    assert len(ids) == 2


def test_a_repeated_request_is_answered_at_the_limit_and_counts_once(here: World) -> None:
    tenant = here.account("full")
    erasures = [
        decoded(here.ask("POST /v1/erasures", tenant, {**JANE, "value": f"u{number % MAX_OPEN_ERASURES}"}))
        for number in range(2 * MAX_OPEN_ERASURES)
    ]
    assert [each["id"] for each in erasures[:MAX_OPEN_ERASURES]] == [
        each["id"] for each in erasures[MAX_OPEN_ERASURES:]
    ]
    assert decoded(here.ask("POST /v1/erasures", tenant, JANE))["code"] == "too_many_erasures"


def test_an_erasure_that_starts_while_it_is_requested_again_is_followed_by_another(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = here.account("starts-meanwhile")
    first = decoded(here.ask("POST /v1/erasures", tenant, JANE))
    read = here.service.erasures.of

    def started_after_it_was_read(*key: object) -> object:
        monkeypatch.undo()
        found = read(*key)  # type: ignore[arg-type]
        assert found
        here.service.erasures.start(found, here.now + 2)
        return found

    monkeypatch.setattr(here.service.erasures, "of", started_after_it_was_read)
    second = decoded(here.ask("POST /v1/erasures", tenant, JANE))
    assert second["id"] != first["id"]
    states = {each.erasure_id: each.state for each in here.service.erasures.all(tenant)}
    assert states == {first["id"]: "running", second["id"]: "requested"}
