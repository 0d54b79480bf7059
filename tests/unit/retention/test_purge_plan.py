"""Which rows are deleted on which day: whole partitions, what stays of them, what goes before its day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.retention.limits import Limit
from functions.retention.plan import Cut, Partition, TenantRows, last_day, plan
from functions.shared.tenancy import TenantId

TODAY = date(2026, 11, 23)
ACME, GLOBEX = TenantId("acme"), TenantId("globex")


def days(number: int) -> date:
    return TODAY + timedelta(days=number)


def partition(days_from_today: int) -> Partition:
    return Partition(days(days_from_today), rows=10, bytes=100)


def group(tenant: TenantId, expires: int, received: int, rows: int = 1) -> TenantRows:
    return TenantRows(tenant, days(expires), days(received), rows)


def test_a_day_is_kept_until_it_is_over() -> None:
    planned = plan([partition(0), partition(-1), partition(1)], [], {}, TODAY)
    assert planned.drop == (partition(-1),)
    assert planned.keep == (partition(0), partition(1))


def test_rows_past_retention_for_more_than_a_day_are_late() -> None:
    planned = plan([partition(-1), partition(-2), partition(-30)], [], {}, TODAY)
    assert planned.overdue == (partition(-30), partition(-2))


def test_nothing_is_planned_for_an_empty_table() -> None:
    planned = plan([], [], {}, TODAY)
    assert (planned.drop, planned.thin, planned.shorten, planned.keep, planned.overdue) == (
        (),
        (),
        (),
        (),
        (),
    )


def test_who_has_a_longer_plan_now_keeps_rows_when_their_partition_is_over() -> None:
    """Received 16 days ago on 15 days; acme has had 30 since, globex has not."""
    groups = [group(ACME, -1, -16, 3), group(GLOBEX, -1, -16, 4)]
    planned = plan([partition(-1)], groups, {ACME: Limit(30), GLOBEX: Limit(15)}, TODAY)
    (thinned,) = planned.thin
    assert (thinned.partition, thinned.gone, thinned.others_stay) == (partition(-1), 4, False)
    assert thinned.cuts == (Cut((ACME,), days(-30)),)
    assert planned.drop == planned.keep == planned.overdue == ()


def test_a_partition_of_which_all_stays_is_left_alone_until_the_longer_plan_is_over() -> None:
    groups, limits = [group(ACME, -15, -30)], {ACME: Limit(30)}
    assert plan([partition(-15)], groups, limits, TODAY).keep == (partition(-15),)
    assert plan([partition(-15)], groups, limits, days(1)).drop == (partition(-15),)


def test_a_kept_partition_is_late_by_the_day_of_its_expired_rows_and_not_by_its_own() -> None:
    groups, limits = [group(ACME, -15, -30)], {ACME: Limit(30)}
    assert [plan([partition(-15)], groups, limits, days(late)).overdue for late in (1, 2)] == [
        (),
        (partition(-15),),
    ]


def test_who_has_a_shorter_plan_now_loses_rows_before_their_partition_is_over() -> None:
    """Exactly those that are older than 15 days, whatever the others have."""
    groups = [group(ACME, 14, -16, 3), group(ACME, 15, -15, 5)]
    planned = plan([partition(14), partition(15)], groups, {ACME: Limit(15, binding=True)}, TODAY)
    (shortened,) = planned.shorten
    assert (shortened.partition, shortened.gone, shortened.others_stay) == (partition(14), 3, True)
    assert shortened.cuts == (Cut((ACME,), days(-15)),)
    assert planned.keep == (partition(15),)


def test_an_unannounced_figure_deletes_nothing_before_its_day() -> None:
    groups = [group(ACME, 14, -16)]
    assert plan([partition(14)], groups, {ACME: Limit(15)}, TODAY).shorten == ()


def test_rows_of_an_unknown_tenant_are_deleted_with_their_partition() -> None:
    assert plan([partition(-1)], [group(ACME, -1, -2)], {}, TODAY).drop == (partition(-1),)


def test_tenants_of_one_limit_are_cut_together() -> None:
    tenants = [TenantId(f"t-{number}") for number in range(3)]
    limits = {tenant: Limit(15, binding=True) for tenant in tenants[:2]} | {
        tenants[2]: Limit(0, binding=True)
    }
    groups = [group(tenant, 14, -16) for tenant in tenants]
    (shortened,) = plan([partition(14)], groups, limits, TODAY).shorten
    assert shortened.cuts == (Cut(tuple(tenants[:2]), days(-15)), Cut((tenants[2],), TODAY))


@given(st.sets(st.integers(-60, 60)))
def test_every_partition_is_dropped_or_kept_and_never_before_its_time(some: set[int]) -> None:
    planned = plan(map(partition, some), [], {}, TODAY)
    assert sorted(each.expires_on for each in planned.drop + planned.keep) == [
        days(day) for day in sorted(some)
    ]
    assert all(each.expires_on < TODAY for each in planned.drop)
    assert set(planned.overdue) <= set(planned.drop)


groups = st.builds(
    lambda tenant, received, stamped, rows: group(TenantId(tenant), received + stamped, received, rows),
    st.sampled_from(["aa", "bb", "cc", "dd"]),
    st.integers(-50, 0),
    st.sampled_from([15, 30]),
    st.integers(1, 5),
)
some_limits = st.dictionaries(
    st.sampled_from(["aa", "bb", "cc"]).map(TenantId),
    st.builds(Limit, st.sampled_from([0, 15, 30]), st.booleans()),
)


@given(st.lists(groups, unique_by=lambda each: (each.tenant, each.expires_on, each.received_on)), some_limits)
def test_a_plan_deletes_exactly_the_expired_rows(
    held: list[TenantRows], limits: dict[TenantId, Limit]
) -> None:
    """Carried out on the rows themselves, by its cuts, it leaves what is not due, to the row."""
    partitions = {each.expires_on: Partition(each.expires_on, 1, 1) for each in held}
    planned = plan(partitions.values(), held, limits, TODAY)
    drop = {each.expires_on for each in planned.drop}
    rewritten = {each.partition.expires_on: each for each in (*planned.thin, *planned.shorten)}

    def survives(each: TenantRows) -> bool:
        if each.expires_on not in rewritten:
            return each.expires_on not in drop
        by = rewritten[each.expires_on]
        cut = next((cut for cut in by.cuts if each.tenant in cut.tenants), None)
        return each.received_on >= cut.day if cut else by.others_stay

    left = [each for each in held if survives(each)]
    assert left == [each for each in held if last_day(each, limits.get(each.tenant)) >= TODAY]
    going = sum(each.gone for each in (*planned.thin, *planned.shorten))
    going += sum(each.rows for each in held if each.expires_on in drop)
    assert going == sum(each.rows for each in held) - sum(each.rows for each in left)
