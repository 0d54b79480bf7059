"""Which days are dropped on which day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.retention.plan import Partition, plan

TODAY = date(2026, 11, 23)


def partition(days_from_today: int) -> Partition:
    return Partition(TODAY + timedelta(days=days_from_today), rows=10, bytes=100)


def test_a_day_is_kept_until_it_is_over() -> None:
    planned = plan([partition(0), partition(-1), partition(1)], TODAY)
    assert planned.drop == (partition(-1),)
    assert planned.keep == (partition(0), partition(1))


def test_what_should_be_gone_for_more_than_a_day_is_overdue() -> None:
    planned = plan([partition(-1), partition(-2), partition(-30)], TODAY)
    assert planned.overdue == (partition(-30), partition(-2))


def test_nothing_is_planned_for_an_empty_table() -> None:
    planned = plan([], TODAY)
    assert (planned.drop, planned.keep, planned.overdue) == ((), (), ())


@given(st.sets(st.integers(-60, 60)))
def test_every_partition_is_dropped_or_kept_and_never_before_its_time(days: set[int]) -> None:
    planned = plan(map(partition, days), TODAY)
    assert sorted(each.expires_on for each in planned.drop + planned.keep) == [
        TODAY + timedelta(days=day) for day in sorted(days)
    ]
    assert all(each.expires_on < TODAY for each in planned.drop)
    assert set(planned.overdue) <= set(planned.drop)
