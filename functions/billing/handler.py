"""The routes of billing: subscription, caps, usage, and links to Stripe's pages.

Trigger: API Gateway, with the authorizer's verdict in the context; a key with the scope `admin`, or a
signed-in person. Promise: no caller sees or changes another account; card data never reaches us, because
cards are entered on Stripe's pages; a change and its entry in the audit trail are written together. Failure:
4xx says what to do. 503 means that DynamoDB or Stripe does not answer: check the current state before
repeating a change.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.billing.routes import BillingApi, answer_to
from functions.billing.stripe_contract import StripeApi
from functions.billing.subscriptions.byoc_destinations import ByocDestinations
from functions.billing.subscriptions.checkout import PaymentService
from functions.billing.wiring import (
    BillingSettings,
    billing_service_of,
    billing_store_of,
    stripe_client_of,
    usage_store_of,
)
from functions.shared.http import Answer, Event, answering
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client


@dataclass(frozen=True, slots=True)
class Settings(BillingSettings):
    destinations_table: str
    dashboard_address: str


@cache
def _billing_api() -> BillingApi:
    settings = load(Settings)
    return billing_api(
        settings, open_client(), stripe_client_of(settings.stripe_secret, settings.stripe_address)
    )


def billing_api(
    settings: Settings, client: Any, stripe: StripeApi, clock: Callable[[], float] = time.time
) -> BillingApi:
    """Build the handler's dependencies on one DynamoDB client and one Stripe client."""
    service, records = (
        billing_service_of(settings, client, stripe, clock=clock),
        billing_store_of(settings, client, clock),
    )
    own_clouds = ByocDestinations(settings.destinations_table, client)
    sales = PaymentService(service, records, own_clouds, settings.dashboard_address.rstrip("/"))
    return BillingApi(service, records, sales, usage_store_of(settings, client))


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request to one of billing's routes."""
    return answer_to(event, _billing_api())
