"""Logs over HTTPS, into the staging bucket or a customer's own bucket."""

from infra.topology.byoc import BYOC_GRANTS, BYOC_SETTINGS
from infra.topology.shape import Function, Route
from infra.topology.throttles import INGEST, PROBE

UNKNOWN_ROUTES = "ingest"
"""The function that answers unmatched routes, so that even this 404 follows the API contract."""

FUNCTIONS = (
    Function(
        name="ingest",
        handler="functions.ingest.handler.handler",
        memory_mb=1024,
        timeout_seconds=29,
        settings={
            "staging_bucket": "bucket:staging",
            "byoc_queue": "queue:staged-byoc",
            "wait_places": "40",
            "health_table": "table:health",
            **BYOC_SETTINGS,
        },
        grants=(
            "put:bucket:staging",
            "read:bucket:staging",
            "send:queue:staged-byoc",
            "read:table:health",
            "write:table:health",
            *BYOC_GRANTS,
        ),
        routes=(
            Route("POST", "/v1/drain", throttle=INGEST),
            Route("GET", "/health", auth=False, throttle=PROBE),
        ),
        local_concurrency=4,
        reserved_concurrency=300,
    ),
)
