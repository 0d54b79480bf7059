"""Customers' own buckets and ClickHouses: configured, tested and monitored."""

from infra.topology.byoc import BYOC_BUCKET_GRANTS, BYOC_SETTINGS
from infra.topology.shape import Function, Route

FUNCTIONS = (
    Function(
        name="destinations",
        handler="functions.destinations.handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={
            "health_table": "table:health",
            "audit_table": "table:audit",
            "people_table": "table:people",
            "external_ids_table": "table:external-ids",
            **BYOC_SETTINGS,
        },
        grants=(
            *BYOC_BUCKET_GRANTS,
            "write:table:destinations",
            "write:table:shards",
            "seal:key:credentials",
            "read:table:health",
            "write:table:health",
            "append:table:audit",
            "read:table:people",
            "read:table:external-ids",
            "write:table:external-ids",
        ),
        routes=(
            Route("GET", "/v1/destination"),
            Route("PUT", "/v1/destination"),
            Route("DELETE", "/v1/destination"),
            Route("POST", "/v1/destination/test"),
            Route("GET", "/v1/destination/role"),
        ),
    ),
    Function(
        name="watch",
        handler="functions.destinations.watch.handler",
        memory_mb=512,
        timeout_seconds=120,
        settings={
            "destinations_table": "table:destinations",
            "health_table": "table:health",
            "notices_table": "table:notices",
        },
        grants=(
            "scan:table:destinations",
            "read:table:destinations",
            "read:table:health",
            "write:table:health",
            "write:table:notices",
        ),
        schedule_minutes=5,
    ),
)
