"""Rights: copies of what we hold of an account, and erasures.

The two that do the work go through all that is held; what that is stands above the functions, once.
"""

from infra.topology.custody import CUSTODY
from infra.topology.shape import Function, Route

HELD_TABLES = (
    "accounts",
    "people",
    "keys",
    "key-lists",
    "audit",
    "announcements",
    "notices",
    "destinations",
    "health",
    "billing",
    "usage",
    "uploads",
    "exports",
    "erasures",
)
"""What holds something that an account's owner is shown, and that goes with the account."""

HELD = {f"{name.replace('-', '_')}_table": f"table:{name}" for name in HELD_TABLES}

LOOKED_THROUGH = ("people", "keys", "billing")
"""Tables in which an account's items are not found by its id."""

ERASER_WRITES = ("accounts", "billing", "notices", "exports", "erasures")
"""Tables in which an erasure also writes; of the others it only forgets."""

FUNCTIONS = (
    Function(
        name="privacy",
        handler="functions.privacy.handler.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "accounts_table": "table:accounts",
            "audit_table": "table:audit",
            "notices_table": "table:notices",
            "erasures_table": "table:erasures",
            "receipts_table": "table:receipts",
            "exports_table": "table:exports",
            "exports_bucket": "bucket:exports",
            "cancel_days": "7",
        },
        grants=(
            "write:table:accounts",
            "append:table:audit",
            "write:table:notices",
            "read:table:erasures",
            "write:table:erasures",
            "read:table:receipts",
            "write:table:receipts",
            "read:table:exports",
            "write:table:exports",
            "read:bucket:exports",
        ),
        routes=(
            Route("POST", "/v1/account/export"),
            Route("GET", "/v1/account/exports"),
            Route("GET", "/v1/account/exports/{id}"),
            Route("POST", "/v1/erasures"),
            Route("GET", "/v1/erasures"),
            Route("GET", "/v1/erasures/{id}"),
            Route("DELETE", "/v1/erasures/{id}"),
            Route("DELETE", "/v1/account"),
        ),
    ),
    Function(
        name="exporter",
        handler="functions.privacy.exporter.handler",
        memory_mb=1024,
        timeout_seconds=300,
        settings={
            **HELD,
            "identity_pool": "identity:pool",
            "staging_bucket": "bucket:staging",
            "exports_bucket": "bucket:exports",
            "warehouse_secret": "secret:warehouse",
        },
        grants=(
            *(f"read:table:{name}" for name in HELD_TABLES),
            *(f"scan:table:{name}" for name in LOOKED_THROUGH),
            "write:table:exports",
            "write:table:notices",
            "read:bucket:staging",
            "read:bucket:exports",
            "put:bucket:exports",
            "unfinished:bucket:exports",
            "read:secret:warehouse",
            "read:identity:pool",
        ),
        schedule_minutes=1,
    ),
    Function(
        name="eraser",
        handler="functions.privacy.eraser.handler",
        memory_mb=1024,
        timeout_seconds=300,
        settings={
            **HELD,
            "suppressions_table": "table:suppressions",
            "receipts_table": "table:receipts",
            "tombstones_table": "table:tombstones",
            "identity_pool": "identity:pool",
            "staging_bucket": "bucket:staging",
            "drop_bucket": "bucket:drop",
            "exports_bucket": "bucket:exports",
            "warehouse_secret": "secret:warehouse",
            **CUSTODY,
        },
        grants=(
            *(f"read:table:{name}" for name in HELD_TABLES),
            *(f"scan:table:{name}" for name in LOOKED_THROUGH),
            *(f"forget:table:{name}" for name in HELD_TABLES if name not in ERASER_WRITES),
            *(f"write:table:{name}" for name in ERASER_WRITES),
            "forget:table:shards",
            "read:table:shards",
            "read:table:suppressions",
            "forget:table:suppressions",
            "append:table:audit",
            "read:table:receipts",
            "write:table:receipts",
            "write:table:tombstones",
            "read:bucket:staging",
            "put:bucket:staging",
            "delete:bucket:staging",
            "read:bucket:drop",
            "delete:bucket:drop",
            "read:bucket:exports",
            "unfinished:bucket:exports",
            "delete:bucket:exports",
            "read:secret:warehouse",
            "open:key:credentials",
            "forget:identity:pool",
        ),
        schedule_minutes=5,
    ),
)
