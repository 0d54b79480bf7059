"""Scheduled maintenance: delete and check for data past retention; sweep for missed objects; watch queues."""

from infra.topology.byoc import BYOC_BUCKET_GRANTS, BYOC_SETTINGS
from infra.topology.queues import QUEUES
from infra.topology.shape import Function

WATCHED_QUEUES = tuple(each.name for each in QUEUES)

FUNCTIONS = (
    Function(
        name="retention",
        handler="functions.retention.handler.handler",
        memory_mb=512,
        timeout_seconds=900,
        settings={
            "warehouse_secret": "secret:warehouse",
            "accounts_table": "table:accounts",
            "staging_bucket": "bucket:staging",
            "drop_bucket": "bucket:drop",
            "reports_bucket": "bucket:reports",
        },
        grants=(
            "read:secret:warehouse",
            "scan:table:accounts",
            "read:bucket:staging",
            "delete:bucket:staging",
            "read:bucket:drop",
            "delete:bucket:drop",
            "put:bucket:reports",
        ),
        schedule_minutes=60,
    ),
    Function(
        name="retention-check",
        handler="functions.retention.check.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={
            "warehouse_secret": "secret:warehouse",
            "accounts_table": "table:accounts",
            "staging_bucket": "bucket:staging",
            "drop_bucket": "bucket:drop",
            "reports_bucket": "bucket:reports",
        },
        grants=(
            "read:secret:warehouse",
            "scan:table:accounts",
            "read:bucket:staging",
            "read:bucket:drop",
            "put:bucket:reports",
        ),
        schedule_minutes=360,
    ),
    Function(
        name="telemetry",
        handler="functions.retention.telemetry.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={
            "accounts_table": "table:accounts",
            "usage_table": "table:usage",
            "reports_bucket": "bucket:reports",
        },
        grants=(
            "scan:table:accounts",
            "read:table:usage",
            "read:metrics:own",
            "read:bucket:reports",
            "put:bucket:reports",
        ),
        schedule_minutes=1440,
    ),
    Function(
        name="sweeper",
        handler="functions.retention.sweeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={"staging_bucket": "bucket:staging", "staged_queue": "queue:staged"},
        grants=("read:bucket:staging", "delete:bucket:staging", "send:queue:staged"),
        schedule_minutes=5,
    ),
    Function(
        name="sweeper-byoc",
        handler="functions.retention.byoc_sweeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={"byoc_queue": "queue:staged-byoc", "turns_table": "table:turns", **BYOC_SETTINGS},
        grants=(
            "scan:table:destinations",
            *BYOC_BUCKET_GRANTS,
            "send:queue:staged-byoc",
            "read:table:turns",
            "write:table:turns",
        ),
        schedule_minutes=5,
    ),
    Function(
        name="queue-check",
        handler="functions.retention.queue_check.handler",
        memory_mb=512,
        timeout_seconds=60,
        settings={f"{name.replace('-', '_')}_queue": f"queue:{name}" for name in WATCHED_QUEUES},
        grants=(*(f"inspect:queue:{name}" for name in WATCHED_QUEUES), "read:metrics:own"),
        schedule_minutes=5,
    ),
)
