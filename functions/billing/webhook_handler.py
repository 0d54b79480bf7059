"""Stripe webhooks: subscriptions begin, change, are paid and end.

Trigger: API Gateway, POST /v1/stripe/webhook, without the authorizer: Stripe's signature identifies the
caller. Promise: a request without Stripe's signature, or signed more than five minutes from now, gets 400,
changes nothing and is not logged. Every genuine event, in any order, repeated or concurrent, leaves the
account as Stripe has it at that moment. Failure: 503 or 500, and Stripe redelivers the event for three days;
an event is marked as done only after its effects were written.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.billing.stripe_contract import BadSignatureError, StripeApi
from functions.billing.subscriptions.processed_events import ProcessedEvents
from functions.billing.subscriptions.webhook import WebhookProcessor
from functions.billing.wiring import (
    BillingSettings,
    billing_service_of,
    billing_store_of,
    secret_of,
    stripe_client_of,
)
from functions.shared import journal
from functions.shared.errors import HttpError, RetryableError
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.powertools import instrumented
from functions.shared.secret_text import SecretText
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

FUNCTION = "stripe-webhook"
SIGNATURE = "stripe-signature"


@dataclass(frozen=True, slots=True)
class Settings(BillingSettings):
    stripe_events_table: str


@cache
def _webhook_processor() -> WebhookProcessor:
    settings = load(Settings)
    stripe = stripe_client_of(settings.stripe_secret, settings.stripe_address)
    return webhook_processor(
        settings, open_client(), stripe, lambda: secret_of(settings.stripe_secret).webhook_secret
    )


def webhook_processor(
    settings: Settings,
    client: Any,
    stripe: StripeApi,
    webhook_secret: Callable[[], SecretText],
    clock: Callable[[], float] = time.time,
) -> WebhookProcessor:
    """Build the dependencies on one DynamoDB client and one Stripe client."""
    return WebhookProcessor(
        service=billing_service_of(settings, client, stripe, clock=clock),
        owners=billing_store_of(settings, client),
        events=ProcessedEvents(settings.stripe_events_table, client, clock),
        secret=webhook_secret,
        clock=clock,
    )


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one webhook."""
    return answer_to(event, _webhook_processor())


def answer_to(event: Event, intake: WebhookProcessor) -> Answer:
    """The response to one webhook."""
    sent = request(event)
    try:
        outcome = intake.take(sent.body, sent.headers.get(SIGNATURE, ""))
    except BadSignatureError as bad:
        journal.measure(FUNCTION, {"WebhooksRefused": (1, "Count")}, reason=bad.reason)
        raise HttpError(
            400, "invalid_signature", "The body has no valid, current Stripe signature."
        ) from None
    except RetryableError as fault:
        journal.measure(FUNCTION, {"WebhooksFailed": (1, "Count")}, error_type=type(fault).__name__)
        raise
    if outcome == "unknown_customer":
        journal.measure(FUNCTION, {"UnknownCustomers": (1, "Count")})
    return answer(200, {"received": True})
