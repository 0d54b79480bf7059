"""What people are told by mail and in the dashboard: sent, unsubscribed from, and what comes back of it."""
