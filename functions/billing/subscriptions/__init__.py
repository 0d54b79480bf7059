"""Subscriptions: an account's billing record, what it permits, payments, notices."""
