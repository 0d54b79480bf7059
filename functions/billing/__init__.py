"""Billing: subscriptions at Stripe, what they entitle to, what was used and what it costs."""
