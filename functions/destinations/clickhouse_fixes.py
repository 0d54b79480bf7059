"""Explain why a customer's ClickHouse rejects a statement: from its error code to a sentence. Pure.

The message of ClickHouse is never passed on: it quotes rows, statements and names.
"""

from functions.destinations.steps import StepFailedError
from functions.shared.guarded.guard import AddressRefusedError
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
    "The user may only read.",
    "Give the user a settings profile without readonly: we write, and send settings with each statement.",
)
_TOO_OLD = (
    "ClickHouse does not know something that our tables need.",
    "Upgrade ClickHouse to 26.2 or later, and set 'compatibility' to 26.2 or later if it is set at all.",
)

_BY_CODE = {
    **dict.fromkeys((192, 193, 194, 516), _WRONG_SIGN_IN),
    **dict.fromkeys((115, 344, 80), _TOO_OLD),
    UNKNOWN_DATABASE: (
        "There is no such database.",
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
    392: ("A statement is forbidden there.", "Allow the user DDL: allow_ddl = 1 in its settings profile."),
    452: (
        "The user's profile forbids a setting that we send.",
        "Remove constraints on insert, block size, mutation and HTTP settings from the user's profile.",
    ),
    48: (
        "The table's engine cannot do this.",
        "Let events be a MergeTree, ReplicatedMergeTree or SharedMergeTree table, as our SQL creates it.",
    ),
    36: (
        "The table's engine cannot do this.",
        "Let events be a MergeTree, ReplicatedMergeTree or SharedMergeTree table, as our SQL creates it.",
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
        return StepFailedError("No connection.", "Check that the service still runs, and test again.")
    if isinstance(fault, OutcomeUnknownError):
        return StepFailedError(
            f"No answer of ClickHouse within {seconds} seconds, or one that is not ClickHouse's.",
            "Check that this is the port of its HTTP interface; wake the service if it sleeps when idle.",
        )
    code = getattr(fault, "engine_code", 0)
    if code == ACCESS_DENIED:
        return StepFailedError("The user has not been granted this.", f"Run {grant}.")
    if known := _BY_CODE.get(code):
        return StepFailedError(*known)
    if isinstance(fault, WarehouseBusyError):
        return StepFailedError(
            f"ClickHouse refuses for the moment (code {code}).",
            "Give it more room (queries, memory, disk, parts) or less to do, and test again.",
        )
    return StepFailedError(
        f"ClickHouse refuses (code {code}).",
        "Look the statement of the user up in system.query_log: its 'exception' says why.",
    )
