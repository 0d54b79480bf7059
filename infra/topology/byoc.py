"""Settings and grants of functions that connect to a BYOC customer's bucket and ClickHouse."""

BYOC_SETTINGS = {
    "destinations_table": "table:destinations",
    "shards_table": "table:shards",
    "credentials_key": "key:credentials",
    "allow_loopback_destinations": "false",
}
"""Settings to connect to a customer's own bucket and ClickHouse."""

BYOC_GRANTS = ("read:table:destinations", "read:table:shards", "open:key:credentials")

BYOC_BUCKET_GRANTS = (*BYOC_GRANTS, "assume:role:customer")
"""Grants of functions that open the bucket, not only the ClickHouse."""

ROLE_PREFIX = "byoc-astralog"
"""With this the path or name of a customer's role begins (functions.shared.byoc.role_policies)."""
