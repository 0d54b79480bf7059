"""A hostile BYOC customer delays no erasure but its own, which says what it waits for."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from obstore.store import MemoryStore

from functions.privacy.erasure.objects import Quarantined
from functions.privacy.erasure.record import Erasure
from functions.privacy.erasure.rows import EventRows
from functions.shared.buckets import customer
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.egress.pools import pool_manager
from functions.shared.quarantine import document_key
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.crash.faults import Crash
from tests.crash.privacy_world import World, new_tenant, world_with_engine
from tests.crash.traps import Trap
from tests.unit.shared.bombs import DOCUMENTS
from tests.unit.shared.endless import bucket_that_answers, page
from tests.unit.shared.hostile_server import answering, dripping, http, lasts_at_most, silent


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world_with_engine("hostile") as made:
        yield made


@pytest.fixture(scope="module")
def normal_runs(here: World) -> int:
    """How many runs it takes without any other account."""
    return runs_until_verified(here, managed(here))


@pytest.fixture
def behaved(here: World) -> Iterator[TenantId]:
    """Another BYOC customer, whose destination is as it should be."""
    assert here.room
    warehouse = here.room.database("behaved")
    warehouse.command("SYSTEM START MERGES events")
    tenant, _ = new_tenant("behaved")
    here.own[tenant] = (PlatformBucket(MemoryStore()), warehouse)
    yield tenant
    here.own.clear()


@pytest.fixture
def short_turns(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns of seconds, where minutes would be needed for a statement."""
    for name in ("eraser", "erasure.run"):
        monkeypatch.setattr(f"functions.privacy.{name}.RESERVE_SECONDS", 0.5)
    monkeypatch.setattr("functions.privacy.erasure.objects.A_STEP_SECONDS", 0.2)
    monkeypatch.setattr("functions.privacy.erasure.rows.NEEDED_SECONDS", 0.5)
    here.byoc_seconds = 4.0


def managed(here: World) -> Erasure:
    """The erasure of a person from an account that keeps its logs with us."""
    tenant, mark = new_tenant("managed")
    staged = here.stage(tenant, [here.row(tenant, f"of {mark}"), here.row(tenant, "of another")])
    assert here.deliver(staged) == {staged.key}
    return here.ask_for_person(tenant, "message", mark)


def of_byoc(here: World, tenant: TenantId) -> Erasure:
    return here.ask_for_person(tenant, "message", f"of a person at {tenant}", plan="byoc")


def state(here: World, erasure: Erasure) -> str:
    return here.service.erasure(erasure.tenant, erasure.erasure_id).state


def waits_for(here: World, erasure: Erasure) -> set[str]:
    progress = here.service.erasure(erasure.tenant, erasure.erasure_id).progress
    return {*progress.left.values(), *progress.waits_for.values()}


def waits_in_the_end(here: World, erasure: Erasure, reason: str) -> None:
    """A round may take several short turns."""
    for _ in range(10):
        if reason in waits_for(here, erasure):
            break
        here.later(minutes=31)
        here.byoc_eraser.run()
    assert reason in waits_for(here, erasure)
    assert state(here, erasure) == "running"


def runs_until_verified(here: World, *erasures: Erasure, byoc: Callable[[], object] = lambda: None) -> int:
    """Each five minutes both functions run; what becomes of the one for BYOC is its own affair."""
    for runs in range(1, 15):
        with suppress(Crash):
            byoc()
        here.eraser.run()
        if {state(here, each) for each in erasures} == {"verified"}:
            return runs
        here.engine_clears_up()
        here.later(minutes=5)
    raise AssertionError([here.service.erasure(each.tenant, each.erasure_id) for each in erasures])


LISTINGS: dict[str, tuple[Callable[[bytes], Any], str]] = {
    "empty pages for ever": (lambda _: [page()], "listing"),
    "pages that drip": (lambda _: dripping(http("Content-Length: 100000"), seconds=0.3), "destination"),
    "a page of a million elements": (lambda _: [page(b"<Contents/>" * 300_000)], "destination"),
}


@pytest.mark.usefixtures("short_turns")
@pytest.mark.parametrize("how", LISTINGS)
def test_a_bucket_that_lists_for_ever_holds_no_erasure_but_its_own(
    here: World, behaved: TenantId, normal_runs: int, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer, "MAX_LISTED_PAGES", 30)
    script, reason = LISTINGS[how]
    hostile, _ = new_tenant("hostile")
    with bucket_that_answers(script) as (bucket, _server):
        here.own[hostile] = (bucket, here.own[behaved][1])
        endless = of_byoc(here, hostile)
        here.later(seconds=5)
        theirs, ours = of_byoc(here, behaved), managed(here)
        with lasts_at_most(15):
            here.byoc_eraser.run()
        assert runs_until_verified(here, ours) == normal_runs
        here.byoc_eraser.run()
        assert runs_until_verified(here, theirs, byoc=lambda: here.byoc_eraser.run()) <= 2 * normal_runs
        waits_in_the_end(here, endless, reason)


