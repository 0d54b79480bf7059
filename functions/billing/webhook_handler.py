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

from functions.billing.events import Events
from functions.billing.stripe_contract import BadSignatureError, Stripe
from functions.billing.stripe_secret import StripeSecret
from functions.billing.webhook import Intake
from functions.billing.wiring import BookkeepingSettings, books_of, desk_of, gate_of, secret_of
from functions.shared import journal
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

FUNCTION = "stripe-webhook"
SIGNATURE = "stripe-signature"


@dataclass(frozen=True, slots=True)
class Settings(BookkeepingSettings):
    stripe_events_table: str


@cache
def _intake() -> Intake:
    settings = load(Settings)
    secret = secret_of(settings)
    return intake(settings, open_client(), gate_of(settings, secret), secret)


def intake(
    settings: Settings,
    client: Any,
    stripe: Stripe,
    secret: StripeSecret,
    clock: Callable[[], float] = time.time,
) -> Intake:
    """Build the dependencies on one DynamoDB client and one Stripe client."""
    return Intake(
        desk=desk_of(settings, client, stripe, clock=clock),
        owners=books_of(settings, client),
        events=Events(settings.stripe_events_table, client, clock),
        secret=secret.webhook_secret,
        clock=clock,
    )


@answering
def handler(event: Event) -> Answer:
    """Handle one webhook."""
    return answer_to(event, _intake())


def answer_to(event: Event, intake: Intake) -> Answer:
    """The response to one webhook."""
    sent = request(event)
    try:
        outcome = intake.take(sent.body, sent.headers.get(SIGNATURE, ""))
    except BadSignatureError as bad:
        journal.measure(FUNCTION, {"WebhooksRefused": (1, "Count")}, reason=bad.reason)
        raise RefusalError(
            400, "invalid_signature", "The body has no valid, current Stripe signature."
        ) from None
    except RetryableError as fault:
        journal.measure(FUNCTION, {"WebhooksFailed": (1, "Count")}, error_type=type(fault).__name__)
        raise RefusalError(503, "try_again", "The event was not processed: send it again.") from None
    if outcome == "unknown_customer":
        journal.measure(FUNCTION, {"UnknownCustomers": (1, "Count")})
    return answer(200, {"received": True})
