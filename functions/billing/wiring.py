"""The parts of billing's functions put together, from what they are told."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from functions.billing.apply import Desk
from functions.billing.books import Books
from functions.billing.caretaker import Caretaker
from functions.billing.catalogue import meter_of
from functions.billing.reporter import Reporter
from functions.billing.stripe_contract import Stripe
from functions.billing.stripe_gate import StripeGate
from functions.billing.stripe_secret import StripeSecret, stripe_secret
from functions.billing.usage import Usage
from functions.shared.account.audit import Audit
from functions.shared.account.notices import Notices
from functions.shared.secret_store import read_secret


@dataclass(frozen=True, slots=True)
class CaretakingSettings:
    """What it takes to change an account's book and standing by what was used."""

    accounts_table: str
    billing_table: str
    usage_table: str
    audit_table: str
    notices_table: str


@dataclass(frozen=True, slots=True)
class BookkeepingSettings(CaretakingSettings):
    """What it takes to change them by what Stripe says, too."""

    stripe_secret: str
    stripe_address: str


def secret_of(settings: BookkeepingSettings) -> StripeSecret:
    """The secret as it is now."""
    return stripe_secret(read_secret(settings.stripe_secret))


def gate_of(settings: BookkeepingSettings, secret: StripeSecret) -> StripeGate:
    """Stripe, at the address of the settings."""
    return StripeGate(secret.api_key, settings.stripe_address)


def books_of(settings: CaretakingSettings, client: Any) -> Books:
    """The books, in one DynamoDB client."""
    return Books(settings.billing_table, settings.accounts_table, client)


def usage_of(settings: CaretakingSettings, client: Any) -> Usage:
    """What was stored; every desk must have the same, or it would take back what another has capped."""
    return Usage(settings.usage_table, client)


def desk_of(
    settings: BookkeepingSettings, client: Any, stripe: Stripe, clock: Callable[[], float] = time.time
) -> Desk:
    """The desk around one DynamoDB client and one Stripe."""
    return _desk(settings, client, stripe, clock)


def caretaker_of(
    settings: CaretakingSettings, client: Any, clock: Callable[[], float] = time.time
) -> Caretaker:
    """The caretaker around one DynamoDB client. It settles from what is here and asks Stripe nothing."""
    desk = _desk(settings, client, cast(Stripe, None), clock)
    outbox = Notices(settings.notices_table, client, clock)
    return Caretaker(books_of(settings, client), usage_of(settings, client), desk, outbox, clock)


def reporter_of(
    settings: BookkeepingSettings, client: Any, stripe: Stripe, clock: Callable[[], float] = time.time
) -> Reporter:
    """Who tells Stripe of usage."""
    return Reporter(usage_of(settings, client), stripe, cache(lambda: meter_of(stripe)), clock)


def _desk(settings: CaretakingSettings, client: Any, stripe: Stripe, clock: Callable[[], float]) -> Desk:
    return Desk(
        books=books_of(settings, client),
        stripe=stripe,
        usage=usage_of(settings, client),
        audit=Audit(settings.audit_table, client, clock),
        outbox=Notices(settings.notices_table, client, clock),
        clock=clock,
    )
