"""Load staged objects into ClickHouse, exactly once."""
