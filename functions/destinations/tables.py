"""Our tables in a customer's database: what they must have, and the rights that takes."""

from functions.shared.staging import COLUMNS
from functions.shared.warehouse import Warehouse

REQUIRED = {
    "events": (*COLUMNS, "batch_id", "expires_on", "duration_ms", "metadata_tokens"),
    "events_trial": (*COLUMNS, "batch_id", "expires_on"),
}

RIGHTS = "SELECT, INSERT, ALTER DELETE, CREATE TABLE, CREATE DATABASE"


def missing_columns(database: Warehouse) -> list[str]:
    """`table.column` of all that `database` lacks."""
    rows = database.select(
        "SELECT table, name FROM system.columns "
        "WHERE database = currentDatabase() AND table IN ('events', 'events_trial')"
    ).rows
    found = {(row["table"], row["name"]) for row in rows}
    return [
        f"{table}.{name}" for table, names in REQUIRED.items() for name in names if (table, name) not in found
    ]


def grants(database: str) -> str:
    """The statements that give our user its rights; what `database` may be called needs no more quoting."""
    return (
        f"GRANT {RIGHTS} ON `{database}`.* and GRANT SELECT ON system.mutations for this user, and before"
        " ClickHouse 26.5 GRANT CREATE TEMPORARY TABLE ON *.* too"
    )
