"""The parts of billing's functions put together, from what they are told."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from functions.billing.apply import Desk, NoUsage, Usage
from functions.billing.books import Books
from functions.billing.caretaker import Caretaker
from functions.billing.stripe_contract import Stripe
from functions.billing.stripe_gate import StripeGate
from functions.billing.stripe_secret import StripeSecret, stripe_secret
from functions.billing.usage import Usage as UsageTable
from functions.shared.account.audit import Audit
from functions.shared.account.notices import Notices
from functions.shared.secret_store import read_secret


@dataclass(frozen=True, slots=True)
class BookkeepingSettings:
    """What it takes to change an account's book and standing by what Stripe says."""

    accounts_table: str
    billing_table: str
    audit_table: str
    notices_table: str
    stripe_secret: str
    stripe_address: str


@dataclass(frozen=True, slots=True)
class CaretakingSettings:
    """What it takes to look after accounts as their usage grows; Stripe is not asked for that."""

    usage_table: str
    accounts_table: str
    billing_table: str
    audit_table: str
    notices_table: str


def secret_of(settings: BookkeepingSettings) -> StripeSecret:
    """The secret as it is now."""
    return stripe_secret(read_secret(settings.stripe_secret))


def gate_of(settings: BookkeepingSettings, secret: StripeSecret) -> StripeGate:
    """Stripe, at the address of the settings."""
    return StripeGate(secret.api_key, settings.stripe_address)


def books_of(settings: BookkeepingSettings, client: Any) -> Books:
    """The books, in one DynamoDB client."""
    return Books(settings.billing_table, settings.accounts_table, client)


def usage_of(_settings: BookkeepingSettings, _client: Any) -> Usage:
    """What was stored; every desk must have the same, or it would take back what another has capped."""
    return NoUsage()


def desk_of(
    settings: BookkeepingSettings,
    client: Any,
    stripe: Stripe,
    usage: Usage | None = None,
    clock: Callable[[], float] = time.time,
) -> Desk:
    """The desk around one DynamoDB client and one Stripe. `usage`: for tests."""
    return Desk(
        books=books_of(settings, client),
        stripe=stripe,
        usage=usage or usage_of(settings, client),
        audit=Audit(settings.audit_table, client, clock),
        outbox=Notices(settings.notices_table, client, clock),
        clock=clock,
    )


def caretaker_of(
    settings: CaretakingSettings, client: Any, usage: UsageTable, clock: Callable[[], float] = time.time
) -> Caretaker:
    """The caretaker around one DynamoDB client."""
    books = Books(settings.billing_table, settings.accounts_table, client)
    outbox = Notices(settings.notices_table, client, clock)
    no_stripe = cast(Stripe, None)  # A standing is settled from what is here.
    desk = Desk(books, no_stripe, usage, Audit(settings.audit_table, client, clock), outbox, clock)
    return Caretaker(books, usage, desk, outbox, clock)
