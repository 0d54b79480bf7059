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

from functions.billing.checkout import Sales
from functions.billing.own_clouds import OwnClouds
from functions.billing.routes import Office, answer_to
from functions.billing.stripe_contract import Stripe
from functions.billing.wiring import BookkeepingSettings, books_of, desk_of, gate_of, secret_of, usage_of
from functions.shared.http import Answer, Event, answering
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client


@dataclass(frozen=True, slots=True)
class Settings(BookkeepingSettings):
    destinations_table: str
    dashboard_address: str


@cache
def _office() -> Office:
    settings = load(Settings)
    return office(settings, open_client(), gate_of(settings, secret_of(settings)))


def office(settings: Settings, client: Any, stripe: Stripe, clock: Callable[[], float] = time.time) -> Office:
    """Build the handler's dependencies on one DynamoDB client and one Stripe client."""
    desk, books = desk_of(settings, client, stripe, clock=clock), books_of(settings, client, clock)
    own_clouds = OwnClouds(settings.destinations_table, client)
    sales = Sales(desk, books, own_clouds, settings.dashboard_address.rstrip("/"))
    return Office(desk, books, sales, usage_of(settings, client))


@answering
def handler(event: Event) -> Answer:
    """Handle one request to one of billing's routes."""
    return answer_to(event, _office())
