"""One warehouse, brought up to date: its database, then what it lacks of the numbered SQL."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from functions.shared.address import Address
from functions.shared.schema.history import apply_missing
from functions.shared.schema.numbered import Migration
from functions.shared.warehouse import Warehouse

STATEMENT_TIMEOUT_SECONDS = 120

Connect = Callable[[Address], Warehouse]

_SERVERS_OWN = "system"
"""A database that every server has; `default` may have been dropped."""

_ENGINES = {"Replicated": "ReplicatedMergeTree"}


def connect_directly(address: Address) -> Warehouse:
    """A connection without a guard: for addresses that are our own."""
    return Warehouse(address, STATEMENT_TIMEOUT_SECONDS)


class Schema:
    """Brings one warehouse up to date.

    Parameters
    ----------
    address: of the database; if that is missing, the user has to have the right to create it.
    engine: the table engine to create tables with; None for the one that goes with the database: MergeTree,
        which ClickHouse Cloud makes a SharedMergeTree of, or ReplicatedMergeTree where the database is
        replicated.
    connect: opens connections; a customer's address needs a guarded one.
    """

    def __init__(
        self, address: Address, engine: str | None = None, connect: Connect = connect_directly
    ) -> None:
        self._address = address
        self._engine = engine
        self._connect = connect

    def bring_up_to_date(self, known: Sequence[Migration]) -> list[str]:
        """Apply what is missing of `known`; the names of what was applied.

        A second run applies nothing and two at once do no harm. Errors are those of the warehouse; what was
        applied before one stays, and the next run goes on from there.
        """
        self.create_database()
        database = self._connect(self._address)
        try:
            return apply_missing(database, known, self._engine or engine_of(database))
        finally:
            database.close()

    def create_database(self) -> bool:
        """Create the database if there is none; whether there was none.

        One that is there is not created again: `IF NOT EXISTS` asks for the right to create it all the same.
        """
        # A connection that names a database which is missing is refused, so this one names the server's own.
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
    """The engine that tables of `database` are to be created with."""
    found = database.select("SELECT engine FROM system.databases WHERE name = currentDatabase()").rows
    return _ENGINES.get(found[0]["engine"] if found else "", "MergeTree")
