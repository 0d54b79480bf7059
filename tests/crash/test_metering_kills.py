"""Meter and report are killed before and after each of their writes, and continue where they were."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import product

import pytest

from functions.billing.stripe_contract import StripeUnavailableError
from functions.billing.usage import count_transactions
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId
from tests.crash.faults import Crash
from tests.crash.metering_world import ANSWERS, HOUR, MINUTE, MeteringWorld, metering_world, share

DAY = date(2026, 11, 23)
BEFORE_OR_AFTER = pytest.mark.parametrize("before", [True, False], ids=["before", "after"])


@pytest.fixture(scope="module")
def here() -> Iterator[MeteringWorld]:
    with metering_world() as made:
        yield made


@pytest.fixture
def tenants(here: MeteringWorld) -> tuple[TenantId, TenantId]:
    here.begin_anew()
    return TenantId(f"kill{here.runs}-a"), TenantId(f"kill{here.runs}-b")


def died(here: MeteringWorld, at_write: int, does: Callable[[], object], *, before: bool) -> bool:
    """Whether `does` gets as far as that write, and dies there."""
    here.doom.arm(at_write, before=before)
    try:
        does()
    except Crash:
        return True
    finally:
        here.doom.arm(None, before=True)
    return False


@BEFORE_OR_AFTER
def test_meter_may_die_at_any_write(
    here: MeteringWorld, tenants: tuple[TenantId, ...], before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of a crowd take several transactions each, and share some."""
    monkeypatch.setattr(count_transactions, "MAX_WRITES", 12)
    crowd = [TenantId(f"{tenants[0]}-{number}") for number in range(15)]
    at_write = 0
    while True:
        at_write += 1
        for shares in ([share(each, 7) for each in crowd], [share(each, 5) for each in crowd[:3]]):
            here.store(shares)
        reached = died(here, at_write, here.meter, before=before)
        here.meter()
        assert here.uncounted() == 0
        tallies = [here.usage.tally(each) for each in crowd]
        assert {each.raw_bytes for each in tallies[:3]} == {12 * at_write}
        assert {each.raw_bytes for each in tallies[3:]} == {7 * at_write}
        assert {each.rows for each in tallies[3:]} == {at_write}
        if not reached:
            break
    assert at_write > 3, "a batch of that many tenants takes more than one transaction"


@BEFORE_OR_AFTER
@pytest.mark.parametrize("waits", [MINUTE, 25 * HOUR], ids=["a minute later", "25 hours later"])
def test_report_may_die_at_any_write(
    here: MeteringWorld, tenants: tuple[TenantId, ...], before: bool, waits: int
) -> None:
    """At first it begins to report a subscription; later a report is pending whose answer was lost."""
    tenant, other = tenants
    for each in tenants:
        here.subscribe(each)
    here.report(other)
    at_write = 0
    while True:
        at_write += 1
        here.store([share(tenant, 1_000), share(other, 10)])
        if at_write > 1:
            here.meter()
        reached = died(here, at_write, lambda: here.report(tenant), before=before)
        here.wait(waits)
        here.meter()
        here.report(tenant)
        free = here.usage.tally(tenant).reported.waived_bytes
        assert here.billed(tenant) == 1_000 * at_write - free
        if not reached:
            break
    assert at_write > 2
    assert here.billed(other) == 0


@BEFORE_OR_AFTER
@pytest.mark.parametrize("waits", [MINUTE, 25 * HOUR], ids=["a minute later", "25 hours later"])
def test_a_pending_report_may_die_at_any_write(
    here: MeteringWorld, tenants: tuple[TenantId, ...], before: bool, waits: int
) -> None:
    tenant, _ = tenants
    here.subscribe(tenant)
    here.report(tenant)
    expected = 0
    for at_write, lost in product((1, 2, 3), ("lost", "none")):
        here.store([share(tenant, 100)])
        here.meter()
        expected += 100
        here.fragile.answers = [lost]
        with pytest.raises(StripeUnavailableError):
            here.report(tenant)
        here.wait(waits)
        died(here, at_write, lambda: here.report(tenant), before=before)
        here.wait(waits)
        here.report(tenant)
        assert here.billed(tenant) == here.usage.tally(tenant).reported.landed_bytes == expected


def test_usage_is_reported_once_after_every_answer_and_every_wait(
    here: MeteringWorld, tenants: tuple[TenantId, ...]
) -> None:
    """Two tries go wrong in every way, after a minute and after days; the third is good."""
    tenant, other = tenants
    here.subscribe(tenant)
    here.report(tenant)
    expected = 0
    for first, second, waits in product(ANSWERS[1:], ANSWERS, (MINUTE, 25 * HOUR)):
        here.store([share(tenant, 100), share(other, 7)])
        here.meter()
        expected += 100
        for becomes in (first, second):
            here.fragile.answers = [becomes]
            with suppress(Crash, RetryableError):
                here.report(tenant)
            here.wait(waits)
        here.fragile.answers = []
        here.report(tenant)
        here.wait(25 * HOUR)
        here.report(tenant)
        assert here.billed(tenant) == expected, (first, second, waits)
    assert here.usage.tally(other).reported.landed_bytes == 0


def test_a_batch_that_is_listed_again_is_counted_once(
    here: MeteringWorld, tenants: tuple[TenantId, ...]
) -> None:
    """The index still names it, as it does for a moment; and two runs at once find the same batches."""
    tenant, other = tenants
    ids = [here.store([share(tenant, 100), share(other, 1, DAY + timedelta(number))]) for number in range(5)]
    waiting = list(here.batches.waiting())
    meter = here.make_meter()
    here.meter()
    here.batches.waiting = lambda: iter(waiting)  # type: ignore[method-assign]
    try:
        assert meter.run(here.clock()).batches == 0
    finally:
        del here.batches.waiting
    assert {each.entry for each in waiting} == set(ids)
    assert here.usage.tally(tenant).raw_bytes == 500
    assert [each.rows for each in here.usage.days(other, DAY, DAY + timedelta(9))] == [1] * 5


def test_two_meters_at_once_count_once(here: MeteringWorld, tenants: tuple[TenantId, ...]) -> None:
    tenant, other = tenants
    for _ in range(3):
        here.store([share(tenant, 100), share(other, 1)])
    here.doom.arm(1, before=True, does=here.meter)
    here.meter()
    here.doom.arm(None, before=True)
    assert (here.usage.tally(tenant).raw_bytes, here.usage.tally(other).raw_bytes) == (300, 3)
    assert here.uncounted() == 0
