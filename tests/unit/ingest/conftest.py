from datetime import UTC, datetime

import pytest

from functions.shared.events.row import ReceiptContext
from functions.shared.tenancy import TenantId


@pytest.fixture
def receipt() -> ReceiptContext:
    return ReceiptContext(
        TenantId("acme"), "default", datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC), 30
    )
