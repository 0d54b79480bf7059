"""Builds the dependencies of billing's functions from their settings."""

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
from functions.billing.stripe_contract import Stripe, StripeUnavailableError
from functions.billing.stripe_gate import StripeGate
from functions.billing.stripe_secret import StripeSecret, stripe_secret
from functions.billing.usage import Usage
from functions.shared.account.audit import Audit
from functions.shared.account.notices import Notices
from functions.shared.secret_store import SecretsUnavailableError, read_secret
from functions.shared.secret_text import SecretText


@dataclass(frozen=True, slots=True)
class CaretakingSettings:
    """Settings to change an account's book and account status by usage."""

    accounts_table: str
    billing_table: str
    usage_table: str
    audit_table: str
    notices_table: str


@dataclass(frozen=True, slots=True)
class BookkeepingSettings(CaretakingSettings):
    """Settings to change them also by Stripe's state."""

    stripe_secret: str
    stripe_address: str


def secret_of(name: str) -> StripeSecret:
    """The value that the secret `name` has now; see functions.shared.secret_store."""
    return stripe_secret(read_secret(name).reveal())


def gate_of(secret: str, address: str) -> StripeGate:
    """The Stripe client at `address`, with the key that the secret of that name has at each call."""

    def api_key() -> SecretText:
        try:
            return secret_of(secret).api_key
        except SecretsUnavailableError as fault:
            raise StripeUnavailableError(str(fault)) from None

    return StripeGate(api_key, address)


def books_of(settings: CaretakingSettings, client: Any, clock: Callable[[], float] = time.time) -> Books:
    """The books, on one DynamoDB client."""
    return Books(settings.billing_table, settings.accounts_table, client, clock)


def usage_of(settings: CaretakingSettings, client: Any) -> Usage:
    """The stored usage; every `Desk` needs the same, or one would lift a cap that another has applied."""
    return Usage(settings.usage_table, client)


def desk_of(
    settings: BookkeepingSettings, client: Any, stripe: Stripe, clock: Callable[[], float] = time.time
) -> Desk:
    """The `Desk` on one DynamoDB client and one Stripe client."""
    return _desk(settings, client, stripe, clock)


def caretaker_of(
    settings: CaretakingSettings, client: Any, clock: Callable[[], float] = time.time
) -> Caretaker:
    """The caretaker on one DynamoDB client. It computes from stored data and does not call Stripe."""
    desk = _desk(settings, client, cast(Stripe, None), clock)
    outbox = Notices(settings.notices_table, client, clock)
    return Caretaker(books_of(settings, client, clock), usage_of(settings, client), desk, outbox, clock)


def reporter_of(
    settings: BookkeepingSettings, client: Any, stripe: Stripe, clock: Callable[[], float] = time.time
) -> Reporter:
    """The reporter that sends usage to Stripe."""
    return Reporter(usage_of(settings, client), stripe, cache(lambda: meter_of(stripe)), clock)


def _desk(settings: CaretakingSettings, client: Any, stripe: Stripe, clock: Callable[[], float]) -> Desk:
    return Desk(
        books=books_of(settings, client, clock),
        stripe=stripe,
        usage=usage_of(settings, client),
        audit=Audit(settings.audit_table, client, clock),
        outbox=Notices(settings.notices_table, client, clock),
        clock=clock,
    )
