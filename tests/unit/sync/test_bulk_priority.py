"""Which batches are inserted with the priority of bulk: those that would delay other tenants' searches."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.insert_statement import BULK_SETTINGS, INSERT_SETTINGS
from functions.shared.tenancy import TenantId, own_destination
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable
from functions.sync.notifications import StagedObject
from functions.sync.plan import BULK_BYTES, BULK_ROWS, MANAGED, Manifest, plan

DAY = date(2026, 12, 1)


class Warehouse:
    """Remembers the settings of its inserts."""

    def __init__(self) -> None:
        self.settings: list[Mapping[str, Any]] = []

    def insert(self, _statement: str, _body: bytes, settings: Mapping[str, Any]) -> None:
        self.settings.append(settings)


def staged(number: int, tenant: str, rows: int, raw: int = 300) -> StagedObject:
    key = StagedKey(TenantId(tenant), date(2026, 11, 23), time_ordered_id(number), rows, raw, DAY)
    return StagedObject(str(key), f"etag{number}", 100)


def settings_of(manifest: Manifest) -> Mapping[str, Any]:
    warehouse = Warehouse()
    batch = Batch(manifest, manifest.batch_id, "sealed", manifest.objects)
    EventsTable(warehouse).insert(batch, b"")  # type: ignore[arg-type]
    (settings,) = warehouse.settings
    return settings


@pytest.mark.parametrize(("rows", "raw"), [(BULK_ROWS // 2 + 1, 300), (100, BULK_BYTES // 2 + 1)])
def test_bulk_of_a_tenant_yields_to_others_and_the_rows_of_small_tenants_do_not(rows: int, raw: int) -> None:
    flood = [staged(number, "flood", rows, raw) for number in range(2)]
    small = [staged(10 + number, f"tenant-{number}", BULK_ROWS // 4) for number in range(20)]
    first, second = plan([*flood, *small])
    assert settings_of(first).keys().isdisjoint(BULK_SETTINGS), "however many they are together"
    assert settings_of(second).items() >= BULK_SETTINGS.items()
    assert settings_of(second).items() >= INSERT_SETTINGS.items()
    assert settings_of(second)["insert_deduplication_token"] == second.batch_id


def test_a_customers_own_clickhouse_gets_no_setting_that_its_profile_may_forbid() -> None:
    flood = tuple(staged(number, "flood", BULK_ROWS) for number in range(2))
    own = Manifest(own_destination(TenantId("flood")), DAY, flood)
    assert settings_of(own).keys().isdisjoint(BULK_SETTINGS)
    assert settings_of(Manifest(MANAGED, DAY, flood)).items() >= BULK_SETTINGS.items()
