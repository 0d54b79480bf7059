"""One run of the purge against a store that may fail."""

from datetime import date, timedelta

import pytest

from functions.retention.plan import Partition
from functions.retention.purge import purge
from functions.shared.warehouse import WarehouseBusyError

TODAY = date(2026, 11, 23)


class Store:
    """Partitions in memory; a drop of a day in `broken` is refused."""

    def __init__(self, days: list[int], broken: list[int] | None = None) -> None:
        self.partitions = [Partition(TODAY + timedelta(days=day), 10, 100) for day in days]
        self._broken = {TODAY + timedelta(days=day) for day in broken or []}

    def all(self) -> list[Partition]:
        return list(self.partitions)

    def drop(self, partition: Partition) -> None:
        if partition.expires_on in self._broken:
            raise WarehouseBusyError("ClickHouse is busy", 252)
        self.partitions.remove(partition)


def test_what_has_expired_is_dropped_and_counted() -> None:
    store = Store([-2, -1, 0, 5])
    done = purge(store, TODAY)
    assert (done.partitions, done.rows, done.bytes, done.failed, done.overdue) == (2, 20, 200, 0, 0)
    assert done.oldest_left == "2026-11-23"


def test_a_second_run_drops_nothing() -> None:
    store = Store([-1, 3])
    purge(store, TODAY)
    done = purge(store, TODAY)
    assert (done.partitions, done.rows, done.failed) == (0, 0, 0)


def test_a_drop_that_fails_stops_no_other_and_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    store = Store([-3, -2, -1], broken=[-3])
    done = purge(store, TODAY)
    assert (done.partitions, done.failed, done.overdue) == (2, 1, 1)
    assert done.oldest_left == "2026-11-20"
    assert '"event":"purge_failed"' in capsys.readouterr().out


def test_what_failed_goes_with_the_next_run() -> None:
    store = Store([-3, 1], broken=[-3])
    purge(store, TODAY)
    store._broken.clear()
    assert purge(store, TODAY).partitions == 1


def test_an_empty_table_has_no_oldest_day() -> None:
    assert purge(Store([]), TODAY).oldest_left is None
