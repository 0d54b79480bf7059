from datetime import UTC, datetime

import pytest

from functions.ingest import handler as ingesting
from functions.shared.events.row import ReceiptContext
from functions.shared.tenancy import TenantId
from tests.unit.ingest.protocols import InMemoryIngest, SpokenProtocol, install


@pytest.fixture
def receipt() -> ReceiptContext:
    return ReceiptContext(
        TenantId("acme"), "default", datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC), 30
    )


@pytest.fixture
def ingest(monkeypatch: pytest.MonkeyPatch) -> InMemoryIngest:
    """The handler in memory, with the protocol of tests among those of the topology."""
    install(monkeypatch, "spoken", SpokenProtocol())
    here = InMemoryIngest()
    monkeypatch.setattr(ingesting, "_ingest", lambda: here.parts)
    return here
