"""Rows that ClickHouse refused: shown to their owner, and sent again once the cause is mended."""
