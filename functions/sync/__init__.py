"""Staged objects into ClickHouse, exactly once."""
