"""Search, in our ClickHouse or in the customer's own."""

from infra.topology.byoc import BYOC_BUCKET_GRANTS, BYOC_GRANTS, BYOC_SETTINGS
from infra.topology.shape import Function, Route
from infra.topology.throttles import DATA

SEARCH_ROWS_A_MINUTE = "2000000000"
SEARCH_ROWS_A_MINUTE_OF_KEY = "1000000000"

FUNCTIONS = (
    Function(
        name="query",
        handler="functions.query.handler.handler",
        memory_mb=1769,
        timeout_seconds=29,
        settings={
            "search_secret": "secret:search",
            "health_table": "table:health",
            "query_timeout_seconds": "20",
            "searches_at_once": "4",
            "query_threads": "4",
            # In our ClickHouse: of an account, and of one of its keys or people; 0 for no limit.
            "search_rows_a_minute": SEARCH_ROWS_A_MINUTE,
            "search_rows_a_minute_of_key": SEARCH_ROWS_A_MINUTE_OF_KEY,
            "search_budgets_table": "table:search-budgets",
            "row_policy_setting": "",
            "search_exports_table": "table:search-exports",
            "exports_bucket": "bucket:exports",
            **BYOC_SETTINGS,
        },
        grants=(
            "read:secret:search",
            "read:table:health",
            "write:table:health",
            "read:table:search-budgets",
            "write:table:search-budgets",
            "read:table:search-exports",
            "write:table:search-exports",
            # To sign links to exported files.
            "read:bucket:exports",
            *BYOC_BUCKET_GRANTS,
        ),
        routes=(
            Route("POST", "/v1/search", throttle=DATA),
            Route("GET", "/v1/search", throttle=DATA),
            Route("POST", "/v1/search/export", throttle=DATA),
            Route("GET", "/v1/search/exports", throttle=DATA),
            Route("GET", "/v1/search/exports/{id}", throttle=DATA),
            *(
                Route(method, path, throttle=DATA)
                for path in ("/v1/patterns", "/v1/stats", "/v1/histogram", "/v1/fields")
                for method in ("POST", "GET")
            ),
            Route("POST", "/v1/query/complete", throttle=DATA),
            Route("POST", "/v1/query/format", throttle=DATA),
            Route("GET", "/v1/events/{id}", throttle=DATA),
            Route("GET", "/v1/events/{id}/context", throttle=DATA),
            Route("GET", "/v1/traces/{id}", throttle=DATA),
        ),
        # More than one tenant's share of searches, so that other tenants find a free environment.
        local_concurrency=4,
    ),
    Function(
        name="search-exporter",
        handler="functions.query.search_exporter.handler",
        memory_mb=1024,
        # Three turns of accounts whose work fills one; runs may overlap.
        timeout_seconds=300,
        settings={
            "search_secret": "secret:search",
            "health_table": "table:health",
            "search_exports_table": "table:search-exports",
            "search_budgets_table": "table:search-budgets",
            "turns_table": "table:turns",
            "exports_bucket": "bucket:exports",
            "query_timeout_seconds": "20",
            "exports_at_once": "1",
            "query_threads": "2",
            # As of `query`, which charges the same budget.
            "search_rows_a_minute": SEARCH_ROWS_A_MINUTE,
            "search_rows_a_minute_of_key": SEARCH_ROWS_A_MINUTE_OF_KEY,
            "row_policy_setting": "",
            **BYOC_SETTINGS,
        },
        grants=(
            "read:secret:search",
            "read:table:health",
            "write:table:health",
            "read:table:search-exports",
            "write:table:search-exports",
            "read:table:search-budgets",
            "write:table:search-budgets",
            "read:table:turns",
            "write:table:turns",
            "read:bucket:exports",
            "put:bucket:exports",
            "unfinished:bucket:exports",
            "delete:bucket:exports",
            *BYOC_BUCKET_GRANTS,
        ),
        schedule_minutes=2,
    ),
    Function(
        name="tail",
        handler="functions.query.tail_handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={
            "search_secret": "secret:search",
            "health_table": "table:health",
            "ledger_table": "table:ledger",
            "query_timeout_seconds": "8",
            "tails_at_once": "5",
            "query_threads": "2",
            "row_policy_setting": "",
            **BYOC_SETTINGS,
        },
        grants=(
            "read:secret:search",
            "read:table:ledger",
            "read:table:health",
            "write:table:health",
            *BYOC_GRANTS,
        ),
        routes=(Route("GET", "/v1/tail", throttle=DATA),),
        # Waiting viewers occupy environments: more than one tenant's share, and none of other functions'.
        local_concurrency=8,
        reserved_concurrency=100,
    ),
)
