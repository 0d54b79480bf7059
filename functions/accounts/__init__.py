"""Accounts, people, API keys, and the authorizer that runs before every route except the public ones."""
