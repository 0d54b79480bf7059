"""`GET /v1/tail`: new events in the order in which they were loaded."""
