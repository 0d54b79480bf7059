"""Builds the dependencies of billing's functions from their settings."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from functions.billing.catalogue import meter_of
from functions.billing.reporting.meter_event_sender import MeterEventSender
from functions.billing.stripe_client import StripeSdkClient
from functions.billing.stripe_contract import StripeApi, StripeUnavailableError
from functions.billing.stripe_secret import StripeSecret, stripe_secret
from functions.billing.subscriptions.billing_service import BillingService
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.usage.follow_ups import FollowUps
from functions.billing.usage.usage_store import UsageStore
from functions.shared.accounts.audit import AuditTrail
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.secret_contract import SecretsUnavailableError
from functions.shared.secret_store import read_secret
from functions.shared.secret_text import SecretText


@dataclass(frozen=True, slots=True)
class FollowUpSettings:
    """Settings to change an account's billing record and status by usage."""

    accounts_table: str
    billing_table: str
    usage_table: str
    audit_table: str
    notices_table: str


@dataclass(frozen=True, slots=True)
class BillingSettings(FollowUpSettings):
    """Settings to change them also by Stripe's state."""

    stripe_secret: str
    stripe_address: str


def secret_of(name: str) -> StripeSecret:
    """The value that the secret `name` has now; see functions.shared.secret_store."""
    return stripe_secret(read_secret(name).reveal())


def stripe_client_of(secret: str, address: str) -> StripeSdkClient:
    """The Stripe client at `address`, with the key that the secret of that name has at each call."""

    def api_key() -> SecretText:
        try:
            return secret_of(secret).api_key
        except SecretsUnavailableError as fault:
            raise StripeUnavailableError(str(fault)) from None

    return StripeSdkClient(api_key, address)


def billing_store_of(
    settings: FollowUpSettings, client: Any, clock: Callable[[], float] = time.time
) -> BillingStore:
    """The billing records, on one DynamoDB client."""
    return BillingStore(settings.billing_table, settings.accounts_table, client, clock)


def usage_store_of(settings: FollowUpSettings, client: Any) -> UsageStore:
    """The stored usage. Every `BillingService` needs the same, or one lifts a cap that another applied."""
    return UsageStore(settings.usage_table, client)


def billing_service_of(
    settings: BillingSettings, client: Any, stripe: StripeApi, clock: Callable[[], float] = time.time
) -> BillingService:
    """The `BillingService` on one DynamoDB client and one Stripe client."""
    return _billing_service(settings, client, stripe, clock)


def follow_ups_of(
    settings: FollowUpSettings, client: Any, clock: Callable[[], float] = time.time
) -> FollowUps:
    """The follow-ups on one DynamoDB client. It computes from stored data and does not call Stripe."""
    service = _billing_service(settings, client, cast(StripeApi, None), clock)
    outbox = NoticeOutbox(settings.notices_table, client, clock)
    return FollowUps(
        billing_store_of(settings, client, clock), usage_store_of(settings, client), service, outbox, clock
    )


def meter_event_sender_of(
    settings: BillingSettings, client: Any, stripe: StripeApi, clock: Callable[[], float] = time.time
) -> MeterEventSender:
    """The reporter that sends usage to Stripe."""
    return MeterEventSender(usage_store_of(settings, client), stripe, cache(lambda: meter_of(stripe)), clock)


def _billing_service(
    settings: FollowUpSettings, client: Any, stripe: StripeApi, clock: Callable[[], float]
) -> BillingService:
    return BillingService(
        records=billing_store_of(settings, client, clock),
        stripe=stripe,
        usage=usage_store_of(settings, client),
        audit=AuditTrail(settings.audit_table, client, clock),
        outbox=NoticeOutbox(settings.notices_table, client, clock),
        clock=clock,
    )
