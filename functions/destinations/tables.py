"""Our tables in a customer's database: the required columns, and the rights to create and use them."""

from functions.shared.events.staged_key import COLUMNS, IDENTITY
from functions.shared.warehouse import Warehouse

_STAGED = tuple(name for name in COLUMNS if name not in IDENTITY)

REQUIRED = {
    "events": (*_STAGED, "batch_id", "expires_on", "duration_ms", "metadata_tokens"),
    "events_trial": (*_STAGED, "batch_id", "expires_on"),
}
"""Without the columns of IDENTITY logs are loaded and found, but lose the order in which they were sent."""

RIGHTS = (
    "SELECT, INSERT, ALTER DELETE, ALTER ADD COLUMN, ALTER ADD INDEX, CREATE TABLE, CREATE VIEW, "
    "CREATE DATABASE"
)


def missing_columns(database: Warehouse) -> list[str]:
    """`table.column` of each column that `database` lacks."""
    rows = database.select(
        "SELECT table, name FROM system.columns "
        "WHERE database = currentDatabase() AND table IN ('events', 'events_trial')"
    ).rows
    found = {(row["table"], row["name"]) for row in rows}
    return [
        f"{table}.{name}" for table, names in REQUIRED.items() for name in names if (table, name) not in found
    ]


def grants(database: str) -> str:
    """The statements that grant our user its rights; a valid `database` name needs no more quoting."""
    return (
        f"GRANT {RIGHTS} ON `{database}`.* and GRANT SELECT ON system.mutations for this user, and before"
        " ClickHouse 26.5 GRANT CREATE TEMPORARY TABLE ON *.* too"
    )
