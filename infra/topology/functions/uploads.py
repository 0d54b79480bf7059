"""Files: status over HTTPS, read from our bucket or a customer's, and the sweep for lost notifications."""

from infra.topology.byoc import BYOC_BUCKET_GRANTS, BYOC_SETTINGS
from infra.topology.shape import Function, QueueSource, Route
from infra.topology.throttles import DATA

FUNCTIONS = (
    Function(
        name="uploads",
        handler="functions.uploads.handler.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "drop_bucket": "bucket:drop",
            "staging_bucket": "bucket:staging",
            "uploads_table": "table:uploads",
            "dropped_queue": "queue:dropped",
            "dropped_byoc_queue": "queue:dropped-byoc",
            **BYOC_SETTINGS,
        },
        grants=(
            # Whether objects of a file still wait to be loaded.
            "read:bucket:staging",
            # A presigned URL permits what its signer may do.
            "put:bucket:drop",
            "read:table:uploads",
            "write:table:uploads",
            *BYOC_BUCKET_GRANTS,
            # Resume reading a file.
            "send:queue:dropped",
            "send:queue:dropped-byoc",
        ),
        routes=(
            # One account alone cannot use it up within its own limit of 20 a second.
            Route("POST", "/v1/uploads", throttle=DATA),
            Route("GET", "/v1/uploads"),
            Route("GET", "/v1/uploads/settings"),
            Route("PUT", "/v1/uploads/settings"),
            Route("GET", "/v1/uploads/{id}"),
            Route("POST", "/v1/uploads/{id}/resume"),
        ),
        # So that requests of one tenant do not wait for another's, as they do not in Lambda.
        local_concurrency=4,
    ),
    Function(
        name="dropin",
        handler="functions.uploads.dropin.handler",
        # One full vCPU: reading is single-threaded. It uses less than 256 MB, with Parquet up to 1.2 GB.
        memory_mb=1769,
        timeout_seconds=300,
        settings={
            "drop_bucket": "bucket:drop",
            "staging_bucket": "bucket:staging",
            "uploads_table": "table:uploads",
            "accounts_table": "table:accounts",
            "tombstones_table": "table:tombstones",
            "dropped_queue": "queue:dropped",
            # How many of the 20 invocations below may read files of one account.
            "slots_a_tenant": "2",
        },
        grants=(
            "read:bucket:drop",
            "delete:bucket:drop",
            "put:bucket:staging",
            "read:bucket:staging",
            "delete:bucket:staging",
            "read:table:uploads",
            "write:table:uploads",
            "read:table:accounts",
            "read:table:tombstones",
            "consume:queue:dropped",
            "send:queue:dropped",
        ),
        source=QueueSource("dropped", batch_size=10, window_seconds=0, max_concurrency=20),
        # An account has one slot there: three are free for the others, 18 of 20 in Lambda.
        local_concurrency=4,
    ),
    Function(
        name="dropin-byoc",
        handler="functions.uploads.dropin_byoc.handler",
        memory_mb=1769,
        timeout_seconds=300,
        settings={
            "uploads_table": "table:uploads",
            "accounts_table": "table:accounts",
            "health_table": "table:health",
            "dropped_queue": "queue:dropped-byoc",
            "byoc_queue": "queue:staged-byoc",
            **BYOC_SETTINGS,
        },
        grants=(
            "read:table:uploads",
            "write:table:uploads",
            "read:table:accounts",
            "read:table:health",
            "write:table:health",
            "consume:queue:dropped-byoc",
            "send:queue:dropped-byoc",
            "send:queue:staged-byoc",
            *BYOC_BUCKET_GRANTS,
        ),
        source=QueueSource("dropped-byoc", batch_size=10, window_seconds=0, max_concurrency=20),
    ),
    Function(
        name="sweeper-dropin",
        handler="functions.uploads.sweeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={
            "drop_bucket": "bucket:drop",
            "uploads_table": "table:uploads",
            "dropped_queue": "queue:dropped",
            "dropped_byoc_queue": "queue:dropped-byoc",
            "turns_table": "table:turns",
            **BYOC_SETTINGS,
        },
        grants=(
            "read:bucket:drop",
            "read:table:uploads",
            # Where the sweep of a bucket continues.
            "write:table:uploads",
            "scan:table:destinations",
            "read:table:turns",
            "write:table:turns",
            *BYOC_BUCKET_GRANTS,
            "send:queue:dropped",
            "send:queue:dropped-byoc",
        ),
        schedule_minutes=5,
    ),
)
