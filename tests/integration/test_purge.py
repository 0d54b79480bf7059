"""Migrations and the purge against the real engine."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest

from functions.retention.limits import Limit
from functions.retention.partitions import Partitions
from functions.retention.purge import purge
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.integration.earlier_tables import migrations_before_bulk
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse

TODAY = date(2026, 11, 23)
ACME, GLOBEX = TenantId("acme"), TenantId("globex")

_batches = count()
"""ClickHouse remembers a batch's name longer than the table is full, and takes it once."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseAddress]:
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


@pytest.fixture(params=[migrations(), migrations_before_bulk()], ids=["bulk apart", "a table from before"])
def warehouse(address: ClickHouseAddress, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    database = replace(address, database=f"purge_{request.param_index}")
    Schema(database, "MergeTree").bring_up_to_date(request.param)
    connected = Warehouse(database, 30)
    connected.command("TRUNCATE TABLE events")
    yield connected
    connected.close()


def _tenants(warehouse: Warehouse) -> list[str]:
    rows = warehouse.select("SELECT tenant_id || toString(expires_on) AS who FROM events ORDER BY who").rows
    return [row["who"] for row in rows]


def test_two_migrations_at_once_make_one_schema_and_a_third_does_nothing(address: ClickHouseAddress) -> None:
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: Schema(address, "MergeTree").bring_up_to_date(migrations()), range(2)))
    assert Schema(address, "MergeTree").bring_up_to_date(migrations()) == []
    connected = Warehouse(address, 30)
    tables = connected.select("SELECT name FROM system.tables WHERE database = currentDatabase()").rows
    assert sorted(row["name"] for row in tables) == ["events", "events_trial", "schema_migrations"]
    connected.close()


def test_expired_days_are_dropped_for_every_tenant_and_nothing_else(warehouse: Warehouse) -> None:
    for days in (-2, -1, 0, 15):
        day = TODAY + timedelta(days=days)
        for tenant, bulk in (("acme", True), ("beta", False)):
            row = staged(tenant_id=tenant, message=f"{tenant} {day}")
            load(warehouse, [row], f"expiring-{tenant}-{day}", day, bulk=bulk)
    partitions = Partitions(warehouse)
    done = purge(partitions, TODAY, {})
    assert (done.partitions, done.rows, done.failed, done.oldest_left) == (2, 4, 0, "2026-11-23")
    assert done.bytes > 0
    assert _tenants(warehouse) == ["acme2026-11-23", "acme2026-12-08", "beta2026-11-23", "beta2026-12-08"]


def test_a_purge_that_runs_again_finds_nothing_to_do(warehouse: Warehouse) -> None:
    load(warehouse, [staged()], "once", TODAY - timedelta(days=1))
    partitions = Partitions(warehouse)
    assert purge(partitions, TODAY, {}).partitions == 1
    assert purge(partitions, TODAY, {}).partitions == 0
    assert purge(partitions, TODAY, {}).oldest_left is None


def test_a_missing_partition_is_not_an_error(warehouse: Warehouse) -> None:
    load(warehouse, [staged()], "gone", TODAY - timedelta(days=1))
    partitions = Partitions(warehouse)
    (expired,) = partitions.all()
    partitions.drop(expired)
    partitions.drop(expired)
    assert partitions.all() == []


def test_a_row_lives_for_all_the_days_of_its_plan(warehouse: Warehouse) -> None:
    received, plan_days = TODAY, 15
    load(warehouse, [staged()], "lives", received + timedelta(days=plan_days))
    partitions = Partitions(warehouse)
    assert purge(partitions, received + timedelta(days=plan_days), {}).partitions == 0
    assert purge(partitions, received + timedelta(days=plan_days + 1), {}).partitions == 1


def _received(tenant: TenantId, days_ago: int, kept_days: int, warehouse: Warehouse) -> None:
    """Two rows of `tenant`, from the first and the last moment of that day."""
    day = TODAY - timedelta(days=days_ago)
    moments = (f"{day} 00:00:00.000000", f"{day} 23:59:59.999999")
    rows = [
        staged('{"a": 1}', tenant_id=tenant, received_at=at, message=f"{days_ago} days ago") for at in moments
    ]
    for row, bulk in zip(rows, (False, True), strict=True):
        load(warehouse, [row], f"batch{next(_batches)}", day + timedelta(days=kept_days), bulk=bulk)


