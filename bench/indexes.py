"""What each index of the events table costs and gains: the figures of docs/adr/0004-events-table.md.

`python -m bench.indexes` measures the table as it is, then without one index at a time, then without any.
"""

from datetime import datetime, timedelta
from statistics import median
from typing import Any

from backports import zstd

from bench.events import START, expiry, ndjson
from bench.in_process import EmbeddedEngine, active_bytes, embedded_engine, load
from bench.measuring import cpu_seconds
from functions.query.compile import statement
from functions.query.requests.request import search
from functions.shared.tenancy import TenantId

BATCHES = 8
ROWS = 50_000
ROUNDS = 5

DROPS = {
    "metadata_tokens_text": "DROP INDEX metadata_tokens_text",
    "message_words": "DROP INDEX message_words",
    "trace_id_bloom": "DROP INDEX trace_id_bloom",
    "batch_id_bloom": "DROP INDEX batch_id_bloom",
    "counts_by_hour": "DROP PROJECTION counts_by_hour",
    "metadata_words": "DROP INDEX metadata_words",
    "timestamp_range": "DROP INDEX timestamp_range",
    "received_range": "DROP INDEX received_range",
    "level_values": "DROP INDEX level_values",
    "project_values": "DROP INDEX project_values",
    "duration_range": "DROP INDEX duration_range",
}
SEARCHES = {
    "value": b'"where":[{"field":"metadata.region","op":"eq","value":"eu-west-1"}]',
    "key": b'"where":[{"field":"metadata.user_id","op":"exists"}]',
    "id": b'"where":[{"field":"metadata.user_id","op":"eq","value":"u123456"}]',
    "word": b'"q":"deadlock"',
    "needle": b'"q":"a7f34bdef012"',
    "trace": b'"trace_id":"0123456789abcdef0123456789abcdef"',
    "slow": b'"where":[{"field":"metadata.duration_ms","op":"gt","value":900}]',
    "latest": b'"levels":["error"]',
}


def measure(room: EmbeddedEngine, bodies: list[bytes], name: str, dropped: list[str]) -> None:
    """Fill a table without the indexes in `dropped`, merge it, search it, and print a line."""
    table = room.database(name)
    for index in dropped:
        table.command(f"ALTER TABLE events {DROPS[index]}")
    before = cpu_seconds()
    for number, body in enumerate(bodies):
        load(table, body, f"{name}-{number}", expiry())
    inserted = cpu_seconds()
    table.command("SYSTEM START MERGES events")
    table.command("OPTIMIZE TABLE events FINAL")
    merged = cpu_seconds()
    searched = {what: _milliseconds(table, body) for what, body in SEARCHES.items()}
    print(
        f"{name:30} insert {inserted - before:5.2f} s  merge {merged - inserted:5.2f} s  "
        f"{active_bytes(table) / 1e6:6.2f} MB  "
        + "  ".join(f"{what} {spent:.1f}" for what, spent in searched.items())
    )
    table.command("DROP TABLE events SYNC")


def _start(number: int) -> datetime:
    """Start of a batch's rows: batches of a tenant follow each other."""
    return START + number // 4 * timedelta(minutes=5)


def _milliseconds(table: Any, body: bytes) -> float:
    asked = search(b'{"from":"2026-10-01T00:00:00Z","to":"2026-12-01T00:00:00Z",' + body + b"}")
    compiled = statement(asked, TenantId("tenant-1"))
    spent: float = median(table.select(compiled.sql, compiled.parameters).elapsed_ms for _ in range(ROUNDS))
    return spent


if __name__ == "__main__":
    batches = [
        zstd.compress(ndjson(ROWS, f"tenant-{number % 4}", seed=number, start=_start(number)), 1)
        for number in range(BATCHES)
    ]
    with embedded_engine() as here:
        measure(here, batches[:2], "warming_up", [])
        measure(here, batches, "all_indexes", [])
        for one in DROPS:
            measure(here, batches, f"without_{one}", [one])
        measure(here, batches, "no_indexes", list(DROPS))
