"""Load staged objects into ClickHouse: the managed one and, on a separate path, each BYOC customer's."""

from infra.topology.byoc import BYOC_BUCKET_GRANTS, BYOC_SETTINGS
from infra.topology.shape import Function, QueueSource

FUNCTIONS = (
    Function(
        name="sync",
        handler="functions.sync.handler.handler",
        memory_mb=1024,
        timeout_seconds=60,
        settings={
            "staging_bucket": "bucket:staging",
            "ledger_table": "table:ledger",
            "tombstones_table": "table:tombstones",
            "staged_queue": "queue:staged",
            "warehouse_secret": "secret:warehouse",
            "insert_timeout_seconds": "30",
        },
        grants=(
            "read:bucket:staging",
            "put:bucket:staging",
            "delete:bucket:staging",
            "read:table:ledger",
            "write:table:ledger",
            "insert:table:ledger",
            "read:table:tombstones",
            "consume:queue:staged",
            "read:secret:warehouse",
        ),
        source=QueueSource("staged", batch_size=10_000, window_seconds=2, max_concurrency=10),
        local_concurrency=2,
        reserved_concurrency=20,
    ),
    Function(
        name="sync-byoc",
        handler="functions.sync.byoc.handler",
        memory_mb=1024,
        timeout_seconds=60,
        settings={
            "ledger_table": "table:ledger",
            "health_table": "table:health",
            "byoc_queue": "queue:staged-byoc",
            "insert_timeout_seconds": "30",
            **BYOC_SETTINGS,
        },
        grants=(
            "read:table:ledger",
            "write:table:ledger",
            "insert:table:ledger",
            "read:table:health",
            "write:table:health",
            "consume:queue:staged-byoc",
            *BYOC_BUCKET_GRANTS,
        ),
        source=QueueSource("staged-byoc", batch_size=10_000, window_seconds=2, max_concurrency=20),
        local_concurrency=2,
        reserved_concurrency=30,
    ),
)