def _messages(warehouse: Warehouse) -> dict[str, list[str]]:
    """Tenant -> what its rows say, as a search finds them."""
    rows = warehouse.select(
        "SELECT tenant_id, arraySort(groupArray(message)) AS said FROM events "
        "WHERE has(metadata_tokens, '?a') GROUP BY tenant_id"
    ).rows
    return {row["tenant_id"]: row["said"] for row in rows}


def test_a_longer_plan_keeps_its_own_rows_of_a_partition_that_is_over(warehouse: Warehouse) -> None:
    for tenant in (ACME, GLOBEX):
        _received(tenant, 16, 15, warehouse)
    _received(ACME, 31, 30, warehouse)
    partitions = Partitions(warehouse)
    done = purge(partitions, TODAY, {ACME: Limit(30), GLOBEX: Limit(15)})
    assert (done.partitions, done.thinned, done.rows, done.failed) == (0, 1, 4, 0)
    assert done.bytes > 0
    assert _messages(warehouse) == {ACME: ["16 days ago"] * 2}
    assert done.oldest_received == f"{TODAY - timedelta(days=16)} 00:00:00.000000"
    again = purge(partitions, TODAY, {ACME: Limit(30), GLOBEX: Limit(15)})
    assert not again.is_notable
    assert purge(partitions, TODAY + timedelta(days=15), {ACME: Limit(30)}).partitions == 1


def test_a_shorter_plan_removes_exactly_the_rows_that_are_too_old_for_it(warehouse: Warehouse) -> None:
    for tenant in (ACME, GLOBEX):
        for days_ago in (14, 15, 16, 29):
            _received(tenant, days_ago, 30, warehouse)
    partitions = Partitions(warehouse)
    done = purge(partitions, TODAY, {ACME: Limit(15, binding=True), GLOBEX: Limit(30)}, [ACME])
    assert (done.shortened, done.rows, done.failed) == (2, 4, 0)
    assert _messages(warehouse) == {
        ACME: ["14 days ago", "14 days ago", "15 days ago", "15 days ago"],
        GLOBEX: sorted(f"{days_ago} days ago" for days_ago in (14, 15, 16, 29) for _ in range(2)),
    }
    assert not purge(partitions, TODAY, {ACME: Limit(15, binding=True)}, [ACME]).is_notable


def test_a_tenant_that_moves_to_byoc_has_no_row_left(warehouse: Warehouse) -> None:
    for tenant in (ACME, GLOBEX):
        _received(tenant, 7, 15, warehouse)
    done = purge(Partitions(warehouse), TODAY, {ACME: Limit(0, binding=True)}, [ACME])
    assert done.rows == 2
    assert _messages(warehouse) == {GLOBEX: ["7 days ago"] * 2}


def test_two_runs_at_once_delete_what_is_expired_and_nothing_else(
    address: ClickHouseAddress, warehouse: Warehouse
) -> None:
    for tenant in (ACME, GLOBEX):
        _received(tenant, 16, 15, warehouse)
        _received(tenant, 20, 30, warehouse)
    limits = {ACME: Limit(30), GLOBEX: Limit(15, binding=True)}
    connections = [Warehouse(address, 30) for _ in range(2)]
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda each: purge(Partitions(each), TODAY, limits, [GLOBEX]), connections))
    purge(Partitions(warehouse), TODAY, limits, [GLOBEX])
    assert _messages(warehouse) == {ACME: ["16 days ago", "16 days ago", "20 days ago", "20 days ago"]}
    for each in connections:
        each.close()


def test_thousands_of_tenants_fit_into_a_statement(warehouse: Warehouse) -> None:
    _received(ACME, 20, 30, warehouse)
    crowd = [TenantId(f"tenant-with-a-long-name-{number:06}") for number in range(12_000)]
    limits = {tenant: Limit(15, binding=True) for tenant in [*crowd, ACME]}
    assert purge(Partitions(warehouse), TODAY, limits, [*crowd, ACME]).rows == 2


def test_the_oldest_row_of_an_empty_table_is_none(warehouse: Warehouse) -> None:
    assert Partitions(warehouse).oldest_received() is None
