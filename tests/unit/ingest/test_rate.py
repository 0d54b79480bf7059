"""A tenant over its rate is told to wait; its neighbour is not."""

import pytest

from functions.ingest.rate import BURST_SECONDS, RateLimit
from functions.shared.access import Principal
from functions.shared.errors import RefusalError
from functions.shared.tenancy import TenantId

RATE = 1000


def caller(name: str) -> Principal:
    return Principal(
        tenant=TenantId(name),
        key_id="k",
        project_id="default",
        scopes=frozenset({"ingest"}),
        retention_days=30,
        bytes_per_second=RATE,
        refusal="",
        actor="key:k",
        plan="managed_30",
    )


def test_a_tenant_in_debt_waits_until_it_is_paid() -> None:
    now = [0.0]
    limit = RateLimit(lambda: now[0])
    limit.admit(caller("acme"))
    limit.charge(caller("acme"), RATE * (BURST_SECONDS + 3))
    with pytest.raises(RefusalError) as caught:
        limit.admit(caller("acme"))
    assert (caught.value.status, caught.value.code) == (429, "backpressure_saturated")
    assert caught.value.retry_after_seconds is not None
    assert caught.value.retry_after_seconds <= 2
    limit.admit(caller("globex"))
    now[0] = 3.1
    limit.admit(caller("acme"))


def test_a_tenant_within_its_rate_never_waits() -> None:
    now = [0.0]
    limit = RateLimit(lambda: now[0])
    for _ in range(1000):
        limit.admit(caller("acme"))
        limit.charge(caller("acme"), RATE // 10)
        now[0] += 0.1
