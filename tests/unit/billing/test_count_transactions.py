"""From entries to transactions: each share in one of them, none too large, whatever was counted before."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.billing.usage.count_transactions import (
    MAX_WRITES,
    CountedPart,
    UncountedEntry,
    plan_transactions,
)
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


@st.composite
def uncounted(draw: st.DrawFn) -> UncountedEntry:
    """An entry with counted batches, and counted shares of the next one; some batches store nothing."""
    sizes = draw(st.lists(st.sampled_from([0, 1, 2, 150]), min_size=1, max_size=5))
    batches = tuple(tuple(draw(st.lists(shares, min_size=each, max_size=each))) for each in sizes)
    counted = CountedPart(draw(st.integers(0, 25)), draw(st.integers(0, max(0, sizes[0] - 1))))
    return UncountedEntry(draw(st.uuids()).hex, batches, counted, draw(st.booleans()))


some_entries = st.lists(uncounted(), max_size=5)


def total(of: list[UncountedEntry]) -> Counter[tuple[TenantId, date, str]]:
    sums: Counter[tuple[TenantId, date, str]] = Counter()
    for entry in of:
        left = [entry.batches[0][entry.counted.shares :], *entry.batches[1:]] if entry.batches else []
        for each in (share for batch in left for share in batch):
            sums[each.tenant, each.day, "rows"] += each.rows
            sums[each.tenant, each.day, "bytes"] += each.raw_bytes
            sums[each.tenant, each.day, "own"] += each.raw_bytes if entry.own else 0
    return +sums


@given(some_entries)
def test_each_uncounted_share_is_counted_once(some: list[UncountedEntry]) -> None:
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


@given(some_entries)
def test_no_transaction_is_larger_than_dynamodb_takes_one(some: list[UncountedEntry]) -> None:
    for count in plan_transactions(some):
        assert count.marks
        assert count.writes == len(count.marks) + len(count.days) + len(count.totals) <= MAX_WRITES


@given(some_entries, st.integers(0, 20))
def test_a_run_that_continues_after_any_transaction_counts_the_rest(
    some: list[UncountedEntry], done: int
) -> None:
    """The marks of what took place are all that is known of it."""
    counts = plan_transactions(some)
    marks = {mark.entry: mark for count in counts[:done] for mark in count.marks}
    left = [
        replace(
            entry,
            batches=entry.batches[marks[entry.entry].after.batches - entry.counted.batches :],
            counted=marks[entry.entry].after,
        )
        if entry.entry in marks
        else entry
        for entry in some
        if not (entry.entry in marks and marks[entry.entry].last)
    ]
    ahead = total(some)
    for count in counts[:done]:
        for (tenant, day), sums in count.days.items():
            ahead[tenant, day, "rows"] -= sums.rows
            ahead[tenant, day, "bytes"] -= sums.raw_bytes
            ahead[tenant, day, "own"] -= sums.own_bytes
    assert total(left) == +ahead


@given(some_entries)
def test_the_marks_of_an_entry_follow_one_another_to_its_end(some: list[UncountedEntry]) -> None:
    reached = {entry.entry: entry.counted for entry in some}
    ends = {entry.entry: entry.end for entry in some}
    for count in plan_transactions(some):
        for mark in count.marks:
            assert mark.before == reached[mark.entry] != mark.after
            reached[mark.entry] = mark.after
            assert mark.last == (mark.after == ends[mark.entry])
    assert reached == ends


def test_many_batches_of_one_tenant_are_few_writes() -> None:
    share = UsageShare(TenantId("acme"), DAY, 10, 1_000)
    some = [UncountedEntry(f"log#managed#{number}", ((share,),) * 25) for number in range(4)]

    (count,) = plan_transactions(some)
    assert count.writes == 6
    assert count.days[share.tenant, DAY].raw_bytes == 100_000


def test_a_page_of_full_batches_beside_many_marks_stays_within_a_transaction() -> None:
    """Entries without any usage need a mark as well."""
    some = [UncountedEntry(f"log#managed#{number}", ((),)) for number in range(2 * MAX_WRITES)]
    assert [count.writes for count in plan_transactions(some)] == [MAX_WRITES, MAX_WRITES]
