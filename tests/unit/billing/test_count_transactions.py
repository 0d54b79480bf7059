"""From batches to transactions: each share in one of them, none too large, whatever was counted before."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.billing.usage.count_transactions import MAX_WRITES, UncountedBatch, plan_transactions
from functions.shared.batch_usage import UsageShare
from functions.shared.tenancy import TenantId

DAY = date(2026, 11, 23)

shares = st.builds(
    UsageShare,
    tenant=st.integers(0, 60).map(lambda number: TenantId(f"tenant-{number}")),
    day=st.integers(0, 3).map(lambda number: DAY + timedelta(number)),
    rows=st.integers(1, 1000),
    raw_bytes=st.integers(1, 10**9),
)
batches = st.lists(
    st.builds(
        UncountedBatch,
        batch_id=st.uuids().map(lambda each: each.hex),
        shares=st.lists(shares, min_size=1, max_size=150).map(tuple),
        counted=st.integers(0, 200),
        own=st.booleans(),
    ),
    max_size=8,
)


def total(of: list[UncountedBatch]) -> Counter[tuple[TenantId, date, str]]:
    sums: Counter[tuple[TenantId, date, str]] = Counter()
    for batch in of:
        for each in batch.shares[batch.counted :]:
            sums[each.tenant, each.day, "rows"] += each.rows
            sums[each.tenant, each.day, "bytes"] += each.raw_bytes
            sums[each.tenant, each.day, "own"] += each.raw_bytes if batch.own else 0
    return +sums


@given(batches)
def test_each_uncounted_share_is_counted_once(some: list[UncountedBatch]) -> None:
    counts = plan_transactions(some)

    planned: Counter[tuple[TenantId, date, str]] = Counter()
    for count in counts:
        for (tenant, day), sums in count.days.items():
            planned[tenant, day, "rows"] += sums.rows
            planned[tenant, day, "bytes"] += sums.raw_bytes
            planned[tenant, day, "own"] += sums.own_bytes
        assert sum(each.raw_bytes for each in count.totals.values()) == sum(
            each.raw_bytes for each in count.days.values()
        )
    assert +planned == total(some)


@given(batches)
def test_no_transaction_is_larger_than_dynamodb_takes_one(some: list[UncountedBatch]) -> None:
    for count in plan_transactions(some):
        assert count.marks
        assert count.writes == len(count.marks) + len(count.days) + len(count.totals) <= MAX_WRITES


@given(batches, st.integers(0, 20))
def test_a_run_that_continues_after_any_transaction_counts_the_rest(
    some: list[UncountedBatch], done: int
) -> None:
    """The marks of what took place are all that is known of it."""
    counts = plan_transactions(some)
    counted = {mark.batch_id: mark for count in counts[:done] for mark in count.marks}
    left = [
        replace(batch, counted=counted[batch.batch_id].after if batch.batch_id in counted else batch.counted)
        for batch in some
        if not (batch.batch_id in counted and counted[batch.batch_id].last)
    ]
    ahead = total(some)
    for count in counts[:done]:
        for (tenant, day), sums in count.days.items():
            ahead[tenant, day, "rows"] -= sums.rows
            ahead[tenant, day, "bytes"] -= sums.raw_bytes
            ahead[tenant, day, "own"] -= sums.own_bytes
    assert total(left) == +ahead


@given(batches)
def test_the_marks_of_a_batch_follow_one_another_to_its_end(some: list[UncountedBatch]) -> None:
    reached = {batch.batch_id: batch.counted for batch in some}
    for count in plan_transactions(some):
        for mark in count.marks:
            assert mark.before == reached[mark.batch_id] < mark.after
            reached[mark.batch_id] = mark.after
            sizes = {batch.batch_id: len(batch.shares) for batch in some}
            assert mark.last == (mark.after == sizes[mark.batch_id])
    assert all(reached[batch.batch_id] >= len(batch.shares) for batch in some)


def test_many_small_batches_of_one_tenant_are_few_writes() -> None:
    share = UsageShare(TenantId("acme"), DAY, 10, 1_000)
    some = [UncountedBatch(f"{number:032x}", (share,)) for number in range(80)]

    (count,) = plan_transactions(some)
    assert count.writes == 82
    assert count.days[share.tenant, DAY].raw_bytes == 80_000
