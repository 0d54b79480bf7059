"""Keys and secrets by name. What a secret says stands nowhere in the project."""

KEYS = ("credentials",)
"""KMS keys beside the one that encrypts everything at rest; `credentials` seals what customers entrust."""

SECRETS = ("warehouse", "stripe")
"""Secrets Manager secrets; `warehouse` holds the JSON of functions.shared.address.Address, `stripe` that of
functions.billing.stripe_secret.StripeSecret."""
