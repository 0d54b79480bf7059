"""The migrations that a database has applied, and how to apply the missing ones."""

from collections.abc import Sequence
from typing import Protocol

from functions.shared.schema.migration_files import Migration
from functions.shared.warehouse import Selection

_CREATE = """
CREATE TABLE IF NOT EXISTS schema_migrations
(version UInt32, name String, applied_at DateTime DEFAULT now())
ENGINE = {engine} ORDER BY version
"""


class Database(Protocol):
    """One ClickHouse database; see functions.shared.warehouse.Warehouse."""

    def command(self, statement: str, parameters: dict[str, str] | None = None) -> None:
        """Run DDL; on return it has taken effect."""

    def select(self, statement: str) -> Selection:
        """Run a SELECT."""


def apply_missing(database: Database, migrations: Sequence[Migration], engine: str) -> list[str]:
    """Apply the missing migrations to `database`, in order; returns the names of those applied now.

    A migration is recorded after it took effect. If a run dies in between, the next one applies it again,
    which has no effect. Two concurrent runs may both record it, so versions are read as a set.
    """
    database.command(_CREATE.replace("{engine}", engine))
    noted = {row["version"] for row in database.select("SELECT version FROM schema_migrations").rows}
    applied = []
    for migration in migrations:
        if migration.version in noted:
            continue
        database.command(migration.on(engine))
        database.command(
            "INSERT INTO schema_migrations (version, name) SELECT {version:UInt32}, {name:String}",
            {"version": str(migration.version), "name": migration.name},
        )
        applied.append(migration.name)
    return applied
