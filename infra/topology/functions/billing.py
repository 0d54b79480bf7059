"""Billing: Stripe subscriptions; usage counted, reported and reconciled.

Functions that update an account's billing need similar settings and grants: defined once, above them.
"""

from infra.topology.settings import API
from infra.topology.shape import Function, Route
from infra.topology.throttles import WEBHOOK

BILLING_SETTINGS = {
    "accounts_table": "table:accounts",
    "billing_table": "table:billing",
    "usage_table": "table:usage",
    "audit_table": "table:audit",
    "notices_table": "table:notices",
}
"""Settings to change an account's billing record and status by usage."""

STRIPE_SETTINGS = {**BILLING_SETTINGS, "stripe_secret": "secret:stripe", "stripe_address": "service:stripe"}
"""Settings to change them by Stripe's state, too."""

BILLING_GRANTS = (
    "read:table:accounts",
    "write:table:accounts",
    "read:table:billing",
    "write:table:billing",
    "read:table:usage",
    "append:table:audit",
    "write:table:notices",
)

STRIPE_GRANTS = (*BILLING_GRANTS, "read:secret:stripe")

FUNCTIONS = (
    Function(
        name="billing",
        handler="functions.billing.handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={
            **STRIPE_SETTINGS,
            "destinations_table": "table:destinations",
            "dashboard_address": API,
        },
        grants=(*STRIPE_GRANTS, "read:table:destinations"),
        routes=(
            Route("GET", "/v1/billing"),
            Route("PATCH", "/v1/billing"),
            Route("POST", "/v1/billing/checkout"),
            Route("POST", "/v1/billing/plan"),
            Route("POST", "/v1/billing/portal"),
            Route("GET", "/v1/usage"),
        ),
    ),
    Function(
        name="stripe-webhook",
        handler="functions.billing.webhook_handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={**STRIPE_SETTINGS, "stripe_events_table": "table:stripe-events"},
        grants=(*STRIPE_GRANTS, "read:table:stripe-events", "write:table:stripe-events"),
        routes=(Route("POST", "/v1/stripe/webhook", auth=False, throttle=WEBHOOK),),
        reserved_concurrency=10,
    ),
    Function(
        name="bookkeeper",
        handler="functions.billing.bookkeeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings=dict(STRIPE_SETTINGS),
        grants=(*STRIPE_GRANTS, "scan:table:billing", "scan:table:accounts"),
        schedule_minutes=10,
    ),
    Function(
        name="closer",
        handler="functions.billing.closer.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={**STRIPE_SETTINGS, "closing_loading_seconds": "900", "closing_invoice_seconds": "3600"},
        grants=(*STRIPE_GRANTS, "write:table:usage", "scan:table:billing"),
        schedule_minutes=5,
    ),
    Function(
        name="meter",
        handler="functions.billing.meter.handler",
        memory_mb=512,
        timeout_seconds=120,
        settings={**BILLING_SETTINGS, "ledger_table": "table:ledger"},
        grants=(*BILLING_GRANTS, "write:table:usage", "read:table:ledger", "write:table:ledger"),
        schedule_minutes=1,
    ),
    Function(
        name="report",
        handler="functions.billing.report.handler",
        memory_mb=512,
        timeout_seconds=600,
        settings=dict(STRIPE_SETTINGS),
        grants=(*STRIPE_GRANTS, "write:table:usage", "scan:table:billing"),
        schedule_minutes=60,
    ),
    Function(
        name="reconcile",
        handler="functions.billing.reconcile.handler",
        memory_mb=1024,
        timeout_seconds=900,
        settings={
            "ledger_table": "table:ledger",
            "usage_table": "table:usage",
            "billing_table": "table:billing",
            "accounts_table": "table:accounts",
            "erasures_table": "table:erasures",
            "warehouse_secret": "secret:warehouse",
            "stripe_secret": "secret:stripe",
            "stripe_address": "service:stripe",
        },
        grants=(
            "read:table:ledger",
            "read:table:usage",
            "scan:table:usage",
            "write:table:usage",
            "scan:table:billing",
            "read:table:erasures",
            "read:secret:warehouse",
            "read:secret:stripe",
        ),
        schedule_minutes=1440,
    ),
)
