"""Quarantine: list rows that ClickHouse rejected, and replay them once the cause is fixed."""
