"""Update the schema of one ClickHouse: create its database, then apply missing migrations."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.schema.history import apply_missing
from functions.shared.schema.migration_files import Migration
from functions.shared.warehouse import Warehouse

STATEMENT_TIMEOUT_SECONDS = 120

Connect = Callable[[ClickHouseAddress], Warehouse]

_SERVERS_OWN = "system"
"""A database that every server has; `default` may have been dropped."""

_ENGINES = {"Replicated": "ReplicatedMergeTree"}


def connect_directly(address: ClickHouseAddress) -> Warehouse:
    """A connection without egress filter: for our own addresses."""
    return Warehouse(address, STATEMENT_TIMEOUT_SECONDS)


class Schema:
    """Updates the schema of one ClickHouse.

    Parameters
    ----------
    address: of the database; if the database is missing, the user needs the right to create it.
    engine: the table engine of new tables; None for the database's default: MergeTree, which ClickHouse Cloud
        turns into a SharedMergeTree, or ReplicatedMergeTree in a replicated database.
    connect: opens connections; a customer's address needs one with egress filter.
    """

    def __init__(
        self, address: ClickHouseAddress, engine: str | None = None, connect: Connect = connect_directly
    ) -> None:
        self._address = address
        self._engine = engine
        self._connect = connect

    def bring_up_to_date(self, known: Sequence[Migration]) -> list[str]:
        """Apply the missing migrations of `known`; returns the names of those applied.

        A second run applies nothing; concurrent runs are safe. Raises the errors of Warehouse. Migrations
        applied before an error stay, and the next run continues after them.
        """
        self.create_database()
        database = self._connect(self._address)
        try:
            return apply_missing(database, known, self._engine or engine_of(database))
        finally:
            database.close()

    def create_database(self) -> bool:
        """Create the database if it does not exist; returns whether it was created.

        An existing one is not created again: `IF NOT EXISTS` requires the right to create it in any case.
        """
        # ClickHouse rejects a connection that names a missing database, so this one names the server's own.
        server = self._connect(replace(self._address, database=_SERVERS_OWN))
        name = {"name": self._address.database}
        try:
            missing = not server.select(
                "SELECT 1 FROM system.databases WHERE name = {name:String}", name
            ).rows
            if missing:
                server.command("CREATE DATABASE IF NOT EXISTS {name:Identifier}", name)
            return missing
        finally:
            server.close()


def engine_of(database: Warehouse) -> str:
    """The engine of new tables in `database`."""
    found = database.select("SELECT engine FROM system.databases WHERE name = currentDatabase()").rows
    return _ENGINES.get(found[0]["engine"] if found else "", "MergeTree")
