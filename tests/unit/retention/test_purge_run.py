"""One run of the purge against a store that may fail."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from functions.retention.limits import Limit
from functions.retention.plan import Partition, Rewriting, TenantRows
from functions.retention.purge import PurgeResult, purge
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import WarehouseBusyError

TODAY = date(2026, 11, 23)
ACME = TenantId("acme")


class Store:
    """Partitions in memory, ten rows and 100 bytes each; a removal of a day in `broken` is refused.

    `held`: days -> how many of the rows are acme's, received 16 days ago. `stubborn`: nothing is shortened.
    """

    def __init__(
        self,
        days: list[int],
        broken: Sequence[int] = (),
        held: dict[int, int] | None = None,
        *,
        stubborn: bool = False,
    ) -> None:
        self.partitions = [Partition(TODAY + timedelta(days=day), 10, 100) for day in days]
        self.broken = {TODAY + timedelta(days=day) for day in broken}
        self.held = {TODAY + timedelta(days=day): rows for day, rows in (held or {}).items()}
        self.stubborn = stubborn
        self.left: set[date] = set()
        self.asked: list[Sequence[TenantId]] = []

    def all(self) -> list[Partition]:
        return list(self.partitions)

    def expired(self, today: date) -> list[TenantRows]:
        return [each for each in self._tenant_rows() if each.expires_on < today]

    def of(self, tenants: Sequence[TenantId], today: date) -> list[TenantRows]:
        self.asked.append(tenants)
        return [each for each in self._tenant_rows() if each.expires_on >= today and each.tenant in tenants]

    def oldest_received(self) -> str | None:
        return "2026-11-08 00:00:00.000000" if self.partitions else None

    def drop(self, partition: Partition) -> None:
        self._refuse(partition)
        self.partitions.remove(partition)

    def rewrite(self, rewritings: Sequence[Rewriting]) -> None:
        for each in rewritings:
            self._refuse(each.partition)
        for each in () if self.stubborn else rewritings:
            self._leave(each.partition, each.partition.rows - each.gone)
            self.left.add(each.partition.expires_on)

    def _leave(self, partition: Partition, rows: int) -> None:
        self.partitions[self.partitions.index(partition)] = replace(partition, rows=rows, bytes=10 * rows)

    def _refuse(self, partition: Partition) -> None:
        if partition.expires_on in self.broken:
            raise WarehouseBusyError("ClickHouse is busy", 252)

    def _tenant_rows(self) -> list[TenantRows]:
        received = TODAY - timedelta(days=16)
        held = {day: rows for day, rows in self.held.items() if day not in self.left}
        others = [TenantRows(TenantId("others"), day, received, 10 - rows) for day, rows in held.items()]
        return [*others, *(TenantRows(ACME, day, received, rows) for day, rows in held.items())]


def run(store: Store, *, longer: bool = False, shorter: bool = False) -> PurgeResult:
    limits = {ACME: Limit(30)} if longer else {ACME: Limit(15, binding=True)} if shorter else {}
    return purge(store, TODAY, limits, [ACME] if shorter else [])


def test_what_has_expired_is_dropped_and_counted() -> None:
    done = run(Store([-2, -1, 0, 5]))
    assert (done.partitions, done.rows, done.bytes, done.failed, done.overdue) == (2, 20, 200, 0, 0)
    assert (done.oldest_left, done.oldest_received) == ("2026-11-23", "2026-11-08 00:00:00.000000")
    assert done.is_notable


def test_a_second_run_drops_nothing() -> None:
    store = Store([-1, 3])
    run(store)
    done = run(store)
    assert (done.partitions, done.rows, done.failed) == (0, 0, 0)
    assert not done.is_notable


def test_a_drop_that_fails_stops_no_other_and_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    done = run(Store([-3, -2, -1], broken=[-3]))
    assert (done.partitions, done.rows, done.bytes, done.failed, done.overdue) == (2, 20, 200, 1, 1)
    assert done.oldest_left == "2026-11-20"
    assert '"event":"purge_failed"' in capsys.readouterr().out


def test_what_failed_goes_with_the_next_run() -> None:
    store = Store([-3, 1], broken=[-3])
    run(store)
    store.broken.clear()
    assert run(store).partitions == 1


def test_an_empty_table_has_no_oldest_day() -> None:
    done = run(Store([]))
    assert (done.oldest_left, done.oldest_received) == (None, None)


def test_a_longer_plan_leaves_its_tenants_rows_in_a_partition_that_is_over() -> None:
    done = run(Store([-2, -1], held={-1: 4}), longer=True)
    assert (done.partitions, done.thinned, done.rows, done.bytes) == (1, 1, 16, 160)
    assert done.oldest_left == "2026-11-22"


def test_a_shorter_plan_takes_its_tenants_rows_out_of_partitions_to_come() -> None:
    done = run(Store([14, 15], held={14: 4}), shorter=True)
    assert (done.shortened, done.rows, done.bytes, done.failed) == (1, 4, 40, 0)


def test_only_tenants_with_a_shorter_plan_are_looked_for_in_partitions_to_come() -> None:
    store = Store([14], held={14: 4})
    run(store, longer=True)
    assert store.asked == [[]]


def test_rows_that_stay_are_never_called_gone(capsys: pytest.CaptureFixture[str]) -> None:
    done = run(Store([14], held={14: 4}, stubborn=True), shorter=True)
    assert (done.shortened, done.rows, done.bytes, done.failed) == (0, 0, 0, 1)
    assert '"error_type":"RowsLeft"' in capsys.readouterr().out


class Silent(Store):
    """Answers `looks` times what lies in it, and then no more."""

    looks = 1

    def all(self) -> list[Partition]:
        self.looks -= 1
        if self.looks < 0:
            raise WarehouseBusyError("ClickHouse is busy", 202)
        return super().all()


def test_what_was_removed_is_reported_though_the_rest_cannot_be_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The next run finds nothing of it: it is reported now or never."""
    done = run(Silent([-2, -1, 5]))
    assert (done.partitions, done.rows, done.bytes, done.failed) == (2, 20, 200, 1)
    assert (done.oldest_left, done.oldest_received) == ("2026-11-28", None)
    assert '"event":"purge_failed"' in capsys.readouterr().out


def test_what_was_rewritten_and_cannot_be_looked_at_again_is_not_called_gone() -> None:
    class Blind(Store):
        def of(self, tenants: Sequence[TenantId], today: date) -> list[TenantRows]:
            if self.left:
                raise WarehouseBusyError("ClickHouse is busy", 202)
            return super().of(tenants, today)

    done = run(Blind([-1, 14, 15], held={14: 4}), shorter=True)
    assert (done.partitions, done.shortened, done.rows, done.failed) == (1, 0, 10, 1)


def test_a_partition_that_grew_meanwhile_frees_nothing_and_not_less() -> None:
    class Growing(Store):
        def _leave(self, partition: Partition, rows: int) -> None:
            super()._leave(partition, rows + 90)

    done = run(Growing([-1, 14], held={14: 4}), shorter=True)
    assert (done.shortened, done.bytes) == (1, 100)


def test_what_there_is_no_time_for_is_left_to_the_next_run() -> None:
    store, times = Store([-3, -2, -1]), iter([True, False, False])
    done = purge(store, TODAY, {}, (), lambda: next(times))
    assert (done.partitions, done.undone, done.failed) == (1, 2, 0)
    assert run(store).partitions == 2
