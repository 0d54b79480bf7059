"""Billing: Stripe subscriptions, the entitlements they give, usage and its cost."""
