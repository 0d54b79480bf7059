"""Rows that ClickHouse rejected: shown to their owner, and replayed."""

from infra.topology.byoc import BYOC_BUCKET_GRANTS, BYOC_SETTINGS
from infra.topology.shape import Function, Route

FUNCTIONS = (
    Function(
        name="quarantine",
        handler="functions.quarantine.handler.handler",
        # A document of the largest size is held in memory with its rows, and compressed again.
        memory_mb=1024,
        timeout_seconds=29,
        settings={"staging_bucket": "bucket:staging", "byoc_queue": "queue:staged-byoc", **BYOC_SETTINGS},
        grants=(
            "put:bucket:staging",
            "read:bucket:staging",
            "delete:bucket:staging",
            "send:queue:staged-byoc",
            *BYOC_BUCKET_GRANTS,
        ),
        routes=(Route("GET", "/v1/quarantine"), Route("POST", "/v1/quarantine/{id}/replay")),
    ),
)
