"""The tables of a customer's ClickHouse: created before their first batch, and again if they are dropped."""

from functions.shared.byoc.clients import ByocClients
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.otel_view import create_otel_view
from functions.shared.byoc.table_identity import has_table
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema, engine_of
from functions.shared.warehouse import Warehouse, WarehouseRefusedError

STATEMENT_TIMEOUT_SECONDS = 10

_NO_RIGHT = 497


def prepare_tables(byoc_clients: ByocClients, destination: Destination, *, dropped: bool = False) -> None:
    """Bring the destination's database and tables up to date, as far as our user may.

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
        _create_view(connect(destination.warehouse))
    except WarehouseRefusedError as refusal:
        if refusal.engine_code != _NO_RIGHT and not _has_table(connect(destination.warehouse)):
            raise


def _has_table(database: Warehouse) -> bool:
    try:
        return has_table(database)
    finally:
        database.close()


def _create_view(database: Warehouse) -> None:
    try:
        create_otel_view(database)
    finally:
        database.close()


def _create_tables(database: Warehouse) -> None:
    try:
        engine = engine_of(database)
        for migration in migrations():
            database.command(migration.on(engine))
    finally:
        database.close()
