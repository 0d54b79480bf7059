"""Explain why a customer's ClickHouse rejects a statement: from its error code to a sentence. Pure.

The message of ClickHouse is never passed on: it quotes rows, statements and names.
"""

from functions.destinations.steps import StepFailedError
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.warehouse import (
    OutcomeUnknownError,
    WarehouseBusyError,
    WarehouseDownError,
    WarehouseRefusedError,
)

ACCESS_DENIED, UNKNOWN_DATABASE = 497, 81

_WRONG_SIGN_IN = (
    "ClickHouse does not accept the user and password.",
    "Check clickhouse.user and clickhouse.password; user names are case-sensitive.",
)
_READ_ONLY = (
    "The user is read-only.",
    "Use a settings profile without readonly: we write, and send settings with each statement.",
)
_TOO_OLD = (
    "ClickHouse lacks a feature that our tables need.",
    "Upgrade ClickHouse to 26.2 or later. If 'compatibility' is set, set it to 26.2 or later.",
)

_BY_CODE = {
    **dict.fromkeys((192, 193, 194, 516), _WRONG_SIGN_IN),
    **dict.fromkeys((115, 344, 80), _TOO_OLD),
    UNKNOWN_DATABASE: (
        "The database does not exist.",
        "Create the database, or grant CREATE DATABASE on it to the user.",
    ),
    164: _READ_ONLY,
    195: (
        "The user may not sign in from our addresses.",
        "Let the user sign in from any address (HOST ANY, and no IP access list): our addresses change.",
    ),
    242: (
        "The table is read-only at the moment.",
        "Check the connection of the replica to ClickHouse Keeper: SELECT * FROM system.replicas.",
    ),
    392: ("The user may not run DDL statements.", "Set allow_ddl = 1 in the user's settings profile."),
    452: (
        "The user's profile forbids a setting that we send.",
        "Remove constraints on insert, block size, mutation and HTTP settings from the user's profile.",
    ),
    48: (
        "The table's engine cannot do this.",
        "Use a MergeTree, ReplicatedMergeTree or SharedMergeTree table as events, as our SQL creates it.",
    ),
    36: (
        "The table's engine cannot do this.",
        "Use a MergeTree, ReplicatedMergeTree or SharedMergeTree table as events, as our SQL creates it.",
    ),
}

Fault = (
    WarehouseBusyError
    | WarehouseDownError
    | WarehouseRefusedError
    | OutcomeUnknownError
    | AddressRefusedError
)


def clickhouse_failure(fault: Exception, grant: str, seconds: int) -> StepFailedError:
    """The failure to report for a statement that ClickHouse answers within `seconds` if all is well.

    `grant`: the statement that grants the required rights.
    """
    if isinstance(fault, WarehouseDownError):
        return StepFailedError("No connection to ClickHouse.", "Check that it is running, then test again.")
    if isinstance(fault, OutcomeUnknownError):
        return StepFailedError(
            f"No valid answer from ClickHouse within {seconds} seconds.",
            "Check that the port is that of the HTTP interface; wake the service if it sleeps when idle.",
        )
    code = getattr(fault, "engine_code", 0)
    if code == ACCESS_DENIED:
        return StepFailedError("The user lacks a required privilege.", f"Run {grant}.")
    if known := _BY_CODE.get(code):
        return StepFailedError(*known)
    if isinstance(fault, WarehouseBusyError):
        return StepFailedError(
            f"ClickHouse temporarily rejects statements (code {code}).",
            "Raise its limits (queries, memory, disk, parts) or reduce its load, then test again.",
        )
    return StepFailedError(
        f"ClickHouse rejects the statement (code {code}).",
        "Look up the user's statement in system.query_log: its 'exception' is the reason.",
    )
