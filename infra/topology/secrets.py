"""Keys and secrets by name. No secret's value is in the project."""

KEYS = ("credentials",)
"""KMS keys beside the one that encrypts all data at rest; `credentials` encrypts customers' credentials."""

SECRETS = ("warehouse", "search", "stripe")
"""Secrets Manager secrets.

`warehouse` and `search` hold the JSON of functions.shared.clickhouse_address.ClickHouseAddress, with
different users of one ClickHouse: searches read only (docs/deployment.md). `stripe` holds the JSON of
functions.billing.stripe_secret.StripeSecret.
"""

WAREHOUSE_SECRETS = ("warehouse", "search")
"""The secrets with the address of our ClickHouse."""
