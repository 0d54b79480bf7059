"""Bars 6, 10, 12 and 13: what filling, storing and emptying the events table costs.

With the migrations, sync's statement and settings, and retention's own purge. Run in a separate process
(`python -m bench.storage`), whose CPU is the engine's.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from statistics import median
from typing import Any

from backports import zstd

from bench.events import START, expiry, ndjson
from bench.in_process import EmbeddedEngine, active_bytes, embedded_engine, load
from bench.measuring import Bar, bar, cpu_seconds
from functions.retention.partitions import Partitions
from functions.retention.plan import Partition

ROUNDS = 5
CLOSE_ROUNDS = 15
"""For a bar so near to 1 that five rounds are not precise enough."""

LIVE_DAYS = 31
EVENTS_A_DAY = 200_000
"""The cost of a drop grows with the day, of a delete with all rows stored: the ratio depends on LIVE_DAYS."""

DROPS_A_ROUND = 5


def bars() -> Iterator[Bar]:
    """Bars 6, 10, 12 and 13, measured in a separate process."""
    process = subprocess.Popen([sys.executable, "-m", "bench.storage"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    yield from map(json.loads, process.stdout)
    if process.wait():
        raise RuntimeError("the storage bench failed")


def staged_frames_against_plain_text(room: EmbeddedEngine) -> Bar:
    """Bar 6: 1,000 objects' frames of 100 events, concatenated, against the same rows uncompressed."""
    lines = ndjson(100_000, "acme").splitlines(keepends=True)
    frames = b"".join(zstd.compress(b"".join(lines[at : at + 100]), 1) for at in range(0, len(lines), 100))
    plain = b"".join(lines)
    framed = room.database("framed")
    unframed = room.database("unframed", compression="none")
    ours, peer = _interleaved(
        lambda n: load(framed, frames, f"framed-{n}", expiry()),
        lambda n: load(unframed, plain, f"plain-{n}", expiry()),
        rounds=CLOSE_ROUNDS,
    )
    what = "insert from staged frames against plain NDJSON"
    return bar("6", what, ours, peer, 1.05, f"100,000 events, medians of {CLOSE_ROUNDS} rounds", "CPU s")


def disk_against_zstd(room: EmbeddedEngine) -> Bar:
    """Bar 10: the whole table, indexes included, against the text at zstd level 3."""
    warehouse = room.database("disk")
    compressor = zstd.ZstdCompressor(level=3)
    compressed = 0
    for number in range(12):
        start = START + number // 4 * timedelta(minutes=5)
        body = ndjson(50_000, f"tenant-{number % 4}", seed=number, start=start)
        compressed += len(compressor.compress(body))
        load(warehouse, zstd.compress(body, 1), f"disk-{number}", expiry())
    compressed += len(compressor.flush())
    warehouse.command("SYSTEM START MERGES events")
    warehouse.command("OPTIMIZE TABLE events FINAL")
    ours = active_bytes(warehouse)
    what = "bytes on disk after merges against zstd -3"
    return bar("10", what, float(ours), float(compressed), 1.05, "600,000 events of 4 tenants", "bytes")


def purge_against_delete(room: EmbeddedEngine) -> Bar:
    """Bar 12: retention's drop of a day against ALTER DELETE where days share their partition."""
    parted = room.database("parted")
    mixed = room.database("mixed")
    mixed.command("DROP TABLE events SYNC")
    mixed.command(_without_partitions(parted))
    days = [expiry(days=day) for day in range(LIVE_DAYS)]
    for table in (parted, mixed):
        _fill(table, days)
    parted_before = active_bytes(parted)
    partitions = Partitions(parted)

    def drop_days(round_: int) -> None:
        # A drop takes about one tick of the CPU clock, so several are measured together.
        for day in days[round_ * DROPS_A_ROUND : (round_ + 1) * DROPS_A_ROUND]:
            partitions.drop(Partition(day, 0, 0))

    drops, peer = _interleaved(
        drop_days,
        lambda n: mixed.command(
            "ALTER TABLE events DELETE WHERE expires_on = {day:Date}",
            {"day": days[n].isoformat()},
            {"mutations_sync": 1},
        ),
    )
    ours = drops / DROPS_A_ROUND
    freed = parted_before - active_bytes(parted)
    method = (
        f"{EVENTS_A_DAY:,} of {EVENTS_A_DAY * LIVE_DAYS:,} events; "
        f"{(ROUNDS + 1) * DROPS_A_ROUND} days dropped freed {freed:,} bytes"
    )
    what = "purging a day against ALTER DELETE where days share a partition"
    return bar("12", what, ours, peer, 0.001, method, "CPU s")


def many_days_against_one(room: EmbeddedEngine) -> Bar:
    """Bar 13: 15 batches with 15 expiry days against the same batches with one expiry day."""
    bodies = [zstd.compress(ndjson(10_000, "acme", seed=day), 1) for day in range(15)]
    spread, single = room.database("spread"), room.database("single")

    def insert(table: Any, name: str, round_: int, apart: int) -> None:
        for day, body in enumerate(bodies):
            load(table, body, f"{name}-{round_}-{day}", expiry(days=day * apart))

    ours, peer = _interleaved(
        lambda n: insert(spread, "spread", n, 1), lambda n: insert(single, "single", n, 0)
    )
    what = "insert over 15 days of expiry against one day"
    return bar("13", what, ours, peer, 1.1, f"150,000 events, medians of {ROUNDS} rounds", "CPU s")


def _fill(table: Any, days: list[date]) -> None:
    """Insert EVENTS_A_DAY events a day, one part per partition."""
    load(table, zstd.compress(ndjson(EVENTS_A_DAY, "acme"), 1), "fill", days[0])
    columns = "project_id, received_at, level, service, message, trace_id, span_id, metadata, batch_id"
    for number, day in enumerate(days[1:], start=1):
        later = (
            f"SELECT tenant_id, timestamp + INTERVAL {number} DAY, '{day}', {columns} "  # noqa: S608
            f"FROM events WHERE expires_on = '{days[0]}'"
        )
        table.command(f"INSERT INTO events (tenant_id, timestamp, expires_on, {columns}) {later}")
    table.command("SYSTEM START MERGES events")
    table.command("OPTIMIZE TABLE events FINAL", settings={"optimize_skip_merged_partitions": 1})


def _without_partitions(table: Any) -> str:
    rows = table.select(
        "SELECT create_table_query AS ddl FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'events'"
    ).rows
    ddl: str = rows[0]["ddl"]
    without = ddl.replace("PARTITION BY (expires_on, bulk) ", "")
    return without.replace("CREATE TABLE parted.", "CREATE TABLE mixed.")


def _interleaved(
    ours: Callable[[int], object], peer: Callable[[int], object], rounds: int = ROUNDS
) -> tuple[float, float]:
    """Median CPU seconds of both, taken in turns; the first turn of each only warms up."""
    spent: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for call, times in zip((ours, peer), spent, strict=True):
            before = cpu_seconds()
            call(number)
            times.append(cpu_seconds() - before)
    return median(spent[0][1:]), median(spent[1][1:])


MEASUREMENTS = (
    staged_frames_against_plain_text,
    disk_against_zstd,
    purge_against_delete,
    many_days_against_one,
)


if __name__ == "__main__":
    with embedded_engine() as here:
        for measurement in MEASUREMENTS:
            print(json.dumps(measurement(here)), flush=True)
