"""Requests of clients that cannot be installed here, and the rules by which they read a response."""
