"""The tables of a customer's ClickHouse: created before their first batch, and again if they are dropped."""

from functions.shared.byoc.clients import ByocClients
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.table_identity import has_identity
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema, engine_of
from functions.shared.warehouse import Warehouse, WarehouseRefusedError

STATEMENT_TIMEOUT_SECONDS = 10

_NO_RIGHT = 497

_EVENTS = "SELECT count() AS tables FROM system.tables WHERE database = currentDatabase() AND name = 'events'"


def prepare_tables(byoc_clients: ByocClients, destination: Destination, *, dropped: bool = False) -> bool:
    """Bring the destination's database and tables up to date, as far as our user may.

    Returns whether the tables have the columns of the identity (functions.shared.byoc.table_identity).
    Without the right to create or alter tables, or where the customer's own table rejects a change, existing
    tables are used as they are: the next insert shows whether they fit. `dropped`: ClickHouse does not know a
    table that its migration history lists, so all migrations are applied again, which changes nothing that is
    up to date.

    Raises the errors of the warehouse; WarehouseRefusedError only when there is no table.
    """

    def connect(address: ClickHouseAddress) -> Warehouse:
        return byoc_clients.open_warehouse(address, STATEMENT_TIMEOUT_SECONDS)

    try:
        Schema(destination.warehouse, connect=connect).bring_up_to_date(migrations())
        if dropped:
            _create_tables(connect(destination.warehouse))
    except WarehouseRefusedError as refusal:
        if refusal.engine_code != _NO_RIGHT and not _has_events(connect(destination.warehouse)):
            raise
    return _has_identity(connect(destination.warehouse))


def _has_events(database: Warehouse) -> bool:
    try:
        return database.select(_EVENTS).whole("tables") > 0
    finally:
        database.close()


def _has_identity(database: Warehouse) -> bool:
    try:
        return has_identity(database)
    finally:
        database.close()


def _create_tables(database: Warehouse) -> None:
    try:
        engine = engine_of(database)
        for migration in migrations():
            database.command(migration.on(engine))
    finally:
        database.close()
