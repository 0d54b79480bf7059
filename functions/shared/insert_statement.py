"""The insert of a batch: the statement and the settings that make it a single block.

A block's rows become visible all at once, or not at all. Statement and settings are part of a batch's
identity in ClickHouse, so a change needs a new name and applies to new batches only. Sync inserts with them,
and so does the test of a customer's ClickHouse, to find settings that a profile forbids before the first log.
"""

from functions.shared.events.staged_key import COLUMNS, IDENTITY
from functions.shared.warehouse import Warehouse

INSERT_SETTINGS = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "max_insert_threads": 1,
    "max_threads": 1,
    "max_insert_block_size": 10_000_000,
    "min_insert_block_size_rows": 10_000_000,
    "min_insert_block_size_bytes": 0,
    "input_format_parallel_parsing": 0,
    "date_time_input_format": "best_effort",
    "input_format_json_read_objects_as_strings": 1,
}

_STRUCTURE = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()).replace("'", "\\'")


def insert(
    warehouse: Warehouse,
    frames: bytes,
    batch_id: str,
    expires_on: str,
    *,
    bulk: bool = False,
    with_identity: bool = True,
) -> None:
    """Insert staged rows, zstd frames of NDJSON, into `events` as the batch of that id.

    On return they are committed; raises the errors of `warehouse`. `batch_id` is letters and digits and
    `expires_on` a day, YYYY-MM-DD: our code makes both, so they are written into the statement. The token
    alone identifies the batch: a repeat without the identity is the same batch. But ClickHouse knows tokens
    by partition, so each repeat of a batch needs the same `bulk`.
    """
    names = _names(with_identity=with_identity)
    partition = f"'{expires_on}', 1" if bulk else f"'{expires_on}'"
    statement = (
        f"INSERT INTO events ({names}, batch_id, {'expires_on, bulk' if bulk else 'expires_on'}) "  # noqa: S608
        f"SELECT {names}, '{batch_id}', {partition} FROM input('{_STRUCTURE}') FORMAT JSONEachRow"
    )
    warehouse.insert(statement, frames, {**INSERT_SETTINGS, "insert_deduplication_token": batch_id})


def try_insert(warehouse: Warehouse, frames: bytes, *, with_identity: bool = True) -> None:
    """Make ClickHouse parse the rows as `insert` would, without storing them; raises the same errors."""
    names = _names(with_identity=with_identity)
    statement = (
        f"INSERT INTO events_trial ({names}) "  # noqa: S608
        f"SELECT {names} FROM input('{_STRUCTURE}') FORMAT JSONEachRow"
    )
    warehouse.insert(statement, frames, INSERT_SETTINGS)


def _names(*, with_identity: bool) -> str:
    return ", ".join(name for name in COLUMNS if with_identity or name not in IDENTITY)
