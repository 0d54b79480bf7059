"""What a function needs that reaches a customer's own cloud: settings, and the grants that go with them."""

CUSTODY = {
    "destinations_table": "table:destinations",
    "shards_table": "table:shards",
    "credentials_key": "key:credentials",
    "allow_loopback_destinations": "false",
}
"""What it takes to reach a customer's own bucket and ClickHouse."""

MAY_REACH_CUSTOMERS = ("read:table:destinations", "read:table:shards", "open:key:credentials")
