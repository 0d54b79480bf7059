"""Settings and grants of functions that connect to a BYOC customer's bucket and ClickHouse."""

CUSTODY = {
    "destinations_table": "table:destinations",
    "shards_table": "table:shards",
    "credentials_key": "key:credentials",
    "allow_loopback_destinations": "false",
}
"""Settings to connect to a customer's own bucket and ClickHouse."""

MAY_REACH_CUSTOMERS = ("read:table:destinations", "read:table:shards", "open:key:credentials")
