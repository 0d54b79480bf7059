"""All imitated routes of the API."""

from fake_stripe import (
    changes,
    charges,
    checkout,
    collect,
    customers,
    disputes,
    endpoints,
    invoices,
    meters,
    payment_methods,
    portal,
    prices,
    products,
    subscriptions,
)

# `/v1/invoices/create_preview` must precede `/v1/invoices/{id}`.
ROUTES = [
    *changes.ROUTES,
    *collect.ROUTES,
    *invoices.ROUTES,
    *customers.ROUTES,
    *products.ROUTES,
    *prices.ROUTES,
    *meters.ROUTES,
    *payment_methods.ROUTES,
    *charges.ROUTES,
    *subscriptions.ROUTES,
    *checkout.ROUTES,
    *portal.ROUTES,
    *disputes.ROUTES,
    *endpoints.ROUTES,
]
