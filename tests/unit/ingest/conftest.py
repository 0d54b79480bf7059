from datetime import UTC, datetime

import pytest

from functions.shared.judging.rows import Receipt
from functions.shared.tenancy import TenantId


@pytest.fixture
def receipt() -> Receipt:
    return Receipt(TenantId("acme"), "default", datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC), 30)
