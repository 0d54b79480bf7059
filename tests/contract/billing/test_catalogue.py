"""Against the fake Stripe: the catalogue is made once, changed by new prices, and finished after a crash."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from functions.billing import catalogue
from functions.billing.stripe_contract import (
    StripeUnavailableError,
)
from functions.shared.accounts.account_status import account_status_on
from functions.shared.plans import PLANS
from tests.unit.billing.shop import Shop


def test_the_catalogue_is_made_once_and_the_same_again_changes_nothing(here: Shop) -> None:
    assert catalogue.sync(here.gate) == []
    prices = here.here.api.prices.list({"limit": 100, "expand": ["data.tiers"]}).data
    assert len(prices) == 6
    tiered = next(each for each in prices if each.lookup_key == "astralog_managed_15_bytes")
    assert [tier.up_to for tier in tiered.tiers or []] == [100 * 10**9, None]
    assert (tiered.tiers or [])[1].unit_amount_decimal == Decimal("0.00000002")
    assert here.here.api.billing.meters.retrieve(catalogue.meter_of(here.gate)).event_name == "astralog_bytes"
    here.here.settle()
    assert len(here.here.api.products.list().data) == 3


def test_a_dry_run_says_what_would_be_done_and_does_nothing(here: Shop) -> None:
    dearer = replace(PLANS["managed_15"], monthly_cents=3100)
    steps = catalogue.sync(here.gate, dry_run=True, plans=[dearer])
    assert [each.says for each in steps] == ["make the price astralog_managed_15_month anew"]
    assert catalogue.sync(here.gate) == []


def test_another_amount_is_another_price_and_who_pays_by_the_old_one_keeps_the_plan(here: Shop) -> None:
    acme = here.subscribed("acme", "managed_15")
    old = catalogue.prices_of(here.gate, "managed_15")
    dearer = replace(PLANS["managed_15"], monthly_cents=3100, cents_a_gb=25, title="Managed, new")
    kinds = [each.kind for each in catalogue.sync(here.gate, plans=[dearer])]
    assert kinds == ["product", "price", "price", "price", "price"]
    assert catalogue.sync(here.gate, plans=[dearer]) == []
    new = catalogue.prices_of(here.gate, "managed_15")
    assert set(new).isdisjoint(old)
    assert [here.here.api.prices.retrieve(each).active for each in (*old, *new)] == [False] * 2 + [True] * 2
    here.here.advance(32)
    here.deliver()
    assert here.account_status(acme) == account_status_on(PLANS["managed_15"])
    assert here.subscription(acme)["items"]["data"][0]["price"]["id"] == old[0]


def test_a_sync_that_dies_at_any_step_is_finished_by_the_next(here: Shop) -> None:
    dearer = [replace(plan, monthly_cents=plan.monthly_cents + 1) for plan in PLANS.values() if plan.sold]

    class Dying:
        def __init__(self, left: int) -> None:
            self.left = left

        def __getattr__(self, name: str) -> Any:
            if name in ("create", "update"):
                if not self.left:
                    raise StripeUnavailableError("dead")
                self.left -= 1
            return getattr(here.gate, name)

    # Six changes, three new prices and three to be archived; each run makes one and dies at the next.
    for _ in range(5):
        with pytest.raises(StripeUnavailableError):
            catalogue.sync(Dying(1), plans=dearer)
    assert len(catalogue.sync(Dying(1), plans=dearer)) == 1
    assert catalogue.sync(here.gate, plans=dearer) == []
    active = [each for each in here.here.api.prices.list({"limit": 100}).data if each.active]
    assert len(active) == 6


# The gate.
