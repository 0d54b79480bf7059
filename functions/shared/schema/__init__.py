"""ClickHouse's schema: `migrate` updates ours; the first function that uses a customer's updates that one."""
