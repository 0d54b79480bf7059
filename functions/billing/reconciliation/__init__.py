"""Compares counted usage with ClickHouse and with Stripe."""
