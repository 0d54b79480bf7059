"""A bulk insert on the engine: accepted with its priority, and the same batch as an insert without it."""

from datetime import date
from pathlib import Path

import pytest
from backports import zstd

from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.sync import plan as planning
from functions.sync.ledger import SEALED, Batch
from functions.sync.load import EventsTable, is_shared_bulk
from functions.sync.notifications import StagedObject
from functions.sync.plan import MANAGED, Manifest
from tests.integration.loading import staged
from tests.integration.warehouse_process import clickhouse

EXPIRES_ON = date(2030, 1, 1)


def batch_of(tenants: tuple[str, ...], rows_each: int) -> Batch:
    objects = tuple(
        StagedObject(
            str(StagedKey(TenantId(each), date(2026, 11, 23), time_ordered_id(), rows_each, 300, EXPIRES_ON)),
            "etag",
            100,
        )
        for each in tenants
    )
    manifest = Manifest(MANAGED, EXPIRES_ON, objects)
    return Batch(manifest, manifest.batch_id, SEALED, objects)


def test_a_batch_of_bulk_is_stored_once_with_and_without_its_priority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version without the priority may repeat the insert of one with it, and the other way round."""
    batch = batch_of(("acme", "globex"), 30)
    rows = [
        staged(tenant_id=each, message=f"m{number}") for each in ("acme", "globex") for number in range(30)
    ]
    frames = zstd.compress(b"".join(rows), 1)
    with clickhouse(tmp_path) as address:
        Schema(address, "MergeTree").bring_up_to_date(migrations())
        warehouse = Warehouse(address, 60)
        table = EventsTable(warehouse)
        for limit in (29, 30, 29):
            monkeypatch.setattr(planning, "BULK_ROWS", limit)
            assert is_shared_bulk(batch) == (limit < 30)
            table.insert(batch, frames)
            assert table.count(batch) == len(rows)
        found = warehouse.select(
            "SELECT tenant_id, count() AS rows FROM events GROUP BY tenant_id ORDER BY 1"
        )
        warehouse.close()
    assert [(each["tenant_id"], int(each["rows"])) for each in found.rows] == [("acme", 30), ("globex", 30)]
