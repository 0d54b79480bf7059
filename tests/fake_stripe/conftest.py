"""A fake Stripe on loopback with one plan and two customers."""

from collections.abc import Iterator

import pytest

from tests.fake_stripe.server import Stripe, fake_stripe_server
from tests.fake_stripe.shop import Plan, meter, plan


@pytest.fixture
def here() -> Iterator[Stripe]:
    with fake_stripe_server() as made:
        yield made


@pytest.fixture
def small(here: Stripe) -> Plan:
    return plan(here, "managed_15", 1000, meter(here).id)


@pytest.fixture
def two(here: Stripe) -> tuple[str, str]:
    first, second = (
        here.api.customers.create({"email": f"{name}@example.com"}).id for name in ("first", "second")
    )
    return first, second
