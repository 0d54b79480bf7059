"""The warehouse without HTTP: the engine runs in this process, so its CPU is this process's.

Statements and settings are the real ones. As in the local stack, a body becomes a spool file that the
engine reads.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, cast

from clickhouse_connect.driver.binding import format_bind_value

from functions.shared.schema.history import apply_missing
from functions.shared.schema.migration_files import migrations
from functions.shared.warehouse import Selection, Warehouse, refusal
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable
from functions.sync.plan import Manifest
from local.engine import Engine, EngineError, Statement
from local.statement import reading_from


class InProcess:
    """Has the methods of functions.shared.warehouse.Warehouse; `compression` is that of inserted bodies."""

    def __init__(self, engine: Engine, database: str, spool: Path, compression: str = "zstd") -> None:
        self._engine = engine
        self._database = database
        self._spool = spool
        self._compression = compression
        self._version: tuple[int, int] | None = None

    def insert(self, statement: str, body: bytes, settings: Mapping[str, Any]) -> None:
        with tempfile.NamedTemporaryFile(dir=self._spool) as file:
            file.write(body)
            file.flush()
            self._run(reading_from(statement, file.name, self._compression), {}, settings)

    def command(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._run(statement, parameters or {}, settings or {})

    def select(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Selection:
        result = json.loads(self.select_json(statement, parameters, settings))
        statistics = result["statistics"]
        return Selection(result["data"], statistics["rows_read"], statistics["elapsed"] * 1000)

    def select_json(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> bytes:
        return self._run(statement, parameters or {}, settings or {})

    def engine_version(self) -> tuple[int, int]:
        """Asked once, as the client learns it when it connects."""
        if self._version is None:
            year, month = self.select("SELECT version() AS text").rows[0]["text"].split(".")[:2]
            self._version = int(year), int(month)
        return self._version

    def _run(self, sql: str, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> bytes:
        texts = {name: str(value) for name, value in settings.items()}
        bound = {name: str(format_bind_value(value)) for name, value in parameters.items()}
        try:
            return self._engine.run(Statement(sql, self._database, "JSON", texts, bound)).body
        except EngineError as fault:
            raise refusal(fault.code) from None


class EmbeddedEngine:
    """Databases on one engine, each with an empty events table."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._engine = Engine(directory / "data", {"default"})
        self._spool = directory / "spool"
        self._spool.mkdir()

    def database(self, name: str, engine: str = "MergeTree", compression: str = "zstd") -> Warehouse:
        """The warehouse called `name`, migrated. Merges are stopped, so that they run only where measured."""
        InProcess(self._engine, "default", self._spool).command(f"CREATE DATABASE IF NOT EXISTS {name}")
        warehouse = cast(Warehouse, InProcess(self._engine, name, self._spool, compression))
        apply_missing(warehouse, migrations(), engine)
        warehouse.command("SYSTEM STOP MERGES events")
        return warehouse

    def close(self) -> None:
        self._engine.close()


@contextmanager
def embedded_engine() -> Iterator[EmbeddedEngine]:
    """An engine on an empty directory until the block ends; a process can have only one at a time."""
    with tempfile.TemporaryDirectory() as directory:
        room = EmbeddedEngine(Path(directory))
        try:
            yield room
        finally:
            room.close()


def load(warehouse: Warehouse, body: bytes, batch_id: str, expires_on: date) -> None:
    """Insert `body` as one batch, with sync's own statement and settings."""
    EventsTable(warehouse).insert(Batch(Manifest("managed", expires_on, ()), batch_id, "sealed", ()), body)


def active_bytes(warehouse: Warehouse) -> int:
    """Disk size of the events table, without inactive parts."""
    rows = warehouse.select(
        "SELECT sum(bytes_on_disk) AS bytes FROM system.parts "
        "WHERE database = currentDatabase() AND table = 'events' AND active"
    ).rows
    return int(rows[0]["bytes"])
