"""Which migrations a warehouse has seen, and the road to the newest."""

from collections.abc import Sequence
from typing import Protocol

from functions.shared.schema.numbered import Migration
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
    """Apply what `database` has not seen, in order; the names of what was applied now.

    A migration is noted after it took effect. A run that dies in between applies it again, which is
    without effect; two runs at once may both note it, which is why versions are read as a set.
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
