"""Statements of events, run in our ClickHouse, in a customer's, or in both."""
