"""Closer: ends accounts at Stripe whose closing was requested.

Trigger: the scheduler, every five minutes. Promise: the last usage is reported, the subscription is canceled
and its last invoice collected, the customer is deleted at Stripe and in our tables, each once, in this order.
Then the account's billing record is marked as closed, and the stores with its data may be erased. Failure:
the next run does the remaining steps. Closings that take more than a day are counted.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.billing.stripe_contract import StripeApi
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.subscriptions.stripe_offboarding import FinalUsage, StripeOffboarding
from functions.billing.wiring import (
    BillingSettings,
    billing_service_of,
    billing_store_of,
    meter_event_sender_of,
    stripe_client_of,
)
from functions.shared import journal
from functions.shared.errors import AstralogError
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

FUNCTION = "closer"

SLOW_SECONDS = 86_400

RESERVE_SECONDS = 120
"""The longest time one account may take while Stripe is slow."""


@dataclass(frozen=True, slots=True)
class Settings(BillingSettings):
    closing_loading_seconds: int
    closing_invoice_seconds: int


def run(
    closer: StripeOffboarding, records: BillingStore, has_time: Callable[[], bool] = lambda: True
) -> dict[str, int]:
    """Run once: how many accounts were closed, are waiting, and have waited for more than a day.

    The order is random, so that a slow Stripe and a lack of time do not always skip the same accounts.
    """
    counts = {"closed": 0, "waiting": 0, "slow": 0}
    closing = [each for each in records.all() if each.closing_requested_at is not None and not each.closed_at]
    for record in random.sample(closing, len(closing)):
        state = _tried(closer, record) if has_time() else "unlooked"
        counts["closed" if state == "closed" else "waiting"] += 1
        asked_at = record.closing_requested_at or 0
        counts["slow"] += state != "closed" and closer.service.clock() > asked_at + SLOW_SECONDS
        journal.write("account_closing", tenant_id=record.tenant, state=state)
    return counts


def _tried(closer: StripeOffboarding, record: BillingRecord) -> str:
    """The state of the closing, or the error that stopped it."""
    try:
        return closer.close(record)
    except AstralogError as fault:
        return type(fault).__name__


@cache
def _offboarding() -> tuple[StripeOffboarding, BillingStore]:
    settings = load(Settings)
    return offboarding(
        settings, open_client(), stripe_client_of(settings.stripe_secret, settings.stripe_address)
    )


def offboarding(
    settings: Settings,
    client: Any,
    stripe: StripeApi,
    final_usage: FinalUsage | None = None,
    clock: Callable[[], float] = time.time,
) -> tuple[StripeOffboarding, BillingStore]:
    """Build the dependencies on one DynamoDB client and one Stripe client."""
    records = billing_store_of(settings, client)
    made = StripeOffboarding(
        service=billing_service_of(settings, client, stripe, clock=clock),
        records=records,
        final_usage=final_usage or meter_event_sender_of(settings, client, stripe, clock),
        loading_seconds=settings.closing_loading_seconds,
        invoice_seconds=settings.closing_invoice_seconds,
    )
    return made, records


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    counts = run(*_offboarding(), lambda: context.get_remaining_time_in_millis() > RESERVE_SECONDS * 1000)
    journal.measure(
        FUNCTION, {"AccountsClosed": (counts["closed"], "Count"), "ClosingsSlow": (counts["slow"], "Count")}
    )
    return counts
