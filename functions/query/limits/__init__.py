"""What a search may read, and what it costs."""
