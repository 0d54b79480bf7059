"""Keys and secrets by name. What a secret says stands nowhere in the project."""

KEYS = ("credentials",)
"""KMS keys beside the one that encrypts everything at rest; `credentials` seals what customers entrust."""

SECRETS = ("warehouse", "search", "stripe")
"""Secrets Manager secrets; `warehouse` and `search` hold the JSON of functions.shared.address.Address, with
different users of one ClickHouse: searches read only (docs/deployment.md); `stripe` holds that of
functions.billing.stripe_secret.StripeSecret."""

WAREHOUSE_SECRETS = ("warehouse", "search")
"""Those that say where our ClickHouse is."""
