"""Rows put into the events table by sync's own statement, without the rest of sync."""

import json
from datetime import date
from typing import Any

from backports import zstd

from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable
from functions.sync.notifications import StagedObject
from functions.sync.plan import BULK_ROWS, Manifest


def staged(metadata: str = "{}", **columns: str) -> bytes:
    """A staged row; `metadata` is JSON text that goes in as it is."""
    row: dict[str, Any] = {
        "tenant_id": "acme",
        "project_id": "shop",
        "timestamp": "2026-11-01 12:00:00.000000000",
        "received_at": "2026-11-01 12:00:01.000000",
        "level": "info",
        "service": "gateway",
        "message": "hello",
        "trace_id": "",
        "span_id": "",
        **columns,
    }
    return json.dumps(row)[:-1].encode() + b', "metadata": ' + metadata.encode() + b"}\n"


def load(
    warehouse: Warehouse,
    rows: list[bytes],
    batch_id: str = "b1",
    expires_on: date = date(2030, 1, 1),
    *,
    bulk: bool = False,
) -> None:
    """Insert `rows` as one batch; as `bulk`, its one object says that it has more of them."""
    key = StagedKey(TenantId("acme"), expires_on, time_ordered_id(), BULK_ROWS + bulk, 1, expires_on)
    member = StagedObject(str(key), "etag", 1)
    batch = Batch(Manifest("managed", expires_on, (member,)), batch_id, "sealed", (member,))
    EventsTable(warehouse).insert(batch, zstd.compress(b"".join(rows), 1))
