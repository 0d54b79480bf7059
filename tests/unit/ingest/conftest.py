from datetime import UTC, datetime

import pytest

from functions.ingest import handler as ingesting
from functions.shared.judging.rows import Receipt
from functions.shared.tenancy import TenantId
from tests.unit.ingest.protocols import Spoken, SpokenProtocol, install


@pytest.fixture
def receipt() -> Receipt:
    return Receipt(TenantId("acme"), "default", datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC), 30)


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> Spoken:
    """The handler, with the protocol of tests among those of the topology."""
    install(monkeypatch, "spoken", SpokenProtocol())
    here = Spoken()
    monkeypatch.setattr(ingesting, "_ingest", lambda: here.ingest)
    return here
