"""Schema migrations of the managed ClickHouse."""

from infra.topology.shape import Function

MIGRATE = "migrate"
"""The function that every deployment runs before the functions that use its schema."""

FUNCTIONS = (
    Function(
        name=MIGRATE,
        handler="functions.migrate.handler.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={"warehouse_secret": "secret:warehouse", "warehouse_engine": "MergeTree"},
        grants=("read:secret:warehouse",),
    ),
)
