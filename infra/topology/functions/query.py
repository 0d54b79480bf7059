"""Search, in our ClickHouse or in the customer's own."""

from infra.topology.byoc import BYOC_GRANTS, BYOC_SETTINGS
from infra.topology.shape import Function, Route
from infra.topology.throttles import DATA

FUNCTIONS = (
    Function(
        name="query",
        handler="functions.query.handler.handler",
        memory_mb=1024,
        timeout_seconds=29,
        settings={
            "search_secret": "secret:search",
            "health_table": "table:health",
            "query_timeout_seconds": "20",
            "searches_at_once": "4",
            "query_threads": "4",
            "row_policy_setting": "",
            **BYOC_SETTINGS,
        },
        grants=(
            "read:secret:search",
            "read:table:health",
            "write:table:health",
            *BYOC_GRANTS,
        ),
        routes=(
            Route("POST", "/v1/search", throttle=DATA),
            Route("GET", "/v1/search", throttle=DATA),
            Route("POST", "/v1/stats", throttle=DATA),
            Route("POST", "/v1/query/complete", throttle=DATA),
            Route("GET", "/v1/events/{id}", throttle=DATA),
            Route("GET", "/v1/events/{id}/context", throttle=DATA),
        ),
        # More than one tenant's share of searches, so that other tenants find a free environment.
        local_concurrency=4,
    ),
)
