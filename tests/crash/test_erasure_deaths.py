"""An erasure whose processes die, or work at the same time, erases the same and no more."""

import random
from collections.abc import Callable, Iterator

import pytest

from functions.privacy.erasure.place import ErasurePlace
from functions.privacy.erasure.planner import ErasurePlanner
from functions.privacy.erasure.record import Erasure
from functions.privacy.erasure.run import ErasureRun
from functions.shared.tenancy import TenantId
from tests.crash.furnishing import ROW_LOCATIONS, furnished
from tests.crash.privacy_world import World, world_with_engine
from tests.crash.traps import Trap


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world_with_engine() as made:
        yield made


STOPS = ("people", "tombstone", "access", "credentials", "billing")


def deaths(seed: int) -> Iterator[Trap]:
    """Every process dies, sooner or later; often enough at the very next write that there is no other way."""
    chance = random.Random(seed)
    while True:
        after = chance.random() < 0.5
        yield Trap(chance.randint(1 if after else 2, 4), after)


@pytest.mark.parametrize("seed", range(1))
def test_an_erasure_that_dies_at_every_step_is_verified_all_the_same(
    here: World, neighbour: TenantId, seed: int
) -> None:
    account_dies(here, neighbour, seed)
    person_dies(here, neighbour, seed)


@pytest.mark.soak
def test_an_erasure_that_dies_at_every_step_in_twenty_ways_is_verified_all_the_same(
    here: World, neighbour: TenantId
) -> None:
    died_at: set[str] = set()
    for seed in range(20):
        died_at |= set(account_dies(here, neighbour, seed))
        died_at |= set(person_dies(here, neighbour, seed))
    places = {
        "archives",
        "idempotency_marks",
        "quarantined",
        "rows",
        "traces",
        "sign_ins",
        "people",
        "keys",
        "audit",
    }

    assert died_at >= {*STOPS, *places, "Begin", "End", "after the end"}


@pytest.mark.soak
@pytest.mark.parametrize("after", [False, True])
def test_a_single_death_at_any_write_changes_nothing(here: World, after: bool) -> None:
    """Of each write in turn, before it, and after it took place without an answer."""
    number = 1
    while True:
        tenant, mark = furnished(here)
        here.drain()
        erasure = here.ask_for_account(tenant)
        died = here.erase(erasure, iter([Trap(number, after)]))
        assert here.receipt_of(erasure).counts["rows"] == 5
        assert here.where(mark, str(tenant)) == {mark: set(), str(tenant): {"table ledger"}}
        if not died:
            break
        number += 1
    assert number > 60


def test_two_erasers_at_once_do_no_harm(here: World, neighbour: TenantId) -> None:
    """A second one begins, and goes as far as it can, in the middle of each removal of the first."""
    tenant, mark = furnished(here)
    here.drain()
    rows = here.hash_of(neighbour)
    erasure = here.ask_for_account(tenant)
    here.now = erasure.starts_at + 1
    eraser, whole = here.eraser, ErasurePlanner.of
    seconds: list[dict[str, int]] = []

    def interrupted(planner: ErasurePlanner, of: Erasure) -> ErasureRun:
        work = whole(planner, of)
        if planner is eraser.planner:
            for name, place in work.places.items():
                work.places[name] = Interrupted(place, lambda: seconds.append(here.eraser.run()))
        return work

    for _ in range(40):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ErasurePlanner, "of", interrupted)
            eraser.run()
        status = here.service.status(erasure.erasure_id)
        assert status
        if status.state == "verified":
            break
        here._wait_for(erasure)

    assert len(seconds) >= 2
    assert here.where(mark, str(tenant)) == {mark: set(), str(tenant): {"table ledger"}}
    assert here.receipt_of(erasure).counts["rows"] == 5
    assert here.hash_of(neighbour) == rows


class Interrupted:
    """A place; another process is at work once its content was counted."""

    def __init__(self, place: ErasurePlace, meanwhile: Callable[[], object]) -> None:
        self._place, self._meanwhile = place, meanwhile

    def count(self) -> int:
        return self._place.count()

    def remove(self) -> str | None:
        self._meanwhile()
        return self._place.remove()


def account_dies(here: World, neighbour: TenantId, seed: int) -> list[str]:
    """Nothing is left, the counts are those of an undisturbed erasure, and the neighbour has everything."""
    tenant, mark = furnished(here)
    rows, theirs = here.hash_of(neighbour), here.items_of(neighbour)
    here.drain()
    erasure = here.ask_for_account(tenant)
    died_at = here.erase(erasure, deaths(seed))

    assert len(died_at) > 30
    assert here.where(mark, str(tenant)) == {mark: set(), str(tenant): {"table ledger"}}
    counts = here.receipt_of(erasure).counts
    assert (counts["rows"], counts["keys"], counts["archives"], counts["people"]) == (5, 2, 3, 1)
    assert (here.hash_of(neighbour), here.items_of(neighbour)) == (rows, theirs)
    return died_at


def person_dies(here: World, neighbour: TenantId, seed: int) -> list[str]:
    tenant, mark = furnished(here)
    rows, before = here.hash_of(neighbour), here.where(mark)[mark]
    here.drain()
    erasure = here.ask_for_person(tenant, "metadata.user_id", f"user-{mark}")
    died_at = here.erase(erasure, deaths(seed))
    left = here.where(f"user-{mark}")[f"user-{mark}"] - {"table destinations"}

    assert len(died_at) > 8
    assert left == set()
    assert before - here.where(mark)[mark] == ROW_LOCATIONS
    assert here.receipt_of(erasure).counts["rows"] == 5
    assert here.hash_of(neighbour) == rows
    return died_at
