"""Migrate the schema of our ClickHouse.

Trigger: invoked with {} by each deployment and each local start, before anything else uses ClickHouse.
Promise: creates the database when it is missing, applies the new numbered SQL files in order, and returns
{"applied": [names], "version": the newest}. A second run applies nothing; concurrent runs are safe.
On failure it raises ClickHouse's error. Applied migrations stay, and the next run continues after them.
"""

from dataclasses import dataclass
from typing import Any

from functions.shared import journal
from functions.shared.platform_warehouse import read_address
from functions.shared.powertools import instrumented
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.secret_store import read_secret
from functions.shared.settings import load


@dataclass(frozen=True, slots=True)
class Settings:
    """`warehouse_engine`: MergeTree, or on a cluster ReplicatedMergeTree or SharedMergeTree."""

    warehouse_secret: str
    warehouse_engine: str


def _schema() -> Schema:
    settings = load(Settings)
    return Schema(read_address(read_secret, settings.warehouse_secret), settings.warehouse_engine)


@instrumented
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    known = migrations()
    applied = _schema().bring_up_to_date(known)
    for name in applied:
        journal.write("schema_migrated", migration=name)
    return {"applied": applied, "version": known[-1].version}
