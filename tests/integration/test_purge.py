"""Migrations and the purge against the real engine."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from functions.retention.partitions import Partitions
from functions.retention.purge import purge
from functions.shared.address import Address
from functions.shared.schema.numbered import migrations
from functions.shared.schema.schema import Schema
from functions.shared.warehouse import Warehouse
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


@pytest.fixture
def warehouse(address: Address) -> Iterator[Warehouse]:
    Schema(address, "MergeTree").bring_up_to_date(migrations())
    connected = Warehouse(address, 30)
    connected.command("TRUNCATE TABLE events")
    yield connected
    connected.close()


def _tenants(warehouse: Warehouse) -> list[str]:
    rows = warehouse.select("SELECT tenant_id || toString(expires_on) AS who FROM events ORDER BY who").rows
    return [row["who"] for row in rows]


def test_two_migrations_at_once_make_one_schema_and_a_third_does_nothing(address: Address) -> None:
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
        rows = [staged(tenant_id=tenant, message=f"{tenant} {day}") for tenant in ("acme", "beta")]
        load(warehouse, rows, f"expiring-{day}", day)
    partitions = Partitions(warehouse)
    done = purge(partitions, TODAY)
    assert (done.partitions, done.rows, done.failed, done.oldest_left) == (2, 4, 0, "2026-11-23")
    assert done.bytes > 0
    assert _tenants(warehouse) == ["acme2026-11-23", "acme2026-12-08", "beta2026-11-23", "beta2026-12-08"]


def test_a_purge_that_runs_again_finds_nothing_to_do(warehouse: Warehouse) -> None:
    load(warehouse, [staged()], "once", TODAY - timedelta(days=1))
    partitions = Partitions(warehouse)
    assert purge(partitions, TODAY).partitions == 1
    assert purge(partitions, TODAY).partitions == 0
    assert purge(partitions, TODAY).oldest_left is None


def test_a_partition_that_is_gone_already_is_no_fault(warehouse: Warehouse) -> None:
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
    assert purge(partitions, received + timedelta(days=plan_days)).partitions == 0
    assert purge(partitions, received + timedelta(days=plan_days + 1)).partitions == 1