@pytest.mark.usefixtures("short_turns")
def test_a_clickhouse_that_never_answers_costs_its_owner_a_turn_and_others_nothing(
    here: World, behaved: TenantId, normal_runs: int
) -> None:
    hostile, _ = new_tenant("hostile")
    with answering(lambda _: silent()) as server:
        address = ClickHouseAddress("127.0.0.1", server.port, False, "u", SecretText("p"), "logs")
        connections = pool_manager(EgressFilter(True), max_answer_bytes=2**20, num_pools=1, maxsize=1)
        here.own[hostile] = (PlatformBucket(MemoryStore()), Warehouse(address, 120, pool_manager=connections))
        endless = of_byoc(here, hostile)
        here.later(seconds=5)
        theirs, ours = of_byoc(here, behaved), managed(here)
        with lasts_at_most(15):
            here.byoc_eraser.run()
        assert runs_until_verified(here, ours, byoc=lambda: here.byoc_eraser.run()) == normal_runs
        assert runs_until_verified(here, theirs, byoc=lambda: here.byoc_eraser.run()) <= 2 * normal_runs
        waits_in_the_end(here, endless, "destination")


def test_a_document_of_gigabytes_is_what_its_erasure_waits_for(
    here: World, behaved: TenantId, normal_runs: int
) -> None:
    """Nor is it deleted: it may hold rows of other people."""
    hostile, _ = new_tenant("hostile")
    bucket, here.byoc_seconds = PlatformBucket(MemoryStore()), 200.0
    bomb = document_key(hostile, "bomb")
    bucket.create(bomb, DOCUMENTS["rows"]())
    here.own[hostile] = (bucket, here.own[behaved][1])
    endless = of_byoc(here, hostile)
    here.later(seconds=5)
    theirs, ours = of_byoc(here, behaved), managed(here)
    assert runs_until_verified(here, ours, theirs, byoc=lambda: here.byoc_eraser.run()) <= normal_runs
    assert "quarantine" in waits_for(here, endless)
    assert bucket.get(bomb)
    bucket.delete([bomb])
    here.later(minutes=31)
    runs_until_verified(here, endless, byoc=lambda: here.byoc_eraser.run())


def test_a_process_that_dies_of_one_customer_returns_to_it_after_all_others(
    here: World, behaved: TenantId, normal_runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does when memory is over: nothing is caught, nothing is written."""
    hostile, _ = new_tenant("hostile")
    here.own[hostile] = (PlatformBucket(MemoryStore()), here.own[behaved][1])
    count_rows, deaths = Quarantined.count, 0

    def die(place: Quarantined) -> int:
        nonlocal deaths
        if place.subject.tenant == hostile and not isinstance(place.bucket, CustomerBucket):
            deaths += 1
            raise Crash("out of memory")
        return count_rows(place)

    monkeypatch.setattr(Quarantined, "count", die)
    here.byoc_seconds = 200.0
    endless = of_byoc(here, hostile)
    here.later(seconds=5)  # which has waited for longer than the others
    theirs, ours = of_byoc(here, behaved), managed(here)
    runs = runs_until_verified(here, ours, theirs, byoc=lambda: here.byoc_eraser.run())
    assert runs <= 2 * normal_runs, "every other run may die of the hostile one"
    assert deaths >= 2
    assert state(here, endless) == "running"


@pytest.mark.parametrize(("at", "after"), [(1, True), (3, False)])
def test_wherever_the_pass_over_customers_clouds_dies_ours_takes_its_normal_number_of_runs(
    here: World, behaved: TenantId, normal_runs: int, at: int, after: bool
) -> None:
    """At its turn's own write, which is the first, and in the midst of a place."""
    dies_at(here, behaved, normal_runs, Trap(at, after))


@pytest.mark.soak
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 12))
def test_so_it_does_at_every_write(
    here: World, behaved: TenantId, normal_runs: int, at: int, after: bool
) -> None:
    dies_at(here, behaved, normal_runs, Trap(at, after))


def dies_at(here: World, behaved: TenantId, normal_runs: int, trap: Trap) -> None:
    here.byoc_seconds = 200.0
    theirs, ours = of_byoc(here, behaved), managed(here)

    def dying() -> None:
        here.trap = replace(trap)
        try:
            here.byoc_eraser.run()
        finally:
            here.trap = Trap()

    assert runs_until_verified(here, ours, byoc=dying) == normal_runs
    runs_until_verified(here, theirs, byoc=lambda: here.byoc_eraser.run())


def test_fifty_erasures_of_one_account_leave_another_its_turn(
    here: World, normal_runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them uses all the time that there is: a turn has so much, and the next account comes."""
    greedy, now, begun = new_tenant("greedy")[0], [0.0], list[str]()
    here.stage(greedy, [here.row(greedy, "waits")])  # so that none of them is ever verified
    many = [here.ask_for_person(greedy, "message", f"p-{number}") for number in range(10)]
    here.later(seconds=5)
    ours = managed(here)
    count_rows = EventRows.count

    def slow(rows: EventRows, whose: Any, until: Any = None) -> int:
        if whose.tenant == greedy:
            begun.append(whose.value)
            now[0] += 170.0
        return count_rows(rows, whose, until)

    monkeypatch.setattr(EventRows, "count", slow)
    here.clock._clock = lambda: now[0]
    here.clock._run_left = lambda: 900.0 - now[0] % 900.0
    try:
        assert runs_until_verified(here, ours) <= normal_runs + 1
    finally:
        here.clock.__init__(lambda: here.seconds_left)  # type: ignore[misc]
    assert len(set(begun)) > 1, "nor is it always the same of them"
    assert {state(here, each) for each in many} <= {"requested", "running"}
    assert math.isfinite(now[0])
