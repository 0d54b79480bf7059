"""The rows of a tenant who sends many lie in no part with the few rows of another."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.privacy.erasure.rows import EventRows
from functions.privacy.erasure.subject import Subject
from functions.retention.partitions import Partitions
from functions.shared.schema.migration_files import Migration, migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.crash.erasing import PATIENCE_SECONDS
from tests.integration.earlier_tables import migrations_before_bulk
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse

SMALL, LARGE = TenantId("acme"), TenantId("globex")
JANE = Subject(SMALL, "message", "jane@example.org")
UNTIL = datetime(2029, 1, 1, tzinfo=UTC)
BULK_ROWS = 2_000


@pytest.fixture
def schema() -> list[Migration]:
    return migrations()


@pytest.fixture
def warehouse(tmp_path: Path, schema: list[Migration]) -> Iterator[Warehouse]:
    """Batches with a row of SMALL and with many of LARGE, in turns; what can be merged is merged."""
    with clickhouse(tmp_path) as address:
        Schema(address).bring_up_to_date(schema)
        connected = Warehouse(address, 60)
        for number in range(5):
            bulk = number % 2 == 1
            tenant, lines = (LARGE, BULK_ROWS) if bulk else (SMALL, 1)
            rows = [staged(tenant_id=tenant, message=f"line {line}") for line in range(lines)]
            load(connected, rows, f"batch{number}", bulk=bulk)
        load(connected, [staged(tenant_id=SMALL, message=f"to {JANE.value}")], "jane")
        connected.command("OPTIMIZE TABLE events FINAL")
        yield connected
        connected.close()


def parts(warehouse: Warehouse) -> dict[str, int]:
    """The path of each active part and its rows."""
    found = warehouse.select("SELECT path, rows FROM system.parts WHERE active AND table = 'events'").rows
    return {row["path"]: int(row["rows"]) for row in found}


def files_of_bulk(warehouse: Warehouse) -> set[int]:
    """The inodes of the files with the rows of LARGE: a part that is rewritten has others."""
    (path,) = [path for path, rows in parts(warehouse).items() if rows >= BULK_ROWS]
    return {each.stat().st_ino for each in Path(path).glob("*.bin")}


def test_no_merge_joins_bulk_with_the_few_rows_of_another_tenant(warehouse: Warehouse) -> None:
    tenants = warehouse.select(
        "SELECT _part, groupUniqArray(tenant_id) AS tenants, count() AS rows FROM events GROUP BY _part"
    ).rows
    assert sorted((row["tenants"], int(row["rows"])) for row in tenants) == [
        ([SMALL], 4),
        ([LARGE], 2 * BULK_ROWS),
    ]


def test_an_erasure_beside_bulk_rewrites_its_own_part_only(warehouse: Warehouse) -> None:
    before = files_of_bulk(warehouse)
    assert EventRows(warehouse, PATIENCE_SECONDS).erase(JANE, UNTIL)
    assert sorted(parts(warehouse).values()) == [3, 2 * BULK_ROWS]
    assert files_of_bulk(warehouse) >= before


@pytest.mark.parametrize("schema", [migrations_before_bulk()], ids=["a table from before"])
def test_a_table_from_before_takes_bulk_and_keeps_one_partition_a_day(warehouse: Warehouse) -> None:
    assert list(parts(warehouse).values()) == [2 * BULK_ROWS + 4]
    (day,) = Partitions(warehouse).all()
    assert day.rows == 2 * BULK_ROWS + 4


def test_a_day_with_bulk_is_one_day_for_retention_and_leaves_whole(warehouse: Warehouse) -> None:
    partitions = Partitions(warehouse)
    (day,) = partitions.all()
    assert (day.rows, len(parts(warehouse))) == (2 * BULK_ROWS + 4, 2)
    partitions.drop(day)
    assert partitions.all() == []
    assert warehouse.select("SELECT count() AS rows FROM events").whole("rows") == 0
