"""What ClickHouse returns, as rows and pages: their order, their cursor, their statistics."""
