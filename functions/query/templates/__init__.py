"""Templates of messages, merged into patterns and compared. Pure."""
