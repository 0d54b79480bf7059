"""Settings and grants of functions that connect to a BYOC customer's bucket and ClickHouse."""

BYOC_SETTINGS = {
    "destinations_table": "table:destinations",
    "shards_table": "table:shards",
    "credentials_key": "key:credentials",
    "allow_loopback_destinations": "false",
}
"""Settings to connect to a customer's own bucket and ClickHouse."""

BYOC_GRANTS = ("read:table:destinations", "read:table:shards", "open:key:credentials")
