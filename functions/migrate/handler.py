"""The schema of the warehouse, brought up to date.

Trigger: invoked with {} by each deployment and each local start, before anything else uses the warehouse.
Promise: creates the database when it is missing, applies the numbered SQL it has not seen, in order, and
answers {"applied": [names], "version": the newest}. A second run applies nothing and two at once do no harm.
On failure it raises what ClickHouse said; what was applied stays, and the next run goes on from there.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from functions.migrate.history import apply_missing
from functions.migrate.numbered import Migration, migrations
from functions.shared import journal
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.warehouse import Address, Warehouse

STATEMENT_TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Settings:
    """`warehouse_engine`: MergeTree, or on a cluster ReplicatedMergeTree or SharedMergeTree."""

    warehouse_secret: str
    warehouse_engine: str


class Schema:
    """Brings one warehouse up to date.

    Parameters
    ----------
    address: of the database; the user may create it.
    engine: the table engine to create tables with.
    """

    def __init__(self, address: Address, engine: str) -> None:
        self._address = address
        self._engine = engine

    def bring_up_to_date(self, known: list[Migration]) -> list[str]:
        """Apply what is missing of `known`; the names of what was applied."""
        self._create_database()
        database = Warehouse(self._address, STATEMENT_TIMEOUT_SECONDS)
        try:
            return apply_missing(database, known, self._engine)
        finally:
            database.close()

    def _create_database(self) -> None:
        # A connection that names a database which is missing is refused, so this one names the server's own.
        server = Warehouse(replace(self._address, database="default"), STATEMENT_TIMEOUT_SECONDS)
        try:
            server.command(
                "CREATE DATABASE IF NOT EXISTS {name:Identifier}", {"name": self._address.database}
            )
        finally:
            server.close()


@cache
def _schema() -> Schema:
    settings = load(Settings)
    return Schema(Address.from_json(read_secret(settings.warehouse_secret)), settings.warehouse_engine)


def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    known = migrations()
    applied = _schema().bring_up_to_date(known)
    for name in applied:
        journal.write("schema_migrated", migration=name)
    return {"applied": applied, "version": known[-1].version}
